"""``atomiton new``: begin with something that works."""

from __future__ import annotations

from pathlib import Path

import click

from atomiton.cli.options import json_option
from atomiton.cli.output import print_json
from atomiton.errors import AtomitonError, NotFound


@click.command("new")
@click.argument("what", nargs=-1, metavar="[DIR | node-pack NAME]")
@click.option("--from", "template", metavar="TEMPLATE", help="Copy a template to DIR.")
@click.option("--list", "listing", is_flag=True, help="List the templates.")
@json_option
def command(what: tuple[str, ...], template: str | None, *, listing: bool, as_json: bool) -> None:
    """Begin with a template, or with a package of node types.

    `atomiton new --from TEMPLATE [DIR]` copies a blueprint, and the files it needs, into a folder,
    by default one with the name of the template. `atomiton new node-pack NAME` makes a package of
    node types of your own, with tests. No file that is there already is replaced.
    """
    if listing:
        _list(as_json=as_json)
    elif template is not None:
        if len(what) > 1:
            raise click.UsageError("Give one folder at most.")
        _copy(template, Path(what[0] if what else template), as_json=as_json)
    elif len(what) == 2 and what[0] == "node-pack":
        from atomiton.cli.packing import make_pack

        _tell(make_pack(what[1], Path()), as_json=as_json)
    else:
        hint = "--list, --from TEMPLATE [DIR], or node-pack NAME"
        raise click.UsageError(f"Say what to begin with: {hint}.")


def _list(*, as_json: bool) -> None:
    from atomiton.cli.templates import templates

    found = templates()
    if as_json:
        rows = ("name", "title", "description", "files")
        print_json([{row: getattr(template, row) for row in rows} for template in found])
        return
    width = max(len(template.name) for template in found)
    for template in found:
        click.echo(f"{template.name:{width}}  {template.description}")


def _copy(name: str, folder: Path, *, as_json: bool) -> None:
    from atomiton.blueprint.problems import nearest
    from atomiton.cli.templates import templates

    found = {template.name: template for template in templates()}
    template = found.get(name)
    if template is None:
        hint = nearest(name, found) or "atomiton new --list lists them"
        raise NotFound(f"there is no template '{name}': {hint}")
    _tell(write_files(folder, template.contents()), as_json=as_json)


def write_files(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write new files into a folder, all of them or none.

    Args:
        folder: Where; it is made if it is not there.
        contents: Path in the folder to what the file holds.

    Raises:
        AtomitonError: One of them is there already, or the folder cannot be written.
    """
    targets = {folder / name: content for name, content in contents.items()}
    there = [path for path in targets if path.exists()]
    if there:
        message = f"{there[0]} is there already, and nothing was written: give another folder"
        raise AtomitonError(message, code="CONFLICT")
    try:
        for path, content in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror}"
        raise AtomitonError(message, code="NOT_ALLOWED") from error
    return list(targets)


def _tell(written: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json({"files": [str(path) for path in written]})
        return
    for path in written:
        click.echo(str(path))
    first = next((path for path in written if path.suffix == ".yaml"), None)
    if first is not None:
        click.echo(f"\nRun it there: cd {first.parent} && atomiton run {first.name}", err=True)
