"""Time and chance that a test decides."""

from __future__ import annotations

import asyncio
import random

from atomiton.testing.virtual_time import START, Moment, seconds

__all__ = ["FakeClock", "FakeRandom"]


class FakeClock:
    """A ``Clock`` that stands still, except while somebody sleeps.

    In virtual time it is not needed: the real clock of nodes follows it.

    Args:
        start: The time at first.

    Attributes:
        slept: How long each sleep was, in seconds.

    Example:
        >>> clock = FakeClock("2026-03-29T01:30:00Z")
        >>> clock.advance(3600)
        >>> clock.now()
        1774751400.0
    """

    def __init__(self, start: Moment = START) -> None:
        self._now = seconds(start)
        self.slept: list[float] = []

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return self._now

    def advance(self, by: float) -> None:
        """Let some seconds pass."""
        self._now += by

    async def sleep(self, seconds: float) -> None:
        """Be that much later at once."""
        self.slept.append(seconds)
        self._now += max(0.0, seconds)
        await asyncio.sleep(0)


class FakeRandom:
    """A ``Random`` that gives the same each time.

    Args:
        seed: What is drawn follows from it.

    Example:
        >>> FakeRandom(1).random() == FakeRandom(1).random()
        True
    """

    def __init__(self, seed: int = 0) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - the same each time is what it is for

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        return self._draw.random()

    def token(self, size: int) -> bytes:
        """Bytes that look random."""
        return self._draw.randbytes(size)
