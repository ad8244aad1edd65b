"""Files in one folder: written whole or not at all, never through a link, never outside.

Every name is made here, of an id that was checked or of a number; nothing that a caller gives is
ever part of a path.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Generator
from pathlib import Path

from atomiton.blueprint.document import ID
from atomiton.errors import AtomitonError, StoreError
from atomiton.store.owners import try_lock

#: Longest file that is read: no blueprint may be longer.
MOST_BYTES = 1024 * 1024

_LOCK_SECONDS = 10.0
_SUFFIX = ".yaml"
#: Names that are devices on Windows, whatever follows them; a folder should move between systems.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))]
)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class Files:
    """The files of a store in a folder.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._hidden = root / ".atomiton"

    def prepare(self) -> None:
        """Create the folders, and remove what a crash has left half written.

        Raises:
            StoreError: The place is no folder, or not writable.
        """
        with self.explained():
            self.root.mkdir(parents=True, exist_ok=True)
            self._hidden.mkdir(exist_ok=True)
            self._check_hidden()
            with self.locked():
                for left in self._hidden.glob("*.part"):
                    left.unlink(missing_ok=True)

    def current(self, blueprint: str) -> Path:
        """Give the place of the text that the user sees; refuses names of devices."""
        if blueprint in _DEVICES:
            raise AtomitonError(
                f"'{blueprint}' is the name of a device on some systems; a folder cannot hold it",
                code="INVALID_INPUT",
            )
        return self.root / f"{blueprint}{_SUFFIX}"

    def index(self, blueprint: str) -> Path:
        """Give the place of what is known of the revisions."""
        return self._hidden / blueprint / "index.json"

    def revision(self, blueprint: str, number: int) -> Path:
        """Give the place of an earlier text."""
        return self._hidden / blueprint / f"{number:06}{_SUFFIX}"

    def ids(self) -> set[str]:
        """Give the ids of all that is there or was: of files that are ours by their names."""
        with self.explained():
            self._check_hidden()
            with os.scandir(self.root) as entries:
                there = {
                    entry.name.removesuffix(_SUFFIX)
                    for entry in entries
                    if entry.name.endswith(_SUFFIX) and entry.is_file(follow_symlinks=False)
                }
            with os.scandir(self._hidden) as entries:
                known = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
        return {name for name in there | known if ID.fullmatch(name) and name not in _DEVICES}

    def read(self, path: Path) -> tuple[bytes, float] | None:
        """Give a file's content and when it was changed; None if there is none.

        Raises:
            StoreError: It is a link, no ordinary file, or longer than any blueprint.
        """
        with self.explained():
            self._check_hidden(path.parent)
            try:
                fd = os.open(path, _READ)
            except FileNotFoundError:
                return None
            with os.fdopen(fd, "rb") as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode):
                    raise StoreError(f"{path} is no ordinary file")
                content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise StoreError(f"{path} is larger than 1 MiB; no blueprint is")
        return content, found.st_mtime

    def write(self, path: Path, content: bytes) -> None:
        """Put a file in its place, whole or not at all, also if the power fails."""
        with self.explained():
            path.parent.mkdir(exist_ok=True)
            self._check_hidden(path.parent)
            part = self._hidden / f"{secrets.token_hex(8)}.part"
            try:
                with os.fdopen(os.open(part, _CREATE, 0o666), "wb") as file:
                    with contextlib.suppress(FileNotFoundError):
                        # What the user has allowed for this file stays allowed.
                        os.chmod(part, stat.S_IMODE(os.lstat(path).st_mode))
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(part, path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)

    def remove(self, path: Path) -> None:
        """Take a file away."""
        with self.explained():
            path.unlink(missing_ok=True)
            _sync_folder(path.parent)

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Keep other processes from changing anything meanwhile."""
        with self.explained():
            self._check_hidden()
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            fd = os.open(self._hidden / "lock", flags, 0o600)
        try:
            deadline = time.monotonic() + _LOCK_SECONDS
            while not try_lock(fd, shared=False):
                if time.monotonic() > deadline:
                    raise StoreError(f"store {self.root}: another process keeps it locked")
                time.sleep(0.005)
            yield
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def explained(self) -> Generator[None]:
        """Say what a failure of the system means, and where it was."""
        try:
            yield
        except OSError as error:
            place = error.filename or self.root
            why = error.strerror or str(error)
            if os.path.islink(place):
                why = "it is a symbolic link, which is not followed"
            raise StoreError(f"store {self.root}: {place}: {why}") from error

    def _check_hidden(self, *more: Path) -> None:
        """Refuse folders of ours that somebody has replaced by links to elsewhere."""
        for folder in (self._hidden, *more):
            if folder != self.root and not stat.S_ISDIR(os.lstat(folder).st_mode):
                raise StoreError(f"store {self.root}: {folder} is not a folder; remove it")


def _sync_folder(folder: Path) -> None:
    # Some systems cannot open a folder; there the name is on disk as soon as it is to be.
    with contextlib.suppress(PermissionError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
