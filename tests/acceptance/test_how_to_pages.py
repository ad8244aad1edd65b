"""What the how-to pages show is what happens."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.acceptance.test_pages import ROOT, blocks, commands, run, steady

PAGES = ROOT / "docs" / "how-to"


def lines(text: str) -> list[str]:
    """Lines without times, also as pytest and JSON write them."""
    text = re.sub(r"\bin \d+\.\d+s\b", "in TIME", text)
    text = re.sub(r'("duration_ms": )\d+(\.\d+)?', r"\1TIME", text)
    return steady(text)


@pytest.mark.slow
def test_testing_a_blueprint_shows_what_happens(tmp_path: Path) -> None:
    # A plugin that is installed here, and not by everybody, warns without this.
    ini = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    (tmp_path / "pytest.ini").write_text(ini, encoding="utf-8")
    ran = []
    for language, name, text in blocks(PAGES / "test-a-blueprint.md"):
        if name is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
        elif language == "console":
            for command, said in commands(text):
                assert lines(run(command, tmp_path)) == lines(said), command
                ran.append(command)
    assert len(ran) == 3
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".yaml", ".csv")) == [
        "order.test.yaml", "order.yaml",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "count"),
    [("wait.md", 5), ("try-again.md", 3), ("repeat.md", 2), ("keep-results.md", 5)],
)
def test_a_page_shows_what_happens(tmp_path: Path, page: str, count: int) -> None:
    ran = 0
    for language, name, text in blocks(PAGES / page):
        if name is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
        elif language == "console":
            for command, said in commands(text):
                assert lines(run(command, tmp_path)) == lines(said), command
                ran += 1
        else:
            (tmp_path / "unnamed.yaml").write_text(text, encoding="utf-8")
            assert run("atomiton run --quiet unnamed.yaml", tmp_path)
    assert ran == count


@pytest.mark.slow
def test_importing_shows_what_happens(tmp_path: Path) -> None:
    ran = 0
    for language, name, text in blocks(PAGES / "import.md"):
        if name is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
        elif language == "console":
            for command, said in commands(text):
                assert lines(run(command, tmp_path)) == lines(said), command
                ran += 1
    assert ran == 2


@pytest.mark.slow
def test_a_run_of_the_page_becomes_a_test(tmp_path: Path) -> None:
    """The commands that stand in its text, on a blueprint that needs no network."""
    (tmp_path / "order.yaml").write_text(
        "atomiton: 1\nid: order\nnodes:\n  a: {uses: shell.run, with: {command: [echo, hi]}}\n"
    )
    assert json.loads(run("atomiton run order.yaml -q", tmp_path))["a"]["stdout"] == "hi\n"
    page = (PAGES / "test-a-blueprint.md").read_text(encoding="utf-8")
    shown = [line.strip() for line in page.splitlines() if line.startswith("    atomiton ")]
    assert len(shown) == 2
    for command in shown:
        said = run(command, tmp_path)
    assert "1 passed" in said
