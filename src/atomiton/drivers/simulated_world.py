"""The world of a simulated run: a clock that only moves when told to, and nodes that act.

Everything that happens is drawn from seeds. What an attempt does depends on the seed, the node and
the number of the attempt alone, so that it does the same again after a crash; in which order things
happen depends on all that happened before.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Callable
from random import Random

import msgspec

START = 1_700_000_000.0
"""Moment at which every simulated run begins: seconds since 1970, UTC."""

Action = Callable[[], None]

#: How many of the attempts fail; one of these for each seed, or large blueprints never complete.
_FAILURES = (0.18, 0.03, 0.1)


class Violation(AssertionError):
    """A law of the engine does not hold.

    Attributes:
        law: Name of the law.
        story: What led to it, one line each.
    """

    def __init__(self, law: str, message: str) -> None:
        super().__init__(f"{law}: {message}")
        self.law = law
        self.story: tuple[str, ...] = ()


def demand(holds: object, law: str, message: object) -> None:
    """Raise ``Violation`` unless a law holds."""
    if not holds:
        raise Violation(law, str(message))


class Effect(msgspec.Struct, frozen=True):
    """What an attempt did to the world.

    Attributes:
        life: Which process did it, from 1.
        key: The idempotency key the node was given.
        effect: pure, idempotent or once.
        awaited: Whether it was not asked to stop before; what does not listen may act late.
    """

    time: float
    life: int
    key: str
    attempt: int
    effect: str
    awaited: bool = True


class Script(msgspec.Struct, frozen=True):
    """What an attempt will do when it is let.

    Attributes:
        ending: ``good``, or the code of the error it ends with.
        retryable: Whether the error says that trying again may help.
        instant: Whether it ends before the call that begins it returns.
        lasts: Seconds until it ends.
        acts: Share of that time after which it acts on the world.
        obeys: Seconds until it stops when asked to; None when it does not listen.
    """

    ending: str
    retryable: bool
    instant: bool
    lasts: float
    acts: float
    obeys: float | None


def dice(seed: int, *of: object) -> Random:
    """Chance that is the same for the same seed and the same words, in every order of events.

    Example:
        >>> dice(1, "n1", 2).random() == dice(1, "n1", 2).random()
        True
    """
    number = zlib.crc32("/".join(map(str, of)).encode())
    return Random(seed << 32 | number)  # noqa: S311 - to be replayed, not to be secret


def script_of(seed: int, node: str, attempt: int) -> Script:
    """Draw what an attempt will do.

    Args:
        seed: The seed of the world.
        node: The path of the node, and the attempts of the bodies around it.
        attempt: Its number.

    Example:
        >>> script_of(1, "n2", 3) == script_of(1, "n2", 3)
        True
    """
    draw = dice(seed, "script", node, attempt)
    luck = draw.random()
    ending, retryable = "good", False
    share = _FAILURES[seed % len(_FAILURES)]
    if luck < share:
        ending, retryable = "FLAKY", True
        if luck < share / 6:
            ending, retryable = "NOT_FOUND", False
        elif luck < share / 3:
            ending = "NODE_FAILED"
    slow = draw.random() < 0.08
    return Script(
        ending=ending,
        retryable=retryable,
        instant=draw.random() < 0.3 and not slow,
        lasts=draw.choice((30.0, 90.0)) if slow else draw.choice((0.0, 0.25, 0.5, 1.0, 1.5)),
        acts=draw.choice((0.0, 0.5, 1.0)),
        obeys=draw.choice((0.0, 0.25, None)),
    )


class Handle:
    """Something that is going to happen."""

    __slots__ = ("action",)

    def __init__(self, action: Action) -> None:
        self.action: Action | None = action

    def cancel(self) -> None:
        """Let it not happen."""
        self.action = None

    def now(self) -> None:
        """Let it happen at once, if it has not."""
        action, self.action = self.action, None
        if action is not None:
            action()


class World:
    """A clock, what is going to happen, and what nodes did.

    Args:
        seed: Draws the order of what happens at one moment, and whatever else is asked for.

    Attributes:
        elapsed: Seconds since the beginning, whatever was done to the wall clock.
        skew: How far the wall clock was moved, in seconds.
        effects: What nodes did, in order.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed * 2 + 1)  # noqa: S311 - to be replayed, not to be secret
        self.elapsed = 0.0
        self.skew = 0.0
        self.effects: list[Effect] = []
        self._events: list[tuple[float, float, int, Handle]] = []
        self._count = 0

    def now(self) -> float:
        """What the wall clock shows."""
        return START + self.elapsed + self.skew

    def later(self, seconds: float, action: Action) -> Handle:
        """Let something happen; what happens at one moment happens in any order."""
        self._count += 1
        handle = Handle(action)
        moment = self.elapsed + seconds
        heapq.heappush(self._events, (moment, self.random.random(), self._count, handle))
        return handle

    def turn(self) -> bool:
        """Let the next thing happen; False if there is nothing more."""
        while self._events:
            moment, _order, _count, handle = heapq.heappop(self._events)
            if handle.action is not None:
                self.elapsed = max(self.elapsed, moment)
                handle.now()
                return True
        return False
