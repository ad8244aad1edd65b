"""``atomiton studio``."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomiton.cli.options import nodes_option, store_option

if TYPE_CHECKING:
    from atomiton.server.serve import Serving


@click.command("studio")
@click.argument("place", required=False, type=click.Path(path_type=Path))
@click.option(
    "--port",
    default=0,
    show_default="any free one",
    type=click.IntRange(0, 65535),
    help="Port on this machine.",
)
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@click.option(
    "--window", is_flag=True, help="Open a window of its own; closing it ends the studio."
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["shell", "files"]),
    help="Let nodes run programs, or reach every file of this user.",
)
@nodes_option
@store_option
def command(
    place: Path | None,
    port: int,
    allow: tuple[str, ...],
    nodes: tuple[str, ...],
    store: str | None,
    *,
    no_browser: bool,
    window: bool,
) -> None:
    """Open the studio in the browser; only this machine can reach it.

    PLACE is a folder, whose YAML files are the blueprints, or one file, which is shown first; nodes
    read and write in that folder. Without it blueprints are kept beside the runs, and nodes work in
    the current folder. Ctrl-C ends it.
    """
    from atomiton.server.serve import Settings, run_server

    if window and no_browser:
        raise click.UsageError("give --window or --no-browser, not both")
    folder, opened = _folder_of(place)
    settings = Settings(
        store=store,
        port=port,
        nodes=nodes,
        folder=folder or Path.cwd(),
        allow=allow,
        blueprints=None if folder is None else f"file:{folder}",
        opened=opened,
    )

    def tell(serving: Serving) -> None:
        click.echo(f"studio at {serving.address}")
        click.echo(f"log in at {serving.login}")
        if not (no_browser or window) and serving.login is not None:
            # Apart: some browsers keep whoever opens them until they are closed.
            threading.Thread(target=webbrowser.open, args=(serving.login,), daemon=True).start()

    if window:
        from atomiton.cli.window import serve_in_window

        serve_in_window(settings, tell)
    else:
        run_server(settings, tell)
    click.echo("stopped", err=True)


def _folder_of(place: Path | None) -> tuple[Path | None, str | None]:
    """The folder of the blueprints, and the id of the one to show.

    Raises:
        click.UsageError: The file is there under a name that is not its id, or is no YAML file.
    """
    if place is None:
        return None, None
    path = place.expanduser().absolute()
    if path.is_dir() or (not path.exists() and path.suffix == ""):
        return path, None
    if path.suffix != ".yaml":
        raise click.UsageError(f"{place}: a blueprint is a file whose name ends in .yaml")
    if path.exists():
        _check_name(place, path)
    return path.parent, path.stem


def _check_name(place: Path, path: Path) -> None:
    from atomiton.blueprint.document import read_blueprint
    from atomiton.errors import BlueprintError

    try:
        blueprint, _ = read_blueprint(path.read_text("utf-8"))
    except (BlueprintError, UnicodeDecodeError):
        return  # the studio shows what is wrong with it
    if blueprint.id != path.stem:
        message = f"{place}: the id of the blueprint is '{blueprint.id}'"
        raise click.UsageError(f"{message}; call the file {blueprint.id}.yaml")
