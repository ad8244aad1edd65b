"""From an address to a store."""

from __future__ import annotations

from pathlib import Path

from atomiton.errors import StoreError
from atomiton.ports.journal import Journal
from atomiton.store.memory import MemoryJournal


def default_path() -> Path:
    """Give the place of the store when none is named: ``runs.db`` in the user's data folder."""
    # Imported here because most callers name their store, and start-up time is a promise.
    import platformdirs

    return Path(platformdirs.user_data_dir("atomiton", appauthor=False)) / "runs.db"


def open_journal(url: str = "") -> Journal:
    """Make the store that an address names; ``await journal.open()`` makes it ready.

    Args:
        url: ``memory:``, ``sqlite:PATH`` or a plain path; empty for the default place.

    Raises:
        StoreError: The address names a kind of store that does not exist, or no file.

    Example:
        >>> type(open_journal("memory:")).__name__
        'MemoryJournal'
    """
    if url == "memory:":
        return MemoryJournal()
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "sqlite":
        # sqlite:///absolute/path is what other tools write; it means the same here.
        path = rest[2:] if rest.startswith("///") else rest
    elif colon and len(scheme) > 1 and scheme.isalpha() and scheme.islower():
        raise StoreError(
            f"there is no kind of store {scheme!r}; use memory:, sqlite:PATH or a path"
        )
    else:
        path = url
    if path == ":memory:":
        raise StoreError(f"store {url}: use memory: to keep runs in memory only")
    if "\0" in path:
        raise StoreError(f"store {path!r}: the path holds a NUL character")
    # Imported here so that SQLite is loaded only by those who use it.
    from atomiton.store.sqlite import SqliteJournal

    place = Path(path).expanduser() if path else default_path()
    if not place.name:  # the root of a disk, or the current folder
        raise StoreError(f"store {place}: this is a folder; name a file inside it")
    return SqliteJournal(place)
