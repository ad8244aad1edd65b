"""``atomiton runs export``."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from atomiton.cli.options import complete_file, nodes_option, store_option
from atomiton.cli.runs.opening import find_run, opened, run_argument
from atomiton.errors import AtomitonError, IllegalEvent, NotFound, StoreError

if TYPE_CHECKING:
    from atomiton.conductor.library import Library

Data = dict[str, object]


@click.command("export")
@run_argument
@click.option("--as-test", is_flag=True, help="As a test for 'atomiton test'.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=complete_file,
    help="Where to; - for standard output.",
)
@click.option(
    "--blueprint",
    metavar="FILE",
    shell_complete=complete_file,
    help="The blueprint's file, to be named in the test; without it the test holds the blueprint.",
)
@nodes_option
@store_option
def command(
    run: str,
    output: str | None,
    blueprint: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    as_test: bool,
) -> None:
    """Write a run down, as a test of its blueprint.

    In the test, nodes that are not pure give what they gave in the run, and the run must end as it
    did. It is written to ID.test.yaml, which must not be there yet.
    """
    if not as_test:
        raise click.UsageError("Say as what the run is to be exported: --as-test.")
    text, name = asyncio.run(_export(run, output, blueprint, nodes, store))
    if output == "-":
        click.echo(text, nl=False)
        return
    path = Path(output or f"{name}.test.yaml")
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError as error:
        message = f"{path} is there already: choose another file with -o"
        raise AtomitonError(message, code="NOT_ALLOWED") from error
    click.echo(f"written to {path}; run it with: atomiton test {path}", err=True)


async def _export(
    name: str,
    output: str | None,
    blueprint: str | None,
    nodes: tuple[str, ...],
    store: str | None,
) -> tuple[str, str]:
    """The text of the test, and the id of its blueprint."""
    import msgspec

    from atomiton.conductor.calls import BUNDLE
    from atomiton.testing.declared.exporting import as_test, file_text
    from atomiton.testing.replacing import unnumbered

    async with opened(store, nodes) as conductor:
        run = await find_run(conductor, name)
        header = await conductor.journal.header(run)
        document = msgspec.json.decode(
            await conductor.journal.load_blueprint(header.blueprint_hash), type=dict[str, object]
        )
        types = _types(document)

        def is_pure(path: str) -> bool:
            uses = types.get(unnumbered(path))
            if not isinstance(uses, str):
                return True  # a wait, a branch: the engine itself
            try:
                return conductor.library.registry.get(uses).effect == "pure"
            except NotFound:
                return False

        try:
            events = [event async for event in conductor.events(run)]
            result = await conductor.show(run)
        except IllegalEvent as error:
            message = f"run {run} cannot be told from its facts without its node types"
            raise StoreError(f"{message}; give them with --nodes") from error
        test = as_test(result, events, is_pure)
        place = Path(output).parent if output and output != "-" else Path()
        if blueprint is None and BUNDLE in document:
            message = f"run {run} called other blueprints, which a test cannot hold"
            raise AtomitonError(f"{message}; name its file: --blueprint FILE", code="NOT_SUPPORTED")
        source = (
            document
            if blueprint is None
            else _checked(conductor.library, blueprint, header.blueprint_hash)
        )
        named = source if isinstance(source, dict) else _from(place, source)
        return file_text(named, [_from(place, file) for file in nodes], test), header.blueprint


def _types(record: Data, prefix: str = "") -> dict[str, object]:
    """The node type of each node by its path, in a stored blueprint and in those that it calls."""
    from atomiton.testing.replacing import nodes_of

    document, called = record, Data()
    if "calls" in record:
        document, called = (cast("Data", record[key]) for key in ("document", "calls"))
    types: dict[str, object] = {}
    for path, node in nodes_of(document):
        types[f"{prefix}{path}"] = node.get("uses")
        if "call" in node:
            child = cast("Data", called[str(node["call"])])
            types |= _types(child, f"{prefix}{path}.")
    return types


def _checked(library: Library, file: str, digest: str) -> str:
    """The file, if it holds the blueprint that ran."""
    found = library.program(library.load(file))
    if found.plan.hash != digest:
        click.echo(f"{file} has changed since the run; the test says how the run was", err=True)
    return file


def _from(folder: Path, file: str) -> str:
    """A path relative to a folder, as a file of tests names it."""
    path = Path(os.path.relpath(file, folder)).as_posix()
    return path if path.startswith("../") else f"./{path}"
