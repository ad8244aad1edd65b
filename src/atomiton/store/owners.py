"""Who is alive, told by the operating system.

An owner is one open journal. It holds an advisory lock on a small file for as long as it lives;
when its process dies in whatever way, the system drops the lock. No clock, no heartbeat. An owner's
id is never used twice, so whoever was found dead stays dead.
"""

from __future__ import annotations

import os
import secrets
import sys
import weakref
from pathlib import Path

from atomiton.errors import StoreError

if sys.platform == "win32":
    import msvcrt

    def try_lock(fd: int, *, shared: bool) -> bool:  # noqa: ARG001 - Windows knows one kind only
        """Lock a file of the process, if nobody else has it locked."""
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(fd: int, *, shared: bool) -> bool:
        """Lock an opening of a file, if no other has it locked."""
        # flock and not lockf: the lock belongs to this opening of the file, so two journals of
        # one process exclude each other, and closing a third opening does not drop it.
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_held: weakref.WeakSet[OwnerLock] = weakref.WeakSet()


class OwnerLock:
    """This journal's proof of life: a locked file beside the database.

    Attributes:
        owner: Id of the owner.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd = -1
        self.owner = ""

    def take(self) -> None:
        """Create the file under a new id and lock it."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            while not self._try_take():
                pass
        except OSError as error:
            raise StoreError(
                f"cannot lock a file in {self._folder}: {error.strerror}; the store needs a "
                "writable folder on a file system with advisory locks"
            ) from error
        _held.add(self)

    def _try_take(self) -> bool:
        owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        path = lock_path(self._folder, owner)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # A sweep may have removed the file before the lock was taken: then take another.
            kept = try_lock(fd, shared=False) and path.exists()
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        if not kept:
            os.close(fd)
            return False
        self._fd, self.owner = fd, owner
        return True

    def drop(self) -> None:
        """Remove the file and with it the proof."""
        if self._fd < 0:
            return
        if sys.platform != "win32":
            lock_path(self._folder, self.owner).unlink(missing_ok=True)
        self.forget()
        if sys.platform == "win32":
            lock_path(self._folder, self.owner).unlink(missing_ok=True)

    def forget(self) -> None:
        """Close the file without removing it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _forget_in_child() -> None:
    # A forked child shares the opening of the file: it would keep a dead parent looking alive.
    for lock in list(_held):
        lock.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def lock_path(folder: Path, owner: str) -> Path:
    """Give the place of an owner's lock file."""
    return folder / f"{owner}.lock"


def is_alive(folder: Path, owner: str) -> bool:
    """Tell whether an owner lives: its file is there and locked by somebody."""
    try:
        fd = os.open(lock_path(folder, owner), os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        # It exists but may not be opened (another user's): to take its runs would be worse.
        return True
    try:
        return not try_lock(fd, shared=True)
    finally:
        os.close(fd)


def sweep(folder: Path, known: set[str]) -> None:
    """Remove lock files of dead owners that no table knows: left by a death at start-up."""
    for path in folder.glob("*.lock"):
        if path.stem not in known and not is_alive(folder, path.stem):
            path.unlink(missing_ok=True)
