"""Node types that try the limits."""

from __future__ import annotations

import asyncio
import time

from atomiton import NodeError, node

#: How many ``limit.busy`` run now, and at most so far.
SEEN = {"now": 0, "most": 0}


@node("limit.nap")
async def nap(seconds: float) -> float:
    """Wait without holding anything up."""
    await asyncio.sleep(seconds)
    return seconds


@node("limit.block")
def block(seconds: float) -> float:
    """Hold a thread, deaf to everything."""
    time.sleep(seconds)
    return seconds


@node("limit.busy")
async def busy() -> int:
    """Count how many of this run at once."""
    SEEN["now"] += 1
    SEEN["most"] = max(SEEN.values())
    await asyncio.sleep(0.01)
    SEEN["now"] -= 1
    return SEEN["most"]


@node("limit.spoil")
async def spoil(rows: list[dict[str, list[int]]]) -> int:
    """Change what it was given, deeply."""
    rows[0]["numbers"].append(99)
    rows.clear()
    return 1


@node("limit.spoil_late", effect="pure")
async def spoil_late(value: object) -> object:
    """Give a value, and change it afterwards."""
    given = {"numbers": [1, 2]}
    asyncio.get_running_loop().call_later(0.01, given["numbers"].append, 3)
    return given


@node("limit.act")
async def act(path: str) -> str:
    """Leave a trace of having run."""
    with open(path, "a", encoding="utf-8") as stream:
        stream.write("ran\n")
    await asyncio.sleep(0.005)
    return path


@node("limit.odd")
async def odd(what: str) -> str:
    """Give or raise what nothing can store."""
    if what == "message":
        raise ValueError("caf\udcff")
    if what == "details":
        raise NodeError("odd", details={"object": object()})
    return "caf\udcff"


@node("limit.broken_promise", plain=True)
async def broken_promise() -> list[str]:
    """Promise plain values, and give what nothing can store."""
    return ["caf\udcff"]
