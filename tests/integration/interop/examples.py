"""The examples that are stored here, and what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path

from atomiton.interop import Imported, import_workflow

HERE = Path(__file__).parent
REPORTS = HERE / "reports.json"
FOLDERS = {"n8n": "n8n", "asl": "asl", "node_red": "node-red", "serverless/examples": "serverless"}


def examples() -> list[str]:
    """Names of the files, with their folder."""
    return sorted(
        str(path.relative_to(HERE).as_posix())
        for folder in FOLDERS
        for path in (HERE / folder).iterdir()
        if path.suffix in (".json", ".yaml")
    )


def imported(name: str) -> Imported:
    """An example, its format found out from the content."""
    return import_workflow((HERE / name).read_bytes(), filename=name)


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
