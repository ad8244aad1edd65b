"""Facts as bytes: what is refused."""

from __future__ import annotations

import contextlib
from random import Random

import pytest

from atomiton.errors import StoreError
from atomiton.machine.events import AttemptCompleted, Paused, RunRequested
from atomiton.machine.records import VERSION, decode, encode

COMPLETED = encode(AttemptCompleted(1.0, 0, 1, 1, None))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"", "version \\?"),
        (b"\x09" + COMPLETED[1:], "version 9 was written by a later"),
        (b"\xff", "version 255"),
        (VERSION, "cannot be read"),
        (VERSION + b"\x93\x01\x02\x03", "cannot be read"),
        (COMPLETED[:-1], "cannot be read"),
        (COMPLETED + b"\x00", "cannot be read"),
        (COMPLETED.replace(b"attempt_completed", b"attempt_forgotten"), "cannot be read"),
        (COMPLETED[:-1] + b"\xa2\xff\xfe", "cannot be read"),  # text that is no UTF-8
        (COMPLETED[:-1] + b"\x91" * 100_000 + b"\xc0", "cannot be read"),  # nested too deep
    ],
)
def test_what_is_no_record_is_refused(record: bytes, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        decode(record)


def test_damage_is_read_or_refused_but_never_anything_else() -> None:
    draw = Random(1)
    records = [COMPLETED, encode(RunRequested(1.0, "r", {"é": ["ü", b"x", 1.5]}, 3))]
    for _ in range(20_000):
        record = bytearray(draw.choice(records))
        for _ in range(draw.randint(1, 4)):
            record[draw.randrange(len(record))] = draw.randrange(256)
        with contextlib.suppress(StoreError):
            decode(bytes(record))


def test_a_field_of_a_later_release_is_left_alone() -> None:
    import msgspec

    fields = {"type": "paused", "time": 1.0, "by": "x", "because": "later"}
    assert decode(VERSION + msgspec.msgpack.encode(fields)) == Paused(1.0, "x")


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        encode(AttemptCompleted(1.0, 0, 1, 1, 2**64))
