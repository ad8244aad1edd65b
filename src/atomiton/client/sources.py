"""What a client asks a server to run: kept there, or sent along."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from atomiton.blueprint.model import Blueprint
from atomiton.conductor.library import Source
from atomiton.conductor.wire import StartRun


def name_source(asked: StartRun, source: Source) -> None:
    """Put into a request what is to be run: an id, or the text or data of a blueprint.

    Raises:
        NotFound: A file that is named cannot be read.
    """
    if isinstance(source, Blueprint):
        asked.document = dict(source.document)
    elif isinstance(source, str) and not _is_file(source):
        asked.blueprint = source
    elif isinstance(source, str | PathLike):
        asked.source = _text(Path(source))
    else:
        asked.document = dict(source.blueprint.document)


def _is_file(name: str) -> bool:
    return "/" in name or name.endswith((".yaml", ".yml", ".json"))


def _text(path: Path) -> str:
    from atomiton.errors import NotFound

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise NotFound(f"there is no blueprint file {path}") from error
