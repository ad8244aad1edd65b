"""The command line as users have it: a process, a folder, a store."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.cli.shell import BLUEPRINTS, NODES, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    for name, text in BLUEPRINTS.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "mine.py").write_text(NODES, encoding="utf-8")
    return Shell(tmp_path)
