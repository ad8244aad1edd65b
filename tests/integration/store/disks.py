"""Disks that remember, lie and fail: SQLite's own calls to its files, seen and bent.

``RecordingDisk`` writes down every call; from that, ``image`` makes what a disk may hold after the
power has gone at any of them. ``FailingDisk`` lets chosen calls fail.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import apsw

#: What a disk writes whole or not at all, in bytes.
SECTOR = 512
_NAMES = itertools.count()


class Call(NamedTuple):
    """What SQLite asked of a file, or (``ack``) what somebody was promised by then."""

    kind: str  # open, write, truncate, sync, delete, ack
    file: str
    offset: int = 0
    data: bytes = b""
    said: object = None


class RecordingDisk(apsw.VFS):
    """Passes everything on, and writes down what changes a file.

    Args:
        lies: Tells for the name of a file whether its syncs are only pretended.

    Attributes:
        calls: All so far, in order.
    """

    def __init__(self, lies: Callable[[str], bool] = lambda _: False) -> None:
        self.base = apsw.vfs_names()[0]
        super().__init__(f"recording{next(_NAMES)}", self.base, makedefault=1)
        self.calls: list[Call] = []
        self.lies = lies
        self._lock = threading.Lock()

    def note(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)

    def ack(self, said: object) -> None:
        """Somebody has been promised something."""
        self.note(Call("ack", "", said=said))

    def xOpen(self, name, flags):  # noqa: N802 - as the library has it
        return _Recording(self, name, flags)

    def xDelete(self, name, sync_dir):  # noqa: N802
        super().xDelete(name, sync_dir)
        self.note(Call("delete", Path(name).name, offset=int(sync_dir)))


class _Recording(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        self.file = Path(name.filename() if hasattr(name, "filename") else name or "temp").name
        self.disk = disk
        super().__init__(disk.base, name, flags)
        disk.note(Call("open", self.file))

    def xWrite(self, data, offset):  # noqa: N802
        super().xWrite(data, offset)
        self.disk.note(Call("write", self.file, offset, bytes(data)))

    def xTruncate(self, size):  # noqa: N802
        super().xTruncate(size)
        self.disk.note(Call("truncate", self.file, size))

    def xSync(self, flags):  # noqa: N802
        super().xSync(flags)
        if not self.disk.lies(self.file):
            self.disk.note(Call("sync", self.file))


class _Platter:
    """A file on disk: what is certain, and what was asked for since."""

    def __init__(self) -> None:
        self.certain = bytearray()
        self.entered = False  # whether its name is in the folder for certain
        self.pending: list[Call] = []
        self.deleted = False

    def sync(self) -> None:
        for call in self.pending:
            apply(self.certain, call)
        self.pending.clear()


def apply(content: bytearray, call: Call) -> None:
    """Do to a content what a call asks for."""
    if call.kind == "truncate":
        if call.offset <= len(content):
            del content[call.offset :]
        else:
            content.extend(bytes(call.offset - len(content)))
        return
    end = call.offset + len(call.data)
    if end > len(content):
        content.extend(bytes(end - len(content)))
    content[call.offset : end] = call.data


def image(calls: list[Call], until: int, draw: Random) -> dict[str, bytes]:
    """Draw what a disk may hold when the power goes after so many calls.

    What was synced is there. Of everything later each file keeps nothing, all, a beginning, or any
    part, in which the last sectors of a write may be torn off, or single ones lost.

    Returns:
        The files by name; memory shared between processes is no file that survives.
    """
    platters: dict[str, _Platter] = {}
    for call in calls[:until]:
        if call.kind == "ack" or call.file.endswith("-shm"):
            continue
        platter = platters.setdefault(call.file, _Platter())
        if call.kind == "open":
            platter.deleted = False
        elif call.kind == "delete":
            if call.offset:  # the folder was synced with it
                del platters[call.file]
            else:
                platter.deleted = True
        elif call.kind == "sync":
            platter.sync()
            if call.file.endswith(("-wal", "-journal")):
                # The first sync of a log that was made also syncs the folder, and all names in it.
                for other in platters.values():
                    other.entered = True
            platter.entered = platter.entered or not call.file.endswith(("-wal", "-journal"))
        else:
            platter.pending.append(call)
    return {name: bytes(kept) for name, platter in platters.items()
            if (kept := _kept(platter, draw)) is not None}  # fmt: skip


def _kept(platter: _Platter, draw: Random) -> bytearray | None:
    if platter.deleted and draw.random() < 0.5:
        return None
    if not platter.entered and draw.random() < 0.5:
        return None
    content = bytearray(platter.certain)
    pending = platter.pending
    how = draw.choice(("nothing", "all", "beginning", "any", "torn"))
    if how == "nothing":
        pending = []
    elif how == "beginning":
        pending = pending[: draw.randint(0, len(pending))]
    for call in pending:
        if how in ("any", "torn") and draw.random() < 0.5:
            continue
        for part in _torn(call, draw) if how == "torn" else [call]:
            apply(content, part)
    return content


def _torn(call: Call, draw: Random) -> Iterator[Call]:
    if call.kind != "write":
        yield call
        return
    ends = range(0, len(call.data), SECTOR)
    cut = draw.choice(("end", "any"))
    stop = draw.randint(0, len(ends))
    for number, start in enumerate(ends):
        if (number < stop) if cut == "end" else draw.random() < 0.7:
            yield Call("write", call.file, call.offset + start, call.data[start : start + SECTOR])


#: Calls that can fail, and how SQLite is told of it.
FAILURES = {"EIO": apsw.IOError, "ENOSPC": apsw.FullError}
_FULL_AT = ("write", "truncate", "sync")


class FailingDisk(apsw.VFS):
    """Passes everything on, but for calls that are to fail.

    Attributes:
        count: Calls so far.
        fails_at: Number of the call that fails, once.
        failure: ``EIO``, or ``ENOSPC``, which only calls that need space can fail with.
        failed: The kind of call that has failed; None while none has.
    """

    def __init__(self) -> None:
        self.base = apsw.vfs_names()[0]
        super().__init__(f"failing{next(_NAMES)}", self.base, makedefault=1)
        self.count = 0
        self.fails_at: int | None = None
        self.failure = "EIO"
        self.failed: str | None = None
        self._lock = threading.Lock()

    def meet(self, kind: str) -> None:
        if self.failure == "ENOSPC" and kind not in _FULL_AT:
            return
        with self._lock:
            number, self.count = self.count, self.count + 1
        if number == self.fails_at:
            self.failed = kind
            raise FAILURES[self.failure]

    def xOpen(self, name, flags):  # noqa: N802
        self.meet("open")
        return _Failing(self, name, flags)

    def xDelete(self, name, sync_dir):  # noqa: N802
        self.meet("delete")
        super().xDelete(name, sync_dir)

    def xAccess(self, name, flags):  # noqa: N802
        self.meet("access")
        return super().xAccess(name, flags)


class _Failing(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        super().__init__(disk.base, name, flags)
        self.disk = disk

    def xRead(self, amount, offset):  # noqa: N802
        self.disk.meet("read")
        return super().xRead(amount, offset)

    def xWrite(self, data, offset):  # noqa: N802
        self.disk.meet("write")
        super().xWrite(data, offset)

    def xTruncate(self, size):  # noqa: N802
        self.disk.meet("truncate")
        super().xTruncate(size)

    def xSync(self, flags):  # noqa: N802
        self.disk.meet("sync")
        super().xSync(flags)

    def xFileSize(self):  # noqa: N802
        self.disk.meet("size")
        return super().xFileSize()

    def xLock(self, level):  # noqa: N802
        self.disk.meet("lock")
        super().xLock(level)
