"""A group of commands that are imported when they are called, not when they are listed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword

import click


class LazyGroup(click.Group):
    """Commands by name, each in a module of that name with a function ``command``.

    A name that is a keyword of Python has a ``_`` behind it as the name of a module.

    Args:
        package: Package of the modules.
        verbs: Name to what a list of commands says of it.
    """

    def __init__(self, *, package: str, verbs: Mapping[str, str], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # click checks them
        self._package = package
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click has it
        """The names, in the order of the table."""
        return list(self._verbs)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - as click has it
        cmd_name: str,
    ) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._verbs:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: object = import_module(f"{self._package}.{module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - as click has it
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._verbs.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was meant; when there is none, name the nearest."""
        if args and args[0] not in self._verbs and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self._verbs, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"There is no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)
