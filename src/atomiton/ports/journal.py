"""What a store of runs must do.

A run is a sequence of numbered records, only ever added to. Records are opaque bytes here: their
meaning is the machine's. Everything else in ``RunHeader`` that changes (status, error) is an index
derived from the records and written in the same commit, so that listing is fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class RunHeader(msgspec.Struct, kw_only=True):
    """What a list of runs shows of one.

    Attributes:
        run: Id of the run; ids of later runs sort after those of earlier ones.
        blueprint: Id of the blueprint.
        version: The author's version of the blueprint.
        blueprint_hash: Content hash of the blueprint the run is pinned to.
        status: queued, running, waiting, paused, completed, failed or cancelled.
        created_at: Seconds since 1970, UTC.
        ended_at: Seconds since 1970, UTC; None while the run has not ended.
        events: Number of records stored.
        key: Idempotency key the run was started with.
        reason: Why the run waits or is flagged; None otherwise.
        owner: Id of the living process that drives the run; None when none does.
        error_code: Code of the error that ended the run.
        error_message: Message of that error.
    """

    run: str
    blueprint: str
    blueprint_hash: str
    created_at: float
    version: str = ""
    status: str = "running"
    ended_at: float | None = None
    events: int = 0
    key: str | None = None
    reason: str | None = None
    owner: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class StatusChange(msgspec.Struct, frozen=True):
    """The derived index of a run after an append; written in the same commit."""

    status: str
    ended_at: float | None = None
    reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None


Record = bytes | tuple[bytes, bytes]
"""A record to be stored: bytes, or a short head and a large body, read back as head + body.

A store keeps bodies by their hash, so that the same body is kept once however often it occurs.
"""

# Named here because the protocol has a method of the name ``list``.
Headers = list[RunHeader]
Records = list[bytes]
Ids = list[str]


class Journal(Protocol):
    """A store of runs and of the blueprints they are pinned to.

    Every method may raise ``StoreError``. Methods are called from one event loop; a store does its
    blocking work elsewhere. A run is driven by at most one living process at a time: its *owner*,
    the process that created or claimed it. Only the owner may append.
    """

    async def open(self) -> None:
        """Make the store ready: create it, or migrate an older one. Called once, first."""
        ...

    async def close(self) -> None:
        """Finish what was asked for, give up ownership of every run, free everything."""
        ...

    async def save_blueprint(self, digest: str, document: bytes) -> None:
        """Keep a blueprint's canonical JSON under its content hash; a known hash is left alone."""
        ...

    async def load_blueprint(self, digest: str) -> bytes:
        """Give the document back; ``NotFound`` if there is none."""
        ...

    async def create(self, header: RunHeader, records: Sequence[Record], *, sync: bool) -> str:
        """Store a new run with its first records, owned by this process.

        Args:
            header: ``header.key``, when given, is unique for the blueprint id: if a run with it
                exists, nothing is stored and that run's id is returned.
            records: First records, numbered from 1.
            sync: Return only when the run is on disk.

        Returns:
            The id of the run.
        """
        ...

    async def append(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
        *,
        sync: bool,
    ) -> None:
        """Add records ``after + 1 ...``, all or none, with the status they lead to.

        Args:
            run: Id of a run that this process owns.
            after: Number of the last record already stored; a mismatch is a ``StoreError``.
            records: What to add; may be empty when only the status changes.
            change: The derived index after these records.
            sync: Return only when they are on disk; otherwise as soon as they are accepted in
                order (they reach the disk soon, together with others).
        """
        ...

    def append_now(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
    ) -> bool:
        """Do what ``append`` with ``sync`` does before returning, if nothing speaks against it.

        Returns:
            Whether it is done. If not, nothing is, for whatever reason: ``append`` is the way,
            and raises what is wrong. A store may always say no.
        """
        ...

    async def read(self, run: str, after: int = 0, limit: int | None = None) -> Records:
        """Give the records ``after + 1 ...`` in order; damage is a ``StoreError`` naming it."""
        ...

    async def header(self, run: str) -> RunHeader:
        """Give one run's header; ``NotFound`` if there is none."""
        ...

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> Headers:
        """Give headers, newest first; ``before`` is the id of the last run already seen."""
        ...

    async def claim(self, run: str) -> bool:
        """Become the owner of an unfinished run; False if another living process owns it."""
        ...

    async def release(self, run: str) -> None:
        """Give up ownership, so that another process may claim the run."""
        ...

    async def park(self, run: str, wake_at: float) -> bool:
        """Let a run that waits rest: no process owns it, and it is not abandoned.

        Args:
            run: Id of a run that this process owns.
            wake_at: When it goes on by itself, seconds since 1970, UTC.

        Returns:
            False, with nothing changed, if somebody has left it a message.
        """
        ...

    async def due(self, now: float, limit: int = 1000) -> Ids:
        """Ids of parked runs whose moment has come, the longest due first."""
        ...

    async def abandoned(self, limit: int = 1000) -> Ids:
        """Ids of unfinished runs that no living process owns and that are not parked."""
        ...

    async def post(self, run: str, message: bytes) -> None:
        """Leave a message for a run's owner, whichever process that is (cancel, pause, ...)."""
        ...

    async def take_messages(self, run: str) -> Records:
        """Take the messages left for a run this process owns, oldest first, each once."""
        ...
