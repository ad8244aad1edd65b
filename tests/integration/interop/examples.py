"""Examples that communities publish, where there are copies of them; what becomes of each.

They are other people's, and not kept in this repository: README.md, beside this, says where they
are from. Tests that need them are skipped without them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from atomiton.interop import Imported, import_workflow

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = Path(os.environ.get("ATOMITON_TEST_EXAMPLES") or ROOT / ".examples")
REPORTS = EXAMPLES / "reports.json"
FOLDERS = {"n8n": "n8n", "asl": "asl", "node_red": "node-red", "serverless/examples": "serverless"}


def examples(folder: str = "") -> list[str]:
    """Names of the files that are there, with their folder: all, or those of one."""
    return sorted(
        path.relative_to(EXAMPLES).as_posix()
        for each in FOLDERS
        if each.startswith(folder) and (EXAMPLES / each).is_dir()
        for path in (EXAMPLES / each).iterdir()
        if path.suffix in (".json", ".yaml")
    )


def example(name: str) -> bytes:
    """The content of an example; without it the test is skipped."""
    path = EXAMPLES / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path.read_bytes()


def imported(name: str) -> Imported:
    """An example, its format found out from the content."""
    return import_workflow(example(name), filename=name)


def complete(folder: str) -> set[str]:
    """The examples of a folder that map as a whole; without any the test is skipped."""
    names = examples(folder)
    if not names:
        pytest.skip(f"there are no examples in {EXAMPLES / folder}")
    return {name for name in names if imported(name).report.complete}


def lines_of(name: str) -> list[str]:
    """The report of an example, a line for each part."""
    report = imported(name).report
    return [
        f"{entry.status} · {entry.type} · {entry.source}"
        + (f" · {'; '.join(entry.notes)}" if entry.notes else "")
        for entry in report.entries
    ]


def stored() -> dict[str, list[str]]:
    """The reports as they were accepted."""
    kept: dict[str, list[str]] = json.loads(REPORTS.read_text(encoding="utf-8"))
    return kept
