"""Node types for the tests of the studio."""

import asyncio

from atomiton import NodeError, node
from atomiton.ports.capabilities import Attempt


@node("shop.slow")
async def slow(seconds: float, value: object = None) -> object:
    """Take some time."""
    await asyncio.sleep(seconds)
    return value


@node("shop.flaky", runtime="inline")
def flaky(attempt: Attempt) -> int:
    """Fail twice in each run, then give how often it was tried."""
    if attempt.attempt < 3:
        raise NodeError("not yet", code="FLAKY", retryable=True)
    return attempt.attempt


@node("shop.picture")
def picture() -> dict[str, str]:
    """Give a small picture."""
    start = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk"
    return {"image": start + "+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"}


@node("shop.html")
def html() -> str:
    """Give what would be a script if somebody let it."""
    return "<img src=x onerror=alert(1)><script>alert(2)</script>"
