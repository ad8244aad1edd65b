"""Node types of the contract: small, and each with something that can be told from outside."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from atomiton import NodeError, node
from atomiton.ports.capabilities import Attempt


@node("c.add", effect="pure")
async def add(x: int, y: int = 1) -> int:
    return x + y


@node("c.sleep")
async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@node("c.act", effect="once")
async def act(log: str, attempt: Attempt) -> str:
    with Path(log).open("a") as out:
        out.write(f"{attempt.run} {attempt.node}\n")
    return "acted"


@node("c.values", effect="pure")
async def values() -> dict[str, object]:
    """Values that JSON has no words for, and some at its edges."""
    return {
        "bytes": b"\x00\xff\xfe",
        "when": datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=UTC),
        "big": 2**53 + 1,
        "low": -(2**63),
        "float": 0.1,
        "text": "ü\u2028\U0001f600\x00",
        "none": None,
        "list": [1, [True, [b"x"]], {}],
        "empty": "",
    }


@node("c.fail")
async def fail(code: str = "CARD_REFUSED", message: str = "the card was refused") -> None:
    raise NodeError(message, code=code, retryable=False, details={"limit": 100, "at": [1, 2]})


NODES = [add, sleep, act, values, fail]
