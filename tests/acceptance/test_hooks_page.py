"""What the page on hooks shows is what happens: files are written, commands run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.acceptance.test_pages import ROOT, blocks, commands, run, steady

PAGE = ROOT / "docs" / "how-to" / "hooks.md"
MOMENT = re.compile(r"\d\d:\d\d:\d\d\.\d{3}")


@pytest.mark.slow
def test_the_page_on_hooks_shows_what_happens(tmp_path: Path) -> None:
    ran = 0
    for language, name, text in blocks(PAGE):
        if name is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
        elif language == "console":
            for command, said in commands(text):
                printed = MOMENT.sub("NOW", run(command, tmp_path))
                assert steady(printed) == steady(MOMENT.sub("NOW", said)), command
                ran += 1
    assert ran == 3
