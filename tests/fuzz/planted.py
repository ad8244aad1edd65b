"""A bug on purpose: what the fuzzer must find."""

from __future__ import annotations


def strict(data: bytes) -> None:
    """Fails for four bytes in a row that no one would guess; each is a step nearer."""
    if data[:1] != b"F":
        return
    if data[1:2] != b"U":
        return
    if data[2:3] != b"Z":
        return
    if data[3:4] == b"Y":
        raise ValueError("found")
