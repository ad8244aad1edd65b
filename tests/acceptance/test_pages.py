"""What the readme and the tutorial show is what happens: files are written, commands run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-blueprint.md"
TROUBLE = ROOT / "docs" / "tutorial" / "when-things-go-wrong.md"
BUILDER = ROOT / "docs" / "how-to" / "python-builder.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"in\s+`([\w.]+)`:\s*\Z", re.IGNORECASE)
#: What differs from run to run.
CHANGING = (
    (re.compile(r"\d+(\.\d+)? m?s\b"), "TIME"),
    (re.compile(r"run_[0-9a-f]{26}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "MOMENT"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
)


def blocks(page: Path) -> Iterator[tuple[str, str | None, str]]:
    """Language, name of the file it is to be saved as, and text of every block of a page."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        named = NAMED.search(text[: found.start()])
        yield found[1], named[1] if named else None, found[2]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Every command of a block, and what it says it prints."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, said = part.partition("\n")
        yield command, said


def steady(text: str) -> list[str]:
    """Lines without what differs from run to run; two streams may mix, so the order is ours."""
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return sorted(" ".join(line.split()) for line in text.splitlines())


def run(command: str, folder: Path) -> str:
    """What a command of a page prints, on both streams."""
    program, *arguments = shlex.split(command)
    programs = {"atomiton": [sys.executable, "-m", "atomiton"], "python": [sys.executable]}
    ended = subprocess.run(
        [*programs[program.removeprefix(".venv/bin/")], *arguments],
        cwd=folder,
        env={**os.environ, "ATOMITON_STORE": str(folder / "runs.db")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.stdout.replace(f"{folder}/", "")


@pytest.mark.slow
@pytest.mark.parametrize(("page", "count"), [(TUTORIAL, 8), (TROUBLE, 6), (BUILDER, 3)])
def test_the_page_shows_what_happens(tmp_path: Path, page: Path, count: int) -> None:
    ran = 0
    for language, name, text in blocks(page):
        if name is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
        elif language == "console":
            for command, said in commands(text):
                assert steady(run(command, tmp_path)) == steady(said), command
                ran += 1
    assert ran == count


@pytest.mark.parametrize("name", ["big.yaml", "hello/hello.yaml", "hello/hello.py"])
def test_the_readme_shows_files_that_are_there(name: str) -> None:
    shown = [text for _, _, text in blocks(README)]
    assert (ROOT / "examples" / name).read_text(encoding="utf-8") in shown


@pytest.mark.slow
def test_the_readme_shows_what_its_commands_print(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    ran = []
    for language, _, text in blocks(README):
        for command, said in commands(text) if language == "console" else ():
            if command == "make demo":
                made = run(f"python -m examples.demo --folder {tmp_path}/out", tmp_path)
                assert set(steady(said)) - set(steady(made)) == set()
            else:
                assert steady(run(command, tmp_path)) == steady(said), command
            ran.append(command)
    assert "make demo" in ran
    assert len(ran) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["approval", "checkout", "filejobs", "poll"])
def test_an_example_prints_what_its_page_shows(name: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    page = ROOT / "examples" / name / "README.md"
    shown = [pair for _, _, text in blocks(page) for pair in commands(text)]
    assert shown
    for command, said in shown:
        assert steady(run(command, tmp_path)) == steady(said), command
