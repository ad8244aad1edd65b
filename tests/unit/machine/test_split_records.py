"""Large values stand apart from the fact they belong to."""

from __future__ import annotations

import pytest

from atomiton.errors import StoreError
from atomiton.machine.events import AttemptCompleted, InputChanged, Paused, RunRequested
from atomiton.machine.records import LARGE, SPLIT, decode, encode, pieces

TEXT = "x" * (LARGE + 1)


@pytest.mark.parametrize(
    "fact",
    [
        AttemptCompleted(1.0, 0, 1, 1, {"content": TEXT, "size": LARGE}),
        RunRequested(1.0, "run_1", {"text": TEXT}, 7),
        InputChanged(1.0, 0, 2, {"text": TEXT}, "hook a.b", 1),
    ],
)
def test_a_large_value_is_read_back(fact: AttemptCompleted | RunRequested | InputChanged) -> None:
    record = pieces(fact)
    assert isinstance(record, tuple)
    head, body = record
    assert len(head) < 200 < len(body)
    assert decode(head + body) == fact


def test_the_same_value_of_two_facts_has_the_same_body() -> None:
    one, other = (
        pieces(AttemptCompleted(1.0, 0, 1, 1, TEXT)),
        pieces(AttemptCompleted(2.0, 0, 5, 3, TEXT)),
    )
    assert one[1] == other[1]
    assert one[0] != other[0]


def test_small_facts_and_those_without_a_value_stay_whole() -> None:
    small = AttemptCompleted(1.0, 0, 1, 1, "small")
    assert pieces(small) == encode(small)
    by = Paused(1.0, TEXT)
    assert pieces(by) == encode(by)


@pytest.mark.parametrize(
    "record",
    [
        SPLIT,
        SPLIT + b"\x00\x00\x00\x05abc",
        SPLIT + b"\x00\x00\x00\x01\xc0\xc0",
        SPLIT + len(encode(Paused(1.0))[1:]).to_bytes(4, "big") + encode(Paused(1.0))[1:] + b"\xc0",
        SPLIT
        + len(encode(RunRequested(1.0, "r", {}))[1:]).to_bytes(4, "big")
        + encode(RunRequested(1.0, "r", {}))[1:]
        + b"\xc0",
    ],
)
def test_a_damaged_split_record_is_refused(record: bytes) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        decode(record)
