"""The one node type that the patterns need beside the library's: work that takes a while."""

from __future__ import annotations

from typing import TypedDict

from atomiton import node
from atomiton.ports.capabilities import Clock


class Worked(TypedDict):
    """What was done, and when: in seconds since 1970."""

    name: str
    began: float
    ended: float


@node("pattern.work")
async def work(name: str, ms: float = 20, *, clock: Clock) -> Worked:
    """Take some time.

    Args:
        name: What is done.
        ms: How long it takes, in milliseconds.
        clock: The door to the time.
    """
    began = clock.now()
    await clock.sleep(ms / 1000)
    return {"name": name, "began": began, "ended": clock.now()}
