"""A journal that kills its process at a chosen write, and what it leaves behind on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from atomiton.errors import StoreError
from atomiton.ports.journal import Record, RunHeader, StatusChange
from atomiton.store.memory import MemoryJournal

Again = Callable[[MemoryJournal], Awaitable[object]]


class Crash(SystemExit):
    """The process dies here: it leaves the event loop at once, and nothing else happens in it."""


class Place(msgspec.Struct, frozen=True):
    """Where a process dies.

    Attributes:
        write: Number of the write in its life, from 0.
        stored: Whether the write was stored before; its caller does not hear of it.
        lost: Whether what was not on disk for certain is lost as well, as with a power failure.
    """

    write: int
    stored: bool
    lost: bool = False


class Write(msgspec.Struct, frozen=True):
    """Something that was stored.

    Attributes:
        again: Stores it in another journal.
        records: How many records it added to the run.
        sync: Whether it, and all before it, are on disk for certain.
    """

    again: Again
    records: int
    sync: bool


class Disk:
    """What was stored, whichever process did it.

    Attributes:
        writes: In order.
    """

    def __init__(self) -> None:
        self.writes: list[Write] = []

    @property
    def records(self) -> int:
        """How many records of the run there are."""
        return sum(write.records for write in self.writes)

    @property
    def certain(self) -> int:
        """How many writes no power failure can take back."""
        ends = [number for number, write in enumerate(self.writes, 1) if write.sync]
        return ends[-1] if ends else 0

    def lose(self) -> None:
        """Lose what is not certain."""
        del self.writes[self.certain :]


class CrashingJournal(MemoryJournal):
    """A ``Journal`` on such a disk, for one life of a process.

    Args:
        disk: What was stored so far, and where what is stored goes.
        place: Where the process dies; None for nowhere.

    Attributes:
        count: How many writes there were in this life.
        last: First and last number of the records of the latest write.
        dead: Whether the process has died; then nothing can be written any more.
    """

    def __init__(self, disk: Disk, place: Place | None) -> None:
        super().__init__()
        self._disk = disk
        self._place = place
        self.count = 0
        self.last = (0, 0)
        self.dead = False

    async def open(self) -> None:
        """Find what was stored; nobody owns any run."""
        await super().open()
        for write in self._disk.writes:
            await write.again(self)
        await super().close()
        await super().open()

    async def save_blueprint(self, digest: str, document: bytes) -> None:
        """See ``Journal``."""

        def again(other: MemoryJournal) -> Awaitable[object]:
            return MemoryJournal.save_blueprint(other, digest, document)

        await self._write(Write(again, 0, sync=False), 0)

    async def create(self, header: RunHeader, records: Sequence[Record], *, sync: bool) -> str:
        """See ``Journal``."""
        # Copies: what is on disk does not change with what its writer still holds.
        of, kept = msgspec.structs.replace(header), list(records)

        def again(other: MemoryJournal) -> Awaitable[object]:
            return MemoryJournal.create(other, of, kept, sync=sync)

        return str(await self._write(Write(again, len(kept), sync), 0, new=header))

    async def append(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
        *,
        sync: bool,
    ) -> None:
        """See ``Journal``."""
        kept = list(records)

        def again(other: MemoryJournal) -> Awaitable[object]:
            return MemoryJournal.append(other, run, after, kept, change, sync=sync)

        await self._write(Write(again, len(kept), sync), after)

    def append_now(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
    ) -> bool:
        """Never: a write that can be died in takes a turn of the loop."""
        del run, after, records, change
        return False

    async def _write(self, write: Write, after: int, new: RunHeader | None = None) -> object:
        if self.dead:
            raise StoreError("the process that would write has died")
        number, self.count = self.count, self.count + 1
        self.last = (after + 1, after + write.records)
        self._die_at(number, stored=False)
        await asyncio.sleep(0)  # a real disk takes its time, and others go on meanwhile
        result = await write.again(self)
        if new is None or result == new.run:  # else its key is that of an earlier run
            self._disk.writes.append(write)
        self._die_at(number, stored=True)
        await asyncio.sleep(0)
        return result

    def _die_at(self, number: int, *, stored: bool) -> None:
        place = self._place
        if place is not None and (place.write, place.stored) == (number, stored):
            self.dead = True
            if place.lost:
                self._disk.lose()
            raise Crash
