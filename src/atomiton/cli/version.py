"""``atomiton version``."""

from __future__ import annotations

import click


def own_version() -> str:
    """The version of the installed package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("atomiton")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """Print the version."""
    if as_json:
        from atomiton.cli.output import print_json

        print_json({"version": own_version()})
    else:
        click.echo(f"atomiton {own_version()}")
