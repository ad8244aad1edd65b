"""How many runs may be under way, and how runs wait for their turn."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

#: A lane that begins with this has one run at a time, whatever the bounds.
ALONE = "alone:"


class Rate(msgspec.Struct, frozen=True):
    """At most so many runs in so many seconds, counted when they are admitted."""

    runs: int
    seconds: float


class Admission(msgspec.Struct, frozen=True):
    """Bounds on the runs of a store that are under way at once.

    Attributes:
        concurrency: Runs altogether; None for any number.
        blueprints: Runs of a blueprint, by id; ``*`` is for each that is not named.
        lane: Runs of a blueprint that were started in the same lane.
        rates: Runs of a blueprint in a time, by id; ``*`` as above.

    Example:
        >>> Admission(concurrency=50, blueprints={"*": 10, "report": 1}).of("report")
        1
    """

    concurrency: int | None = None
    blueprints: Mapping[str, int] = {}
    lane: int | None = None
    rates: Mapping[str, Rate] = {}

    def of(self, blueprint: str) -> int | None:
        """How many runs of a blueprint there may be."""
        return self.blueprints.get(blueprint, self.blueprints.get("*"))

    def rate(self, blueprint: str) -> Rate | None:
        """How fast runs of a blueprint may begin."""
        return self.rates.get(blueprint, self.rates.get("*"))

    @property
    def bounds(self) -> bool:
        """Whether anything is bounded."""
        return (
            self.concurrency is not None
            or self.lane is not None
            or bool(self.blueprints or self.rates)
        )


class Queued(msgspec.Struct, frozen=True):
    """A run that waits for its turn.

    Attributes:
        run: Its id.
        blueprint: Id of its blueprint.
        priority: Higher is earlier.
        lane: What it shares a bound with.
        ready_at: It does not begin before, seconds since 1970, UTC.
        queued_at: When it was queued.
    """

    run: str
    blueprint: str
    priority: int
    lane: str
    ready_at: float
    queued_at: float


class DeadLetter(msgspec.Struct, frozen=True):
    """A queued run that has failed and was not replayed yet.

    Attributes:
        run: Its id.
        blueprint: Id of its blueprint.
        ended_at: Seconds since 1970, UTC.
        code: Of the error that ended it.
        message: Of that error.
    """

    run: str
    blueprint: str
    ended_at: float
    code: str
    message: str


class QueueSizes(msgspec.Struct, frozen=True):
    """How full the queue is.

    Attributes:
        waiting: Runs that wait for their turn.
        delayed: Runs whose time has not come.
        running: Queued runs that were admitted and have not ended.
    """

    waiting: int
    delayed: int
    running: int
