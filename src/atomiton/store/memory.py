"""Runs kept in this process, for runs that need not outlive it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

import msgspec

from atomiton.errors import AtomitonError, NotFound, RunBusy, StoreError
from atomiton.ports.journal import Record, RunHeader, StatusChange
from atomiton.store.records import whole


class _Run:
    __slots__ = ("header", "messages", "owned", "records", "wake_at")

    def __init__(self, header: RunHeader, records: Sequence[Record]) -> None:
        self.header = header
        self.records = [whole(record) for record in records]
        self.messages: list[bytes] = []
        self.owned = header.ended_at is None
        self.wake_at: float | None = None


class MemoryJournal:
    """A ``Journal`` in memory.

    Args:
        keep: How many ended runs to keep; the ones that ended first are forgotten, so that memory
            does not grow with the number of runs.
    """

    def __init__(self, *, keep: int = 1000) -> None:
        self._keep = keep
        self._runs: dict[str, _Run] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._ended: dict[str, None] = {}
        self._blueprints: dict[str, bytes] = {}
        self._open = False

    @property
    def owner(self) -> str:
        """Id of this journal as an owner of runs."""
        return "memory"

    async def open(self) -> None:
        """Make the store ready."""
        self._open = True

    async def close(self) -> None:
        """Give up every run; what was stored stays readable until the journal is gone."""
        self._open = False
        for run in self._runs.values():
            run.owned = False

    async def save_blueprint(self, digest: str, document: bytes) -> None:
        """Keep a blueprint's canonical JSON under its content hash."""
        self._check_open()
        self._blueprints.setdefault(digest, document)

    async def load_blueprint(self, digest: str) -> bytes:
        """Give the document back."""
        try:
            return self._blueprints[digest]
        except KeyError:
            raise NotFound(f"there is no blueprint with the hash {digest}") from None

    async def create(
        self,
        header: RunHeader,
        records: Sequence[Record],
        *,
        sync: bool,  # noqa: ARG002 - memory has no disk to wait for
    ) -> str:
        """Store a new run with its first records, owned by this process."""
        self._check_open()
        run = header.run
        if header.key is not None:
            key = (header.blueprint, header.key)
            existing = self._keys.get(key)
            if existing is not None:
                return existing
            if run not in self._runs:
                self._keys[key] = run
        if run in self._runs:
            raise StoreError(f"run {run} exists already")
        self._runs[run] = entry = _Run(msgspec.structs.replace(header), records)
        if not entry.owned:
            self._retire(run)
        return run

    async def append(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
        *,
        sync: bool,  # noqa: ARG002 - memory has no disk to wait for
    ) -> None:
        """Add records ``after + 1 ...``, all or none, with the status they lead to."""
        self._append(run, after, records, change)

    def append_now(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
    ) -> bool:
        """Do what ``append`` does, if it can be done."""
        try:
            self._append(run, after, records, change)
        except AtomitonError:
            return False
        return True

    def _append(
        self, run: str, after: int, records: Sequence[Record], change: StatusChange | None
    ) -> None:
        entry = self._runs.get(run)
        if entry is None or not entry.owned:
            self._check_open()
            self._find(run)
            raise RunBusy(f"run {run} is not owned by this process; claim it first")
        if len(entry.records) != after:
            raise StoreError(
                f"run {run}: records were to follow record {after}, "
                f"but the last one stored is {len(entry.records)}"
            )
        entry.records.extend(map(whole, records))
        if change is not None:
            header = entry.header
            header.status = change.status
            header.ended_at = change.ended_at
            header.reason = change.reason
            header.error_code = change.error_code
            header.error_message = change.error_message
            if change.ended_at is not None:
                entry.owned = False
                self._retire(run)

    async def read(self, run: str, after: int = 0, limit: int | None = None) -> list[bytes]:
        """Give the records ``after + 1 ...`` in order."""
        stop = None if limit is None else after + limit
        return self._find(run).records[after:stop]

    async def header(self, run: str) -> RunHeader:
        """Give one run's header."""
        return self._header(self._find(run))

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[RunHeader]:
        """Give headers, newest first."""
        found = sorted(
            (
                run
                for run, entry in self._runs.items()
                if (before is None or run < before)
                and (status is None or entry.header.status == status)
                and (blueprint is None or entry.header.blueprint == blueprint)
            ),
            reverse=True,
        )
        return [self._header(self._runs[run]) for run in found[:limit]]

    async def claim(self, run: str) -> bool:
        """Become the owner of a run; nobody else can own one here."""
        self._check_open()
        entry = self._find(run)
        entry.owned, entry.wake_at = True, None
        self._ended.pop(run, None)
        return True

    async def release(self, run: str) -> None:
        """Give up ownership of a run."""
        entry = self._runs.get(run)
        if entry is not None and entry.owned:
            entry.owned = False
            if entry.header.ended_at is not None:
                self._retire(run)

    async def abandoned(self, limit: int = 1000) -> builtins.list[str]:
        """Ids of unfinished runs that nobody owns, oldest first."""
        return sorted(
            run
            for run, entry in self._runs.items()
            if not entry.owned and entry.header.ended_at is None and entry.wake_at is None
        )[:limit]

    async def park(self, run: str, wake_at: float) -> bool:
        """Let a run that waits rest, unless somebody has just left it a message."""
        entry = self._runs.get(run)
        if entry is None or not entry.owned:
            raise RunBusy(f"run {run} is not owned by this process; claim it first")
        if entry.messages:
            return False
        entry.owned, entry.wake_at = False, wake_at
        return True

    async def due(self, now: float, limit: int = 1000) -> builtins.list[str]:
        """Ids of parked runs whose moment has come, the longest due first."""
        due = [
            (entry.wake_at, run)
            for run, entry in self._runs.items()
            if entry.wake_at is not None and entry.wake_at <= now
        ]
        return [run for _, run in sorted(due)][:limit]

    async def post(self, run: str, message: bytes) -> None:
        """Leave a message for a run's owner."""
        self._check_open()
        self._find(run).messages.append(message)

    async def take_messages(self, run: str) -> builtins.list[bytes]:
        """Take the messages left for a run, oldest first, each once."""
        entry = self._find(run)
        if not entry.owned:
            raise RunBusy(f"run {run} is not owned by this process; claim it first")
        taken, entry.messages = entry.messages, []
        return taken

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError("the store is not open")

    def _find(self, run: str) -> _Run:
        try:
            return self._runs[run]
        except KeyError:
            raise NotFound(f"there is no run {run}") from None

    def _header(self, entry: _Run) -> RunHeader:
        return msgspec.structs.replace(
            entry.header,
            events=len(entry.records),
            owner=self.owner if entry.owned else None,
        )

    def _retire(self, run: str) -> None:
        self._ended[run] = None
        while len(self._ended) > self._keep:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            header = self._runs.pop(oldest).header
            if header.key is not None:
                self._keys.pop((header.blueprint, header.key), None)
