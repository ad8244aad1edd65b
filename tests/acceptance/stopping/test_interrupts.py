"""A Ctrl-C that Python drops is pressed again."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import time
from atomiton.cli.interrupts import keep_interrupts

class Dropping:
    def __init__(self, error):
        self.error = error
    def __del__(self):
        raise self.error

keep_interrupts()
Dropping(ValueError("of no callback's business"))
Dropping(KeyboardInterrupt())
try:
    time.sleep(20)
except KeyboardInterrupt:
    print("heard")
"""


def test_what_a_callback_drops_is_heard() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=15, check=True
    )
    assert done.stdout == "heard\n"
    assert "of no callback's business" in done.stderr
    assert "KeyboardInterrupt" not in done.stderr
