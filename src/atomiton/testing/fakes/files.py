"""Files of a test: a folder of its own, which no node can leave, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from atomiton.errors import NodeError
from atomiton.nodes.guard.arranging import Arranging
from atomiton.nodes.guard.files import FilesGuard

__all__ = ["FakeFiles"]

#: A folder held in memory, where the system has one.
_MEMORY = "/dev/shm"  # noqa: S108 - only ever used through ``mkdtemp``
#: Most bytes, and most files, that are taken from ``beside``.
_MOST_BYTES = 256 * 1024 * 1024
_MOST_FILES = 2000


class FakeFiles(Arranging, Mapping[str, bytes]):
    """``Files`` that hold what a test says, as a mapping from path to content.

    They are kept in a temporary folder (in memory, where the system has such a place), so that
    nodes which open a path by themselves find them too. Nothing outside of it can be reached.

    Args:
        content: Text or bytes by path.
        beside: A real folder that is looked into for what is not there: files found in it are
            copied when they, or the folder they are in, are first asked for. It is never written
            to.

    Example:
        >>> files = FakeFiles({"in/orders.csv": "id,total"})
        >>> files.text("in/orders.csv"), list(files)
        ('id,total', ['in/orders.csv'])
    """

    def __init__(
        self, content: Mapping[str, str | bytes] | None = None, *, beside: Path | None = None
    ) -> None:
        place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="atomiton-files-", dir=place)).resolve()
        self._remove = weakref.finalize(self, shutil.rmtree, str(self.folder), ignore_errors=True)
        self._guard = FilesGuard((self.folder,), self.folder)
        self._beside = beside.resolve() if beside is not None else None
        self._content = {path: _bytes(data) for path, data in (content or {}).items()}
        self._taking = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Hold what was there at first, and nothing else."""
        #: What was looked for beside, by its path there.
        self._asked: set[Path] = set()
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        for path, data in self._content.items():
            self[path] = data

    # -- as a mapping --------------------------------------------------------------------------

    def __getitem__(self, path: str) -> bytes:
        try:
            return self._guard.resolve(path).read_bytes()
        except OSError as error:
            raise KeyError(path) from error

    def __setitem__(self, path: str, data: str | bytes) -> None:
        place = self._guard.resolve(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(_bytes(data))

    def __iter__(self) -> Iterator[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return iter(sorted(path.relative_to(self.folder).as_posix() for path in found))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        """Show the paths."""
        return f"FakeFiles({list(self)})"

    def text(self, path: str) -> str:
        """The content of a file as UTF-8 text; ``KeyError`` if there is none."""
        return self[path].decode()

    # -- as a capability -----------------------------------------------------------------------

    def resolve(self, path: str) -> Path:
        """The place of a path in the folder of the test; ``NotAllowed`` when it leads out."""
        place = self._guard.resolve(self._inside(path))
        if self._beside is not None:
            source = self._beside / place.relative_to(self.folder)
            with self._taking:
                if source.is_dir():
                    self._take_folder(source)
                else:
                    self._take(source)
        return place

    def _take(self, source: Path) -> None:
        """Copy what lies beside the first time that it is asked for: the test may delete it."""
        assert self._beside is not None
        inner = source.relative_to(self._beside)
        place = self.folder / inner
        if inner in self._asked:
            return
        if source.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif source.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)
        self._asked.add(inner)

    def _take_folder(self, source: Path) -> None:
        """Copy a folder that is not too large, without hidden folders in it."""
        found = [source]
        size = 0
        for name, folders, names in os.walk(source):
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            inside = [Path(name, one) for one in (*folders, *names)]
            size += sum(path.stat().st_size for path in inside if path.is_file())
            found += inside
            if len(found) > _MOST_FILES or size > _MOST_BYTES:
                message = f"the folder {source.name!r} is too large for a test"
                hint = "give it the files that are needed"
                raise NodeError(f"{message}: {hint}", code="LIMIT_EXCEEDED")
        for path in found:
            self._take(path)

    async def read(self, path: str) -> bytes:
        """The content of a file; ``NodeError`` with code NOT_FOUND when there is none."""
        self.resolve(path)
        return await self._guard.read(self._inside(path))

    async def write(
        self, path: str, content: bytes, *, append: bool, overwrite: bool, create_folders: bool
    ) -> int:
        """Write a file so that it is whole or not there; returns its size in bytes."""
        self.resolve(path)
        return await self._guard.write(
            self._inside(path),
            content,
            append=append,
            overwrite=overwrite,
            create_folders=create_folders,
        )

    async def lines(self, path: str) -> AsyncIterator[str]:
        """The lines of a UTF-8 text file, without their ends."""
        self.resolve(path)
        async for line in self._guard.lines(self._inside(path)):
            yield line

    def _inside(self, path: str) -> str:
        """A path into ``beside`` is meant here."""
        if self._beside is not None and os.path.isabs(path):
            given = Path(os.path.normpath(path))
            if given.is_relative_to(self._beside):
                return str(self.folder / given.relative_to(self._beside))
        return path


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data
