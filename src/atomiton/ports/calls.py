"""How a driver calls a node, without knowing what a node type is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

ReportProgress = Callable[[float, str], None]
WriteLog = Callable[[str, str], None]


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
        place: Numbers of the frame and of the node, as facts name it.
    """

    __slots__ = ("attempt", "cancelled", "deadline", "key", "log", "node", "now", "place",
                 "progress", "run", "secrets")  # fmt: skip

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
    ) -> None:
        self.run = run
        self.node = node
        self.attempt = attempt
        self.key = f"{run}/{node}"
        self.deadline = deadline
        self.cancelled = False
        self.now = now
        self.progress = progress
        self.log = log
        self.secrets = secrets
        self.place = place

    def remaining(self) -> float | None:
        """Seconds left before the nearest deadline; None when there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - self.now())


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
    def exact(self) -> Mapping[str, type[object]]:
        """Parameters, by name, whose values of exactly this type are handed on as they are."""
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
