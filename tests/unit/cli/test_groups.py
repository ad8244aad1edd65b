"""The verbs that are listed are there."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from atomiton.cli.app import app
from atomiton.cli.group import LazyGroup


def verbs(group: LazyGroup, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every verb of a group, and of the groups in it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*names, name)
        inner = group.get_command(context, name)
        if isinstance(inner, LazyGroup):
            yield from verbs(inner, (*names, name))


def test_there_are_verbs() -> None:
    assert {("run",), ("tokens", "login"), ("runs", "list")} <= set(verbs(app))


def test_every_verb_that_is_listed_can_be_called(capsys: pytest.CaptureFixture[str]) -> None:
    for names in verbs(app):
        assert app.main([*names, "--help"], prog_name="atomiton", standalone_mode=False) == 0
        assert f"Usage: atomiton {' '.join(names)}" in capsys.readouterr().out
