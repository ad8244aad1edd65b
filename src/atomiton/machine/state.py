"""Where a run is: one ``Frame`` for each body that is being run, and what they share.

State is only ever changed by ``transitions.apply``; everything here can be rebuilt from the facts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

from atomiton.blueprint.plan import Body, Called, ItemScope, Plan, PlanNode, Scope, Unit
from atomiton.errors import ErrorInfo
from atomiton.machine.events import SignalReceived

# What a node is doing. The order matters: everything from COMPLETED on has ended.
PENDING = 0  # some dependency has not ended
READY = 1  # may start as soon as a place is free
RUNNING = 2  # an attempt is out, or its body runs
STOPPING = 3  # it was asked to stop
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
RUN_COMPENSATING = "compensating"
RUN_CLOSING = "closing"  # the nodes of ``on`` run
ENDED = frozenset({"completed", "failed", "cancelled"})

# What a timer is for.
TIMER_RETRY = 0
TIMER_ATTEMPT = 1
TIMER_WAIT = 2
TIMER_RUN = 3
TIMER_TURN = 4
TIMER_PATIENCE = 5  # of a wait: what it waits for has not come in time

# What a frame runs.
BODY = 0  # the nodes of a body
ITEMS = 1  # one node, once for each item
TURNS = 2  # one node, turn after turn
UNDO = 3  # compensations, one after the other
CLOSING = 4  # the nodes of ``on``, one after the other


class Timer:
    """A timer that is set: what for, when, and of which node; that of the run is of none."""

    __slots__ = ("at", "frame", "kind", "node")

    def __init__(self, kind: int, at: float, frame: int = -1, node: int = -1) -> None:
        self.kind = kind
        self.at = at
        self.frame = frame
        self.node = node


class Frame:
    """Nodes that are run together: a body, the items of a map, the turns of a loop.

    It is also the scope in which the expressions of a body are evaluated.

    Attributes:
        kind: BODY, ITEMS, TURNS, UNDO or CLOSING.
        nodes: What is run, by number: for a map the same node for every item.
        parent: The frame that holds the node whose body, items or turns these are.
        node: The number of that node.
        outer: The scope around this one.
        unit: The blueprint that it belongs to.
        status: What each node is doing.
        open: How many dependencies of each node have not ended.
        plain: Which nodes of a body start without a closer look.
        again: Nodes whose lost attempt is to be made again, and has not been yet.
        blocked: Nodes that a dependency of theirs keeps from running.
        outputs: What each node gave; None until then, and when skipped.
        attempts: Number of the latest attempt of each node, from 1; 0 before the first.
        started: When the first attempt of each node started.
        ended: When each node ended.
        errors: The latest error of a node.
        timers: The timer that is set for a node.
        verdicts: What a node that is being stopped has failed with, whatever it answers.
        children: The frame in which the body of a node runs.
        remaining: How many nodes have not ended.
        stopping: Whether nothing new starts here, but for what cleans up.
        failure: Why it is stopping, if it has failed.
        items: Of ITEMS what is mapped, of UNDO and CLOSING the scope of each node.
        names: Of UNDO the names of its nodes.
        next: Of ITEMS, UNDO and CLOSING the number of the node to start next.
        deadline: Moment by which everything in it must have ended.
        quick: Whether nodes that are plain may start without a closer look.
        winner: Of a race the first sink that completed; -1 before.
    """

    __slots__ = (
        "again", "attempts", "blocked", "body", "children", "deadline", "ended", "errors",
        "failure", "id", "items", "kind", "names", "next", "node", "nodes", "open", "outer",
        "outputs", "parent", "plain", "quick", "race", "remaining", "run", "started", "status",
        "stopping", "timers",
        "unit", "verdicts", "winner",
    )  # fmt: skip

    def __init__(
        self, run: RunState, id_: int, kind: int, nodes: Sequence[PlanNode], unit: Unit
    ) -> None:
        size = len(nodes)
        self.run = run
        self.id = id_
        self.kind = kind
        self.nodes = nodes
        self.unit = unit
        self.body: Body | None = None
        self.plain: Sequence[bool] = ()
        self.parent: Frame | None = None
        self.node = 0
        self.outer: Scope | None = None
        self.status = [PENDING] * size
        self.open: list[int] = []
        self.again: set[int] | None = None
        self.blocked: set[int] | None = None
        self.outputs: list[object] = [None] * size
        self.attempts = [0] * size
        self.started = [0.0] * size
        self.ended = [0.0] * size
        self.errors: dict[int, ErrorInfo] = {}
        self.timers: dict[int, int] = {}
        self.verdicts: dict[int, ErrorInfo] = {}
        self.children: dict[int, Frame] = {}
        self.remaining = size
        self.stopping = False
        self.failure: ErrorInfo | None = None
        self.items: Sequence[object] = ()
        self.names: Sequence[str] = ()
        self.next = 0
        self.deadline: float | None = None
        self.quick = False
        self.race = False
        self.winner = -1

    def scope(self, node: int) -> Scope:
        """What the expressions of a node see: the body, or the item and what is around it."""
        if self.kind == BODY:
            return self
        if self.kind >= UNDO:
            scope = self.items[node]
            assert isinstance(scope, Frame | ItemScope)
            return scope
        assert self.outer is not None
        if self.kind == ITEMS:
            return ItemScope(self.outer, self.items[node], node)
        return ItemScope(self.outer, None, node, self.outputs[node - 1] if node else self.items[0])

    def path(self, node: int) -> str:
        """Name of a node from the top of the run, such as ``group.inner`` or ``mapped[0]``."""
        parent = self.parent
        if parent is None:
            return self.names[node] if self.names else self.nodes[node].id
        above = parent.path(self.node)
        if self.kind == BODY:
            return f"{above}.{self.nodes[node].id}"
        return f"{above}[{node}]"

    def node_info(self, node: int) -> dict[str, object]:
        """What ``nodes.<id>`` is in an expression."""
        error = self.errors.get(node)
        return {
            "status": STATUS_NAMES[self.status[node]],
            "attempts": self.attempts[node],
            "error": None if error is None else error_value(error),
            "duration_ms": self.duration_ms(node),
        }

    def missing(self, node: int) -> bool:
        """Whether a node has ended without giving anything: skipped, failed, cancelled."""
        return self.status[node] > COMPLETED and self.outputs[node] is None

    def duration_ms(self, node: int) -> float | None:
        """How long a node took from its first attempt to its end; None if it has not ended."""
        if self.status[node] < COMPLETED or not self.started[node]:
            return None
        return round(max(0.0, self.ended[node] - self.started[node]) * 1000, 3)


class CalledUnit:
    """A blueprint that another one called: its own inputs and constants, in the same run."""

    __slots__ = ("called", "inputs", "run")

    def __init__(self, run: RunState, called: Called, inputs: dict[str, object]) -> None:
        self.run = run
        self.called = called
        self.inputs = inputs

    @property
    def variables(self) -> dict[str, object]:
        """The constants of the called blueprint."""
        return self.called.variables

    @property
    def secrets(self) -> object:
        """The secrets of the run."""
        return self.run.secrets

    def info(self) -> dict[str, object]:
        """What ``run`` is in an expression: the run, and the called blueprint."""
        return {
            **self.run.info(),
            "blueprint": self.called.id,
            "version": self.called.version,
        }


class RunState:
    """A run: what its facts so far amount to.

    Attributes:
        status: new, running, stopping, compensating, closing, completed, failed or cancelled.
        paused: Whether nothing new may start.
        running: How many attempts are out.
        steps: How many attempts were started in all.
        cost: What attempts have spent in all.
        free: Whether what is ready starts at once: no bounds on the run, and not paused.
        frames: Every frame that is looked at, by its number.
        opened: Nodes to decide about; empty between facts.
        closing: Frames in which everything has ended; empty between facts.
        ready: Nodes that may start as soon as a place is free, as (frame, node).
        failure: What ended, or is ending, the run.
        cancelled: Whether it is ending because it was cancelled.
        undo: What to compensate if the run fails, as (frame, node), in order of completion.
        undone: The frame in which compensations run.
        changed: Parameters that nodes are called on instead of their own, by (frame, node,
            attempt); attempt 0 is all attempts that have none of their own.
        gated: Whether it waits to be admitted: nothing has begun.
        notices: What became of nodes, as (status, frame, node), for who wants to know; else None.
            RUNNING is the begin of a node that calls no type.
        mail: Signals that nobody has waited for yet, by name.
        listening: Nodes that wait for a signal, by its name, as (frame, node).
        secrets: Given by the driver for expressions; never part of a fact.
        forked_from: Id of the run that it began with the results of; empty if it is no fork.
        breaks: Conditions of the breakpoints, by path; None when the run is not debugged.
        asked: The node whose breakpoint is asked about, as (frame, node).
        passed: Ready nodes whose breakpoint was asked about, by frame and node.
        until: The node that a step goes over, while the run is paused, as (frame, node).
    """

    __slots__ = (
        "asked", "breaks", "cancelled", "changed", "closing", "cost", "credits", "ended_at",
        "failure", "forked_from", "frames", "free", "gated", "id", "inputs", "listening", "mail",
        "next_frame", "next_timer", "notices", "opened", "output", "passed", "paused", "plan",
        "ready", "running", "secrets", "seed", "started_at", "status", "steps", "timers", "top",
        "undo", "undone", "until",
    )  # fmt: skip

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.id = ""
        self.forked_from = ""
        self.status = RUN_NEW
        self.inputs: dict[str, object] = {}
        self.seed = 0
        self.started_at = self.ended_at = self.cost = 0.0
        body = plan.root
        self.top = top = Frame(self, 0, BODY, body.nodes, self)
        top.body = body
        top.plain = body.plain
        top.open = body.open[:]
        top.quick = plan.timeout is None
        self.frames: dict[int, Frame] = {0: top}
        self.next_frame = 1
        self.ready: deque[tuple[Frame, int]] = deque()
        self.opened: list[tuple[Frame, int]] = []
        self.closing: list[Frame] = []
        self.running = self.steps = 0
        self.paused = False
        self.free = not plan.bounded
        self.gated = False
        self.credits = 0
        self.timers: dict[int, Timer] = {}
        self.next_timer = 1
        self.failure: ErrorInfo | None = None
        self.cancelled = False
        self.output: object = None
        self.undo: list[tuple[Frame, int]] = []
        self.undone: Frame | None = None
        self.mail: dict[str, list[SignalReceived]] = {}
        self.listening: dict[str, list[tuple[Frame, int]]] = {}
        self.changed: dict[tuple[int, int, int], dict[str, object]] = {}
        self.notices: list[tuple[int, Frame, int]] | None = None
        self.secrets: object = None
        self.breaks: dict[str, str] | None = None
        self.asked: tuple[Frame, int] | None = None
        self.passed: dict[tuple[int, int], None] = {}
        self.until: tuple[Frame, int] | None = None

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.status in ENDED

    def open_sources(self) -> None:
        """Let the nodes of the top that wait for nothing begin."""
        self.gated = False
        self.opened.extend((self.top, node) for node in self.plan.root.sources)
        if not self.top.nodes:
            self.closing.append(self.top)

    def release(self) -> None:
        """Undo the circles of a run that has ended, so that its memory is given back at once."""
        for frame in self.frames.values():
            del frame.run, frame.unit

    @property
    def variables(self) -> dict[str, object]:
        """The constants of the blueprint."""
        return self.plan.variables

    def info(self) -> dict[str, object]:
        """What ``run`` is in an expression."""
        return {
            "id": self.id,
            "blueprint": self.plan.id,
            "version": self.plan.version,
            "started_at": datetime.fromtimestamp(self.started_at, UTC),
            "status": self.outcome(),
            "error": None if self.failure is None else error_value(self.failure),
        }

    def outcome(self) -> str:
        """How the run has ended, or is going to; ``running`` while that is open."""
        if self.failure is not None:
            return "cancelled" if self.cancelled else "failed"
        return "completed" if self.status in ("completed", RUN_CLOSING) else "running"

    def expects(self, frame: int, node: int, attempt: int) -> bool:
        """Whether an answer about this attempt is awaited; late and repeated ones are not."""
        of = self.frames.get(frame)
        return (
            of is not None
            and 0 <= node < len(of.status)
            and of.attempts[node] == attempt
            and of.status[node] in (RUNNING, STOPPING)
            and of.nodes[node].step >= 0
        )

    def public_status(self) -> str:
        """Status as people see it: also paused, and waiting when nothing is out but timers."""
        if self.status in ENDED or self.status == RUN_COMPENSATING:
            return self.status
        if self.paused and not self.running and self.until is None:
            return "paused"
        busy = self.running or self.ready or self.gated or self.asked is not None
        if busy or self.status not in (RUN_NEW, RUN_ACTIVE):
            return "running"
        return "waiting"

    def reason(self) -> str | None:
        """What the run waits for, when it waits for something; None otherwise."""
        if self.ended or self.running:
            return None
        for frame in self.frames.values():
            for node, status in enumerate(frame.status):
                if LOST >= status >= RETRYING:
                    return waits_for(frame, node)
        return "paused" if self.paused else None


def waits_for(frame: Frame, node: int) -> str:
    """What a node that is retrying, waiting or lost waits for, in words."""
    name, status = frame.path(node), frame.status[node]
    if status == LOST:
        return (
            f"attempt {frame.attempts[node]} of '{name}' was lost: nobody saw how it "
            "ended, and it must not be repeated unasked"
        )
    if status == RETRYING:
        return f"'{name}' waits for attempt {frame.attempts[node] + 1}"
    detail = frame.nodes[node].detail
    signal: str = getattr(detail, "signal", "")
    if signal:
        return f"'{name}' waits for the signal '{signal}'"
    if getattr(detail, "approval", None) is not None:
        return f"'{name}' waits for an approval"
    return f"'{name}' waits for its time"


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
