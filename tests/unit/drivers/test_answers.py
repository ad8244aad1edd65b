"""What a node raised, small enough to be stored and without secrets."""

from __future__ import annotations

import msgspec
import pytest

from atomiton.drivers.answers import blotted, error_info
from atomiton.drivers.trimming import MAX_DETAILS, MAX_MESSAGE
from atomiton.errors import NodeError

BIG = 3_000_000


def test_what_is_small_enough_is_unchanged() -> None:
    details = {"body": "y" * (MAX_DETAILS - 100), "status": 500}
    info = error_info(NodeError("é" * (MAX_MESSAGE // 2), details=details))
    assert info.message == "é" * (MAX_MESSAGE // 2)
    assert info.details == details


@pytest.mark.parametrize("char", ["x", "é", "😀", "\n"])
def test_a_long_message_is_cut_and_says_so(char: str) -> None:
    info = error_info(ValueError(char * BIG))
    kept, _, note = info.message.rpartition("\n")
    assert set(kept) == {char}
    missing = (BIG - len(kept)) * len(char.encode())
    assert note == f"[cut: {missing} bytes more]"
    assert MAX_MESSAGE - 4 < len(kept.encode()) <= MAX_MESSAGE


@pytest.mark.parametrize(
    "details",
    [
        {"status": 500, "stdout": "x" * BIG, "stderr": "é\n" * BIG, "code": [1, {"a": None}]},
        {"status": 500, "code": [1, {"a": None}], "deep": {"x": [{"y": "z" * BIG}, 2]}},
        {"status": 500, "code": [1, {"a": None}], "list": list(range(BIG // 5))},
        {"status": 500, "code": [1, {"a": None}], "map": {str(n): n for n in range(100_000)}},
        {"status": 500, "code": [1, {"a": None}], "bytes": b"x" * BIG},
    ],
    ids=["texts", "deep", "list", "map", "bytes"],
)
def test_long_details_are_cut_and_what_is_short_stays(details: dict[str, object]) -> None:
    info = error_info(NodeError("failed", details=details))
    assert info.details is not None
    encoded = msgspec.json.encode(info.details)
    assert b"cut: " in encoded or b'"cut":' in encoded
    assert len(encoded) < MAX_DETAILS * 1.01
    assert (info.details["status"], info.details["code"]) == (500, [1, {"a": None}])
    assert list(info.details) == list(details)
    longest = max(details, key=lambda key: len(msgspec.json.encode(details[key])))
    assert len(msgspec.json.encode(info.details[longest])) > 10 or longest == "bytes"


def test_a_long_key_is_cut() -> None:
    info = error_info(NodeError("failed", details={"k" * BIG: 1, "status": 500}))
    assert info.details is not None
    assert info.details["status"] == 500
    assert len(msgspec.json.encode(info.details)) < 1000


def test_many_details_are_cut_too() -> None:
    info = error_info(NodeError("failed", details={f"k{n}": "v" * 50 for n in range(100_000)}))
    assert info.details is not None
    assert info.details["k0"] == "v" * 50
    assert info.details["cut"] == f"{100_000 - len(info.details) + 1} fields more"


@pytest.mark.parametrize("shift", range(0, 22, 3))
def test_half_a_secret_is_blotted_out_where_a_text_was_cut(shift: int) -> None:
    secret = "tok-3n-of-a-service!!"
    text = "." * (MAX_MESSAGE - shift) + secret * 10
    details = {"body": {"text": "." * (MAX_DETAILS - shift - 40) + secret * 5}}
    info = blotted(error_info(NodeError(text, details=details)), {"TOKEN": secret})
    shown = msgspec.json.encode(info).decode()
    assert "bytes more]" in info.message
    assert not any(secret[:length] in shown for length in range(2, len(secret)))
