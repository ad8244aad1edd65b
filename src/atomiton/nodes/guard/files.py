"""Files below the places the owner of the machine allows."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes.guard.arranging import Arranging
from atomiton.nodes.guard.disk import refusal, write_whole
from atomiton.nodes.guard.threads import in_thread

#: Up to this size a file is read or written on the event loop: a thread costs more than the disk.
SMALL = 64 * 1024
#: Largest file that is read as one value.
LARGEST = 1024 * 1024 * 1024


class FilesGuard(Arranging):
    """``Files`` of this machine.

    Args:
        roots: Folders that may be reached, with all they hold; None for anywhere. Links are
            followed before the check, so a link cannot lead out.
        base: What relative paths are relative to; the current folder by default.
    """

    def __init__(self, roots: Sequence[Path] | None = None, base: Path | None = None) -> None:
        self._roots = None if roots is None else tuple(root.resolve() for root in roots)
        self._base = base

    def resolve(self, path: str) -> Path:
        """The absolute place of a path; ``NotAllowed`` when it is outside the allowed roots."""
        if not path:
            raise NodeError("the path is empty", code="INVALID_INPUT")
        if "\0" in path:
            raise NodeError("the path holds a NUL character", code="INVALID_INPUT")
        place = Path(os.path.normpath((self._base or Path.cwd()) / Path(path).expanduser()))
        if self._roots is None:
            return place
        real = place.resolve()
        if not any(real.is_relative_to(root) for root in self._roots):
            raise NotAllowed(f"{path!r} is outside the folders this machine's owner allows")
        # The real place, not the name: a link exchanged after the check leads nowhere new.
        return real

    async def read(self, path: str) -> bytes:
        """The content of a file; ``NodeError`` with code NOT_FOUND when there is none."""
        place = self.resolve(path)
        try:
            size = place.stat().st_size  # one system call, no wait
            if size > LARGEST:
                raise NodeError(f"{path!r} has more than {LARGEST} bytes", code="LIMIT_EXCEEDED")
            # A device or pipe says 0 and may block for ever.
            if 0 < size <= SMALL:
                return place.read_bytes()
            return await in_thread(_read_at_most, place, path)
        except OSError as error:
            raise refusal(error, path) from error

    async def write(
        self, path: str, content: bytes, *, append: bool, overwrite: bool, create_folders: bool
    ) -> int:
        """Write a file so that it is whole or not there; returns its size in bytes."""
        place = self.resolve(path)

        def work() -> int:
            if create_folders:
                place.parent.mkdir(parents=True, exist_ok=True)
            if append:
                return _append(place, content)
            return write_whole(place, lambda temporary: temporary.write_bytes(content), overwrite)

        try:
            # A sync of the disk takes milliseconds: never on the event loop.
            return await in_thread(work)
        except FileNotFoundError as error:
            folder = str(place.parent)
            raise NodeError(f"there is no folder {folder!r}", code="NOT_FOUND") from error
        except OSError as error:
            raise refusal(error, path) from error

    async def lines(self, path: str) -> AsyncIterator[str]:
        """The lines of a UTF-8 text file, without their ends."""
        place = self.resolve(path)
        try:
            # Even to open a pipe may take for ever; and reading goes in portions.
            stream = await in_thread(lambda: place.open(encoding="utf-8-sig"))
            with stream:
                while portion := await in_thread(stream.readlines, 1 << 20):
                    for line in portion:
                        yield line.removesuffix("\n")
        except UnicodeDecodeError as error:
            raise NodeError(f"{path!r} is not UTF-8 text: {error}", code="INVALID_INPUT") from None
        except OSError as error:
            raise refusal(error, path) from error


def _read_at_most(place: Path, path: str) -> bytes:
    """Read a file in portions: one without a size may never end."""
    content = bytearray()
    with place.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size:
            return stream.read()
        while portion := stream.read(1 << 20):
            content += portion
            if len(content) > LARGEST:
                raise NodeError(f"{path!r} has more than {LARGEST} bytes", code="LIMIT_EXCEEDED")
    return bytes(content)


def _append(place: Path, content: bytes) -> int:
    with place.open("ab") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
        return stream.tell()
