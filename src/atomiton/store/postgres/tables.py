"""What is written, in batches: the additions of many runs by one statement each.

Only what an owner knows for sure is checked here: which runs it owns, and how far each one is. The
owner's own row, which every batch changes first, makes sure that this is still true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from atomiton.errors import NotFound, RunBusy, StoreError
from atomiton.ports.journal import Record, RunHeader, StatusChange
from atomiton.store.postgres.identity import Fenced, Identity, alive
from atomiton.store.records import LARGE, checksum, content_hash

if TYPE_CHECKING:
    from atomiton.store.postgres.server import Connection

_FENCE = """
UPDATE owners SET batch = $2::bigint + 1 WHERE owner = $1 AND batch = $2 RETURNING 1
"""
_ADD = """
added AS (
    INSERT INTO records (run, seq, checksum, data, blob)
    SELECT * FROM unnest($3::text[], $4::int[], $5::bigint[], $6::bytea[], $7::bytea[])
    WHERE EXISTS (SELECT FROM fence)
), changed AS (
    UPDATE runs SET status = c.status, ended_at = c.ended_at, reason = c.reason,
        error_code = c.error_code, error_message = c.error_message,
        owner = CASE WHEN c.ended_at IS NULL THEN $1 END
    FROM unnest($8::text[], $9::text[], $10::float8[], $11::text[], $12::text[], $13::text[])
        AS c (run, status, ended_at, reason, error_code, error_message)
    WHERE runs.run = c.run AND EXISTS (SELECT FROM fence)
)
SELECT count(*) FROM fence
"""
#: Everything that a batch of appends does, as one statement and so its own transaction.
_ADD_FENCED = f"WITH fence AS ({_FENCE}), {_ADD}"
#: The same inside a transaction that has passed the fence already.
_ADD_INSIDE = f"WITH fence AS (SELECT $1::text, $2::bigint), {_ADD}"

_CREATE = """
INSERT INTO runs (run, blueprint, version, blueprint_hash, status, created_at, ended_at, key,
                  reason, owner, error_code, error_message)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[],
    $7::float8[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
ON CONFLICT DO NOTHING RETURNING run
"""
_CLAIM = """
UPDATE runs SET owner = $2, wake_at = NULL WHERE run = (
    SELECT run FROM runs WHERE run = $1 AND owner IS NOT DISTINCT FROM $3
    FOR UPDATE SKIP LOCKED
) RETURNING (SELECT coalesce(max(seq), 0) FROM records WHERE records.run = runs.run)
"""
_UNTEXT = re.compile("[\0\ud800-\udfff]")

_Row = tuple[str, int, int, bytes | None, bytes | None]


class Adding(msgspec.Struct, frozen=True):
    """Records to add to a run that is owned here, with the status they lead to."""

    run: str
    after: int
    records: Sequence[Record]
    change: StatusChange | None


class Creating(msgspec.Struct, frozen=True):
    """A run to enter, with its first records."""

    header: RunHeader
    records: Sequence[Record]


class Tables:
    """The writing side of the store; one batch at a time.

    Args:
        identity: This owner.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self.batch = 0
        #: Runs owned here, with the number of each one's last record.
        self.last: dict[str, int] = {}
        #: Runs owned here that may have messages.
        self.inbox: set[str] = set()
        self._undo: dict[str, int | None] = {}
        self._rows: list[_Row] = []
        self._blobs: dict[bytes, bytes] = {}
        self._changes: dict[str, StatusChange] = {}
        self._fenced = False

    def begin(self) -> None:
        """Start a batch: nothing of it is written, nothing of it known."""
        self._undo.clear()
        self._rows.clear()
        self._blobs.clear()
        self._changes.clear()
        self._fenced = False

    def committed(self) -> None:
        """Note that the batch stands."""
        self.batch += 1
        self.begin()

    def rolled_back(self) -> None:
        """Go back to what was known before the batch."""
        for run, last in self._undo.items():
            self._set(run, last)
        self.begin()

    def forget(self) -> None:
        """Own nothing any more."""
        self.last.clear()
        self.inbox.clear()
        self.batch = 0
        self.begin()

    @property
    def staged(self) -> bool:
        """Whether something waits to be flushed."""
        return bool(self._rows or self._changes)

    async def fence(self, connection: Connection) -> None:
        """Make sure, until the transaction ends, that this owner may write; count the batch."""
        if not self._fenced:
            if not await connection.fetchval(_FENCE, self._identity.owner, self.batch):
                raise _fenced()
            self._fenced = True

    def stage(self, adding: Adding) -> None:
        """Take up additions; ``KeyError`` if the run is not owned here."""
        last = self.last[adding.run]
        if last != adding.after:
            raise StoreError(
                f"run {adding.run}: records were to follow record {adding.after}, "
                f"but the last one stored is {last}"
            )
        self._take(adding.run, adding.after, adding.records)
        ended = adding.change is not None and adding.change.ended_at is not None
        self._own(adding.run, None if ended else adding.after + len(adding.records))
        if adding.change is not None:
            self._changes[adding.run] = adding.change

    async def flush(self, connection: Connection) -> None:
        """Write what was staged; by itself if no transaction is open."""
        if not self.staged:
            return
        inside = connection.is_in_transaction()
        if self._blobs:
            assert inside  # see needs_transaction
            await connection.execute(
                "INSERT INTO blobs (hash, size, data) SELECT hash, length(data), data "
                "FROM unnest($1::bytea[], $2::bytea[]) AS b (hash, data) ON CONFLICT DO NOTHING",
                list(self._blobs),
                list(self._blobs.values()),
            )
        if inside:
            await self.fence(connection)
        changes = sorted(self._changes.items())
        found = await connection.fetchval(
            _ADD_INSIDE if inside else _ADD_FENCED,
            self._identity.owner,
            self.batch,
            *_columns(self._rows, 5),
            [run for run, _ in changes],
            [change.status for _, change in changes],
            [change.ended_at for _, change in changes],
            [_text(change.reason) for _, change in changes],
            [_text(change.error_code) for _, change in changes],
            [_text(change.error_message) for _, change in changes],
        )
        if not found:
            raise _fenced()
        self._rows.clear()
        self._blobs.clear()
        self._changes.clear()

    @property
    def needs_transaction(self) -> bool:
        """Whether what was staged takes more than one statement."""
        return bool(self._blobs)

    async def create(
        self, connection: Connection, created: Sequence[Creating]
    ) -> list[str | StoreError]:
        """Enter runs; gives each one's id, or that of the one that has its key."""
        await self.fence(connection)
        owner = self._identity.owner
        rows = [_run_row(one.header, owner) for one in created]
        found = {str(row[0]) for row in await connection.fetch(_CREATE, *_columns(rows, 12))}
        outcomes: list[str | StoreError] = []
        for one in created:
            run = one.header.run
            if run in found:
                found.discard(run)  # a second one of this id is refused
                self._take(run, 0, one.records)
                if one.header.ended_at is None:
                    self._own(run, len(one.records))
                outcomes.append(run)
                continue
            earlier = await connection.fetchval(
                "SELECT run FROM runs WHERE blueprint = $1 AND key = $2",
                one.header.blueprint,
                one.header.key,
            )
            outcomes.append(earlier or StoreError(f"run {run} exists already"))
        return outcomes

    async def save_blueprint(self, connection: Connection, digest: str, document: bytes) -> None:
        """Keep a document under its hash."""
        await connection.execute(
            "INSERT INTO blueprints (hash, document) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            digest,
            document,
        )

    async def claim(self, connection: Connection, run: str) -> bool:
        """Take a run whose owner is nobody or dead."""
        if run in self.last:
            return True
        await self.fence(connection)
        found = await connection.fetchrow("SELECT owner FROM runs WHERE run = $1", run)
        if found is None:
            raise NotFound(f"there is no run {run}")
        owner = found[0]
        if owner is not None:
            if owner in await alive(connection):
                return False
            # From here on it may not write: whoever it is has to come back as somebody else.
            await connection.execute("DELETE FROM owners WHERE owner = $1", owner)
        last = await connection.fetchval(_CLAIM, run, self._identity.owner, owner)
        if last is None:
            return False
        self._own(run, int(last))
        self.inbox.add(run)
        return True

    async def release(self, connection: Connection, runs: Sequence[str]) -> None:
        """Give up runs."""
        owned = [run for run in runs if run in self.last]
        if owned:
            await self.fence(connection)
            await connection.execute(
                "UPDATE runs SET owner = NULL WHERE run = ANY($1::text[]) AND owner = $2",
                owned,
                self._identity.owner,
            )
            for run in owned:
                self._own(run, None)

    async def park(self, connection: Connection, run: str, wake_at: float) -> bool:
        """Give up a run that waits, unless somebody has just left it a message."""
        if run not in self.last:
            raise await self.not_owned(connection, run)
        await self.fence(connection)
        # Whoever leaves a message holds the row as well: it is there before, or finds it parked.
        await connection.execute("SELECT 1 FROM runs WHERE run = $1 FOR UPDATE", run)
        if await connection.fetchval("SELECT 1 FROM messages WHERE run = $1 LIMIT 1", run):
            self.inbox.add(run)
            return False
        await connection.execute(
            "UPDATE runs SET owner = NULL, wake_at = $2 WHERE run = $1", run, wake_at
        )
        self._own(run, None)
        return True

    async def post(self, connection: Connection, run: str, message: bytes) -> None:
        """Leave a message."""
        if not await connection.fetchval("SELECT 1 FROM runs WHERE run = $1 FOR SHARE", run):
            raise NotFound(f"there is no run {run}")
        await connection.execute("INSERT INTO messages (run, data) VALUES ($1, $2)", run, message)
        self.inbox.add(run)

    async def take_messages(self, connection: Connection, run: str) -> list[bytes]:
        """Take the messages of a run."""
        if run not in self.last:
            raise await self.not_owned(connection, run)
        await self.fence(connection)
        rows = await connection.fetch("DELETE FROM messages WHERE run = $1 RETURNING id, data", run)
        self.inbox.discard(run)
        return [row["data"] for row in sorted(rows, key=lambda row: row["id"])]

    async def leave(self, connection: Connection) -> None:
        """Give up every run and be no owner any more."""
        owner = self._identity.owner
        await connection.execute("UPDATE runs SET owner = NULL WHERE owner = $1", owner)
        await connection.execute("DELETE FROM owners WHERE owner = $1", owner)
        # Others that died and left nothing behind.
        await connection.execute(
            "DELETE FROM owners AS o WHERE o.owner <> ALL($1::text[]) "
            "AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.owner = o.owner)",
            await alive(connection),
        )
        self.last.clear()

    async def not_owned(self, connection: Connection, run: str) -> StoreError | NotFound:
        """Say why a run cannot be written here."""
        found = await connection.fetchrow("SELECT owner FROM runs WHERE run = $1", run)
        if found is None:
            return NotFound(f"there is no run {run}")
        owner = found[0]
        if owner not in (None, self._identity.owner) and owner in await alive(connection):
            return RunBusy(f"run {run} is driven by another process ({owner})")
        return RunBusy(f"run {run} is not owned by this process; claim it first")

    def _take(self, run: str, after: int, records: Sequence[Record]) -> None:
        for seq, record in enumerate(records, after + 1):
            head, body = (b"", record) if isinstance(record, bytes) else record
            if len(body) > LARGE:
                name = content_hash(body)
                self._blobs[name] = body
                self._rows.append((run, seq, checksum(run, seq, head + name), head, name))
            else:
                data = head + body
                self._rows.append((run, seq, checksum(run, seq, data), data, None))

    def _own(self, run: str, last: int | None) -> None:
        if run not in self._undo:
            self._undo[run] = self.last.get(run)
        self._set(run, last)

    def _set(self, run: str, last: int | None) -> None:
        if last is None:
            self.last.pop(run, None)
            self.inbox.discard(run)
        else:
            self.last[run] = last


def _fenced() -> Fenced:
    return Fenced(
        "the server holds this process for dead, or has lost what it had stored; its runs go on "
        "from what is stored"
    )


def _run_row(header: RunHeader, owner: str) -> tuple[object, ...]:
    what = (header.run, header.blueprint, header.version, header.blueprint_hash, header.status)
    when = (header.created_at, header.ended_at, header.key, _text(header.reason))
    who = owner if header.ended_at is None else None
    return (*what, *when, who, _text(header.error_code), _text(header.error_message))


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _text(value: str | None) -> str | None:
    """Text that the server can hold; what is on record keeps every character."""
    return None if value is None else _UNTEXT.sub("\ufffd", value)
