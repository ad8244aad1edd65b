"""From an address to a store of blueprints."""

from __future__ import annotations

from pathlib import Path

from atomiton.errors import StoreError
from atomiton.ports.blueprints import BlueprintStore
from atomiton.store.open import missing

_OBJECTS = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss")


def create_storage(url: str) -> BlueprintStore:
    """Make the store of blueprints that an address names; ``async with`` opens and closes it.

    Args:
        url: One of

            - ``memory:``: in this process;
            - ``file:FOLDER`` or a plain path: a YAML file for each blueprint, for people to edit;
            - ``sqlite:PATH``: a file, which may be the one that holds runs as well;
            - ``postgresql://USER@HOST/DATABASE``: a database, likewise;
            - ``s3://BUCKET/PREFIX``, ``gs://``, ``az://``: a store of objects; credentials come
              from the environment, ``?endpoint=`` and ``?region=`` may follow.

    Raises:
        StoreError: The address names a kind of store that does not exist, or no place.

    Example:
        >>> async def main() -> None:
        ...     async with create_storage("blueprints") as storage:
        ...         saved = await storage.save(text)
        ...         await storage.save(changed, expected=saved.etag)
    """
    if "\0" in url:
        raise StoreError(f"store {url!r}: the address holds a NUL character")
    scheme, colon, rest = url.partition(":")
    if url == "memory:":
        from atomiton.store.blueprints.memory import MemoryBlueprints

        return MemoryBlueprints()
    if colon and scheme == "sqlite":
        from atomiton.store.blueprints.sqlite import SqliteBlueprints

        path = _path(rest)
        if path == ":memory:" or not Path(path).name:
            raise StoreError(f"store {url}: name a file, as in sqlite:blueprints.db")
        return SqliteBlueprints(Path(path).expanduser())
    if colon and scheme in ("postgresql", "postgres"):
        return _open_postgres(url)
    if colon and scheme in _OBJECTS:
        return _open_objects(url)
    if colon and scheme != "file" and len(scheme) > 1 and scheme.isalnum() and scheme.islower():
        raise StoreError(
            f"there is no kind of store {scheme!r}; use memory:, a folder, sqlite:PATH, "
            "postgresql:// or s3://"
        )
    path = _path(rest) if colon and scheme == "file" else url
    if not path:
        raise StoreError("name a folder for the blueprints, as in file:blueprints")
    from atomiton.store.blueprints.folder import FolderBlueprints

    return FolderBlueprints(Path(path).expanduser())


def _path(rest: str) -> str:
    """The path in an address; sqlite:///absolute/path is what other tools write."""
    return rest[2:] if rest.startswith("///") else rest


def _open_postgres(url: str) -> BlueprintStore:
    try:
        from atomiton.store.blueprints.postgres import PostgresBlueprints
    except ModuleNotFoundError as error:
        raise missing(error, "a store in Postgres", "postgres") from error
    return PostgresBlueprints(url)


def _open_objects(url: str) -> BlueprintStore:
    try:
        from atomiton.store.blueprints.objects import ObjectBlueprints
        from atomiton.store.object_address import object_address
    except ModuleNotFoundError as error:
        raise missing(error, "a store of objects", "cloud") from error
    return ObjectBlueprints(*object_address(url, "s3://bucket/blueprints"))
