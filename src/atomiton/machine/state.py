"""Where a run is: one ``Frame`` for each body that is being run, and what they share.

State is only ever changed by ``transitions.apply``; everything here can be rebuilt from the facts.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

from atomiton.blueprint.plan import Body, Plan
from atomiton.errors import ErrorInfo

# What a node is doing. The order matters: everything from COMPLETED on has ended.
PENDING = 0  # some dependency has not ended
READY = 1  # may start as soon as a place is free
RUNNING = 2  # an attempt is out
STOPPING = 3  # an attempt is out and was asked to stop
RETRYING = 4  # waits for the next attempt
WAITING = 5  # a wait node waits
LOST = 6  # an attempt that must not be repeated unasked was lost: waits for a decision
COMPLETED = 7
FAILED = 8
SKIPPED = 9
CANCELLED = 10

STATUS_NAMES = (
    "pending", "pending", "running", "running", "waiting", "waiting", "waiting",
    "completed", "failed", "skipped", "cancelled",
)  # fmt: skip
"""Name that people see, by number."""

# What a run is doing.
RUN_NEW = "new"
RUN_ACTIVE = "running"
RUN_STOPPING = "stopping"
ENDED = frozenset({"completed", "failed", "cancelled"})

# What a timer is for.
TIMER_RETRY = 0
TIMER_ATTEMPT = 1
TIMER_WAIT = 2
TIMER_RUN = 3


class Timer:
    """A timer that is set: what for, for which attempt, and when."""

    __slots__ = ("at", "attempt", "frame", "kind", "node")

    def __init__(
        self, kind: int, at: float, frame: int = 0, node: int = 0, attempt: int = 0
    ) -> None:
        self.kind = kind
        self.at = at
        self.frame = frame
        self.node = node
        self.attempt = attempt


class Frame:
    """One body while it is run: the top of the blueprint, or later a group, an item, a turn.

    It is also the scope in which the body's expressions are evaluated.

    Attributes:
        status: What each node is doing.
        open: How many dependencies of each node have not ended.
        blocked: Whether a dependency of the node was skipped.
        outputs: What each node gave; None until then, and when skipped.
        attempts: Number of the latest attempt of each node, from 1; 0 before the first.
        started: When the first attempt of each node started.
        ended: When each node ended.
        errors: The latest error of a node.
        timers: The timer that is set for a node.
        verdicts: What a node that is being stopped has failed with, whatever it answers.
    """

    __slots__ = (
        "attempts", "blocked", "body", "ended", "errors", "id", "item", "open", "outputs",
        "parent", "remaining", "run", "started", "status", "timers", "verdicts",
    )  # fmt: skip

    def __init__(self, id_: int, body: Body, run: RunState, parent: Frame | None = None) -> None:
        size = len(body.nodes)
        self.id = id_
        self.body = body
        self.run = run
        self.parent = parent
        self.item: object = None
        self.status = [PENDING] * size
        self.open = body.open[:]
        self.blocked: set[int] | None = None
        self.outputs: list[object] = [None] * size
        self.attempts = [0] * size
        self.started = [0.0] * size
        self.ended = [0.0] * size
        self.errors: dict[int, ErrorInfo] = {}
        self.timers: dict[int, int] = {}
        self.verdicts: dict[int, ErrorInfo] = {}
        self.remaining = size

    # -- what expressions see ------------------------------------------------------------

    @property
    def inputs(self) -> dict[str, object]:
        """The inputs of the run."""
        return self.run.inputs

    @property
    def variables(self) -> dict[str, object]:
        """The constants of the blueprint."""
        return self.run.plan.variables

    @property
    def secrets(self) -> object:
        """The secrets of the run, held outside of it."""
        return self.run.secrets

    def run_info(self) -> dict[str, object]:
        """What ``run`` is in an expression."""
        run = self.run
        return {
            "id": run.id,
            "blueprint": run.plan.id,
            "version": run.plan.version,
            "started_at": datetime.fromtimestamp(run.started_at, UTC),
        }

    def node_info(self, node: int) -> dict[str, object]:
        """What ``nodes.<id>`` is in an expression."""
        error = self.errors.get(node)
        return {
            "status": STATUS_NAMES[self.status[node]],
            "attempts": self.attempts[node],
            "error": None if error is None else error_value(error),
            "duration_ms": self.duration_ms(node),
        }

    def duration_ms(self, node: int) -> float | None:
        """How long a node took from its first attempt to its end; None if it has not ended."""
        if self.status[node] < COMPLETED or not self.started[node]:
            return None
        return round(max(0.0, self.ended[node] - self.started[node]) * 1000, 3)


class RunState:
    """A run: what its facts so far amount to.

    Attributes:
        status: new, running, stopping, completed, failed or cancelled.
        paused: Whether nothing new may start.
        running: How many attempts are out.
        steps: How many attempts were started in all.
        free: Whether what is ready starts at once: no bounds on the run, and not paused.
        opened: Nodes whose last dependency has just ended; empty between facts.
        ready: Nodes that may start as soon as a place is free, as (frame, node).
        failure: What ended, or is ending, the run.
        cancelled: Whether it is ending because it was cancelled.
        secrets: Given by the driver for expressions; never part of a fact.
    """

    __slots__ = (
        "cancelled", "credits", "ended_at", "failure", "frames", "free", "id", "inputs",
        "next_timer", "opened", "output", "paused", "plan", "ready", "running", "secrets",
        "seed", "started_at", "status", "steps", "timers",
    )  # fmt: skip

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.id = ""
        self.status = RUN_NEW
        self.inputs: dict[str, object] = {}
        self.seed = 0
        self.started_at = 0.0
        self.ended_at = 0.0
        self.frames: list[Frame] = [Frame(0, plan.root, self)]
        self.ready: deque[tuple[Frame, int]] = deque()
        self.opened: list[tuple[Frame, int]] = []
        self.running = 0
        self.steps = 0
        self.paused = False
        self.free = not plan.bounded
        self.credits = 0
        self.timers: dict[int, Timer] = {}
        self.next_timer = 1
        self.failure: ErrorInfo | None = None
        self.cancelled = False
        self.output: object = None
        self.secrets: object = None

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.status in ENDED

    def expects(self, frame: int, node: int, attempt: int) -> bool:
        """Whether an answer about this attempt is awaited; late and repeated ones are not."""
        if not 0 <= frame < len(self.frames):
            return False
        of = self.frames[frame]
        return (
            0 <= node < len(of.status)
            and of.attempts[node] == attempt
            and of.status[node] in (RUNNING, STOPPING)
        )

    def deadline(self) -> float | None:
        """Moment by which the run must have ended; None when it has all the time."""
        timeout = self.plan.timeout
        return None if timeout is None else self.started_at + timeout

    def public_status(self) -> str:
        """Status as people see it: also paused, and waiting when nothing is out but timers."""
        if self.status in ENDED:
            return self.status
        if self.paused and not self.running:
            return "paused"
        if self.running or self.ready or self.status == RUN_STOPPING:
            return "running"
        return "waiting"

    def reason(self) -> str | None:
        """What the run waits for, when it waits for something; None otherwise."""
        if self.ended or self.running:
            return None
        for frame in self.frames:
            for node, status in enumerate(frame.status):
                name = frame.body.nodes[node].path
                if status == LOST:
                    return (
                        f"attempt {frame.attempts[node]} of '{name}' was lost: nobody saw how it "
                        "ended, and it must not be repeated unasked"
                    )
                if status == RETRYING:
                    return f"'{name}' waits for attempt {frame.attempts[node] + 1}"
                if status == WAITING:
                    return f"'{name}' waits for its time"
        return "paused" if self.paused else None


def error_value(error: ErrorInfo) -> dict[str, object]:
    """An error as expressions and results show it, with every field."""
    return {
        "code": error.code,
        "message": error.message,
        "node": error.node,
        "attempt": error.attempt,
        "retryable": error.retryable,
        "details": error.details,
    }
