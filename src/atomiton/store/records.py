"""What guards a stored record against damage."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from zlib import crc32

from atomiton.errors import StoreError
from atomiton.ports.journal import Record

#: Records above this size are stored by their hash, so that the same content is stored once.
LARGE = 256 * 1024


def whole(record: Record) -> bytes:
    """A record in one piece."""
    return record if isinstance(record, bytes) else record[0] + record[1]


def is_small(records: Sequence[Record], limit: int) -> bool:
    """Whether records together are no longer than a limit in bytes."""
    total = 0
    for record in records:
        total += len(record) if isinstance(record, bytes) else len(record[0]) + len(record[1])
    return total <= limit


def checksum(run: str, seq: int, content: bytes) -> int:
    """Sum up a record together with its place, so that a misplaced record is damage too."""
    return crc32(content, crc32(b"%s:%d:" % (run.encode(), seq)))


def content_hash(data: bytes) -> bytes:
    """Give the name under which a large content is stored."""
    return sha256(data).digest()


def verify(run: str, seq: int, stored: int, data: bytes | None, blob: bytes | None) -> None:
    """Check a record row: what it holds, inline or by hash, is what was written there.

    Raises:
        StoreError: Names the run and the number of the damaged record.
    """
    content = data if blob is None else (data or b"") + blob
    if not isinstance(content, bytes) or checksum(run, seq, content) != stored:
        raise damaged(run, seq, "its checksum does not match")


def damaged(run: str, seq: int, why: str) -> StoreError:
    """Make the error for a record that is not what was written."""
    return StoreError(
        f"run {run}: record {seq} is damaged: {why}", details={"run": run, "record": seq}
    )
