"""Files on a real disk: whole or not there, and its refusals as errors of nodes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from atomiton.errors import NodeError, NotAllowed


def refusal(error: OSError, path: str) -> NodeError:
    """The operating system's refusal, as the error of a node."""
    if isinstance(error, FileNotFoundError):
        return NodeError(f"there is no file {path!r}", code="NOT_FOUND")
    if isinstance(error, FileExistsError):
        return NodeError(f"{path!r} exists already", code="INVALID_INPUT")
    if isinstance(error, PermissionError):
        return NotAllowed(f"the system does not permit access to {path!r}")
    if isinstance(error, IsADirectoryError):
        return NodeError(f"{path!r} is a folder", code="INVALID_INPUT")
    if isinstance(error, NotADirectoryError):
        return NodeError(f"a part of {path!r} is not a folder", code="INVALID_INPUT")
    if error.errno == errno.ENAMETOOLONG:
        return NodeError(f"the name {path[:80]!r}... is too long", code="INVALID_INPUT")
    return NodeError(f"{path!r}: {error.strerror or error}", code="NODE_FAILED")


def write_whole(place: Path, fill: Callable[[Path], object], overwrite: bool) -> int:  # noqa: FBT001
    """Let ``fill`` write a temporary file beside ``place``, then put it there in one step.

    Args:
        place: Where the file is to be.
        fill: Writes the content to the path it is given.
        overwrite: Whether a file that is there is replaced.

    Returns:
        Size in bytes.

    Raises:
        FileExistsError: There is a file and it must not be replaced.
    """
    if place.is_dir():
        raise IsADirectoryError
    if not overwrite and place.exists():
        raise FileExistsError
    if place.exists() and not place.is_file():
        # A device or a pipe is written to; what replaced it would be an ordinary file.
        written = fill(place)
        return written if isinstance(written, int) else 0
    # Through a link, its target is replaced; beside the target, so the rename is one step.
    place = place.resolve()
    temporary = place.with_name(f".{place.name[:80]}.{os.urandom(6).hex()}.tmp")
    try:
        fill(temporary)
        if place.exists():
            temporary.chmod(place.stat().st_mode & 0o7777)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
            size = os.fstat(stream.fileno()).st_size
        if overwrite:
            temporary.replace(place)
        else:
            # A link, unlike a rename, fails when another file came in between.
            os.link(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(place.parent)
    return size


def _sync_folder(folder: Path) -> None:
    """Make a rename last; only possible where folders can be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
