"""From an address to a store of blueprints."""

from __future__ import annotations

from pathlib import Path

from atomiton.errors import StoreError
from atomiton.ports.blueprints import BlueprintStore


def create_storage(url: str) -> BlueprintStore:
    """Make the store of blueprints that an address names; ``async with`` opens and closes it.

    Args:
        url: ``memory:``, or ``sqlite:PATH``, which may be the file that holds runs as well.

    Raises:
        StoreError: The address names a kind of store that does not exist, or no place.

    Example:
        >>> async def main() -> None:
        ...     async with create_storage("sqlite:blueprints.db") as storage:
        ...         saved = await storage.save(text)
        ...         await storage.save(changed, expected=saved.etag)
    """
    scheme, colon, rest = url.partition(":")
    if "\0" in url:
        raise StoreError(f"store {url!r}: the address holds a NUL character")
    if url == "memory:":
        from atomiton.store.blueprints.memory import MemoryBlueprints

        return MemoryBlueprints()
    if colon and scheme == "sqlite":
        from atomiton.store.blueprints.sqlite import SqliteBlueprints

        # sqlite:///absolute/path is what other tools write; it means the same here.
        path = rest[2:] if rest.startswith("///") else rest
        if not path or path == ":memory:" or not Path(path).name:
            raise StoreError(f"store {url}: name a file, as in sqlite:blueprints.db")
        return SqliteBlueprints(Path(path).expanduser())
    raise StoreError(f"there is no kind of store {url!r}; use memory: or sqlite:PATH")
