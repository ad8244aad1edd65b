"""How a driver calls a node, without knowing what a node type is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

ReportProgress = Callable[[float, str], None]
WriteLog = Callable[[str, str], None]
Spend = Callable[[float], None]


class Attempt:
    """The attempt that a node is called for; nodes may be given it as a capability.

    Attributes:
        run: Id of the run.
        node: Path of the node.
        attempt: Number of the attempt, from 1.
        key: The same for every attempt of this node in this run: hand it on to other systems as
            an idempotency key.
        deadline: Moment by which it must have ended; None when it has all the time.
        cancelled: Whether it should stop; for functions that run in a thread.
        reason: Why it should stop; empty until then.
        place: Numbers of the frame and of the node, as facts name it.
        cached: Id of the run that gave the result, when a kept one is given; empty when not.
    """

    __slots__ = (
        "_handlers", "_spend", "attempt", "cached", "cancelled", "deadline", "key", "log", "node",
        "now", "place", "progress", "reason", "run", "secrets",
    )  # fmt: skip

    def __init__(
        self,
        run: str,
        node: str,
        attempt: int,
        deadline: float | None,
        now: Callable[[], float],
        progress: ReportProgress,
        log: WriteLog,
        secrets: object = None,
        place: tuple[int, int] = (0, 0),
        spend: Spend | None = None,
    ) -> None:
        self.run = run
        self.node = node
        self.attempt = attempt
        self.key = f"{run}/{node}"
        self.deadline = deadline
        self.cached = ""
        self.cancelled = False
        self.reason = ""
        self._handlers: list[Callable[[], object]] = []
        self.now = now
        self.progress = progress
        self.log = log
        self.secrets = secrets
        self.place = place
        self._spend = spend

    def spend(self, amount: float) -> None:
        """Say what the attempt has cost by now, beyond what it said before: it counts at once.

        Args:
            amount: In the unit of the blueprint's ``limits.cost``.

        Raises:
            ValueError: It is below 0, or no number.
        """
        if not 0 <= amount < math.inf:
            raise ValueError(f"an attempt cannot cost {amount}")
        if amount and self._spend is not None:
            self._spend(float(amount))

    def remaining(self) -> float | None:
        """Seconds left before the nearest deadline; None when there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - self.now())

    def on_cancel(self, clean_up: Callable[[], object]) -> None:
        """Call a function as soon as the attempt is asked to stop; at once if it was already."""
        if self.cancelled:
            clean_up()
        else:
            self._handlers.append(clean_up)

    def cancel(self, reason: str) -> None:
        """Ask the attempt to stop: the first reason stands, and each handler is called once."""
        if self.cancelled:
            return
        self.cancelled = True
        self.reason = reason
        while self._handlers:
            try:
                self._handlers.pop()()
            except Exception as error:  # one failing clean-up must not keep the others from theirs
                self.log("warning", f"a clean-up handler failed: {error}")


class Call(Protocol):
    """How one node type is called; made once, used for every attempt."""

    @property
    def function(self) -> Callable[..., object]:
        """What is called."""
        ...

    @property
    def is_async(self) -> bool:
        """Whether it gives a coroutine."""
        ...

    @property
    def runtime(self) -> str:
        """inline, thread or process."""
        ...

    @property
    def needs_attempt(self) -> bool:
        """Whether ``arguments`` wants to know the attempt (capabilities)."""
        ...

    @property
    def exact(self) -> Mapping[str, frozenset[type[object]]]:
        """Parameters, by name, whose values of exactly these types are handed on as they are."""
        ...

    def arguments(
        self, parameters: dict[str, object], attempt: Attempt | None
    ) -> dict[str, object]:
        """Convert parameters to what the function declares, and add its capabilities.

        Raises:
            NodeError: If a parameter does not fit.
        """
        ...

    def result(self, value: object) -> object:
        """Convert what the function gave to a plain value that nobody else holds.

        Raises:
            NodeError: If it cannot be one.
        """
        ...
