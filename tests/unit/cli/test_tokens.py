"""What ``atomiton tokens`` writes down."""

from __future__ import annotations

from pathlib import Path

import pytest

from atomiton.cli.app import run_app
from atomiton.server.audit import Audit


def test_who_changes_tokens_is_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "runs.db")
    assert run_app(["tokens", "add", "guest", "--role", "operator", "--store", store]) == 0
    secret = capsys.readouterr().out.strip()
    assert run_app(["tokens", "add", "guest", "--store", store]) == 2  # there is one
    assert run_app(["tokens", "remove", "guest", "--store", store]) == 0
    assert run_app(["tokens", "remove", "guest", "--store", store]) == 2
    file = tmp_path / "runs.db.server" / "audit.jsonl"
    said = [(of.who, of.method, of.path, of.status) for of in Audit(file).last(9)]
    assert said == [
        ("owner", "CLI", "tokens remove guest", 200),
        ("owner", "CLI", "tokens add guest --role operator", 200),
    ]
    assert secret not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
