"""What the pages about the server show is what happens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.acceptance.cli.shell import Shell, eventually
from tests.acceptance.test_pages import ROOT, blocks

from atomiton.server.table import routes


def test_every_route_is_on_its_page() -> None:
    page = (ROOT / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]+ /\S*)` \| (\w+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [
        (f"{route.method} {route.path}", route.role or "nobody", route.summary)
        for route in routes()
    ]


@pytest.mark.slow
def test_the_client_of_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    shown = [(lang, text) for lang, _, text in blocks(ROOT / "docs" / "how-to" / "serve.md")]
    program = next(text for lang, text in shown if lang == "python")
    said = next(text for lang, text in shown if lang == "console")
    shell = Shell(tmp_path)
    with tempfile.TemporaryDirectory(prefix="at-", dir="/tmp") as runtime:
        shell.env["XDG_RUNTIME_DIR"] = runtime
        server = shell.start("serve", "--no-port")
        try:
            eventually(lambda: list(Path(runtime).glob("atomiton/*.sock")))
            done = subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, **shell.env},
                capture_output=True,
                text=True,
                timeout=30,
            )
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=20)
    assert done.stderr == ""
    assert [line.rstrip() for line in done.stdout.splitlines()] == said.splitlines()[1:]
