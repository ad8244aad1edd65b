"""The tree of commands, as the page of commands and the manual page show it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from atomiton.cli.app import app


@dataclass
class Verb:
    """A command.

    Attributes:
        name: With those it stands below: ``atomiton runs show``.
        usage: What follows its name.
        text: What it does, in paragraphs.
        options: Each option, and what it does.
        group: Whether it only holds other commands.
    """

    name: str
    usage: str
    text: list[str]
    options: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    group: bool = False


def verbs() -> Iterator[Verb]:
    """Every command, the program itself first, in the order in which its help lists them."""
    context = click.Context(app, info_name="atomiton", **app.context_settings)
    return _walk(app, context)


def _walk(command: click.Command, context: click.Context) -> Iterator[Verb]:
    usage = " ".join(command.collect_usage_pieces(context))
    with context.scope():
        records = [
            record
            for parameter in command.get_params(context)
            if isinstance(parameter, click.Option)
            if (record := parameter.get_help_record(context)) is not None
        ]
    yield Verb(
        name=context.command_path,
        usage=usage,
        text=_paragraphs(command.help or ""),
        options=[(name, " ".join(text.split())) for name, text in records],
        group=isinstance(command, click.Group),
    )
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _walk(inner, click.Context(inner, info_name=name, parent=context))


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a help text; one that keeps its lines begins with a backspace there."""
    return [part.removeprefix("\b\n") for part in inspect.cleandoc(text).split("\n\n")]
