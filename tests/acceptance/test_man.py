"""The manual page is that of the commands as they are, and has no mistake."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from scripts.commands import verbs
from scripts.man import FOLDER, files


@pytest.mark.parametrize("name", sorted(files()))
def test_what_a_package_brings_is_current(name: str) -> None:
    """If this fails: ``make man``."""
    assert (FOLDER / name).read_text(encoding="utf-8") == files()[name]


def test_every_command_and_option_is_in_the_manual() -> None:
    text = files()["atomiton.1"].replace("\\-", "-")
    for verb in verbs():
        assert verb.name in text
        for name, _ in verb.options:
            assert f".B {name}\n" in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff")
def test_the_manual_can_be_set() -> None:
    page = str(FOLDER / "atomiton.1")
    command = ["groff", "-man", "-ww", "-Tutf8", "-P-c", page]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert re.search(r"^EXIT STATUS$", re.sub(r".\x08|\x1b\[\d*m", "", done.stdout), re.MULTILINE)
