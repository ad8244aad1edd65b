"""One blueprint, run once in virtual time: what a test asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atomiton.conductor.library import Source
from atomiton.conductor.result import NodeResult, RunResult
from atomiton.errors import ErrorInfo
from atomiton.events import RunEvent
from atomiton.machine.events import AttemptCompleted
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry
from atomiton.ports.journal import Journal
from atomiton.testing.answering import Answering, check_answers
from atomiton.testing.conductor import VirtualConductor
from atomiton.testing.virtual_time import START, Moment, virtual_run

__all__ = ["Trial", "run"]


class Trial:
    """How a run in virtual time fared.

    Attributes:
        result: What the conductor says of it.
        status: completed, failed or cancelled.
        output: What the blueprint's ``output`` gave.
        error: What ended it; None if it completed.
        nodes: How each node fared, by path.
        outputs: What each node that completed gave, by path.
        calls: What each replaced node was called with, by path: the inputs of every call.
        events: Every fact of the run, in order.
    """

    def __init__(
        self,
        result: RunResult,
        events: Sequence[RunEvent],
        calls: Mapping[str, list[dict[str, object]]],
    ) -> None:
        self.result = result
        self.status: str = result.status
        self.output: object = result.output
        self.error: ErrorInfo | None = result.error
        self.nodes: dict[str, NodeResult] = result.nodes
        self.calls = dict(calls)
        self.events = list(events)
        self.outputs = outputs_of(events)

    def __repr__(self) -> str:
        """Show what matters first."""
        why = f", error={self.error.code}: {self.error.message}" if self.error else ""
        return f"Trial(status={self.status!r}, output={self.output!r}{why})"

    @property
    def ok(self) -> bool:
        """Whether the run completed."""
        return self.result.ok

    @property
    def seconds(self) -> float:
        """How long the run took in virtual time."""
        return self.result.duration_ms / 1000

    def value(self) -> object:
        """The output of a completed run; ``RunFailed`` otherwise."""
        return self.result.value()


def outputs_of(events: Sequence[RunEvent]) -> dict[str, object]:
    """What each node that completed gave, by path."""
    return {
        event.node: event.fact.output
        for event in events
        if event.node is not None and isinstance(event.fact, AttemptCompleted)
    }


def run(
    blueprint: Source,
    inputs: Mapping[str, object] | None = None,
    *,
    nodes: Sequence[object] = (),
    replace: Mapping[str, object] | None = None,
    answers: Mapping[str, object] | None = None,
    capabilities: Capabilities | None = None,
    secrets: Mapping[str, str] | None = None,
    start: Moment = START,
    store: str | Journal = "memory:",
    registry: Registry | None = None,
) -> Trial:
    """Run a blueprint to its end in virtual time.

    Waits, retries, timeouts and deadlines take no real time, and happen as they would.

    Args:
        blueprint: A ``Blueprint``, or the path of a file.
        inputs: By name, as the blueprint declares them.
        nodes: Node functions, or files of them, beside the library's.
        replace: Stand-ins by node id, path or node type: a value, a function of the node's inputs,
            an error, or several ``in_turn``.
        answers: What somebody answers who is asked, by path of the node that waits: what a signal
            carries; for an approval its fields, True for one without, False to deny.
        capabilities: What nodes reach the world with; by default the real thing.
        secrets: Values by name.
        start: When the run begins.
        store: Where the run is kept.
        registry: The node types to begin with.

    Returns:
        How it fared; a failure is a result, not an exception.

    Raises:
        BlueprintError: If the blueprint cannot be run.
        InputError: If the inputs do not fit.
        Stuck: If the run waits for what can never come.

    Example:
        >>> from atomiton.blueprint.document import read_document
        >>> rate = read_document({"atomiton": 1, "id": "rate", "nodes": {"rate": {
        ...     "uses": "http.request", "with": {"url": "http://rates.example"},
        ...     "retry": {"attempts": 2, "delay": "1m", "jitter": 0},
        ... }}})
        >>> from atomiton.testing import fails
        >>> trial = run(rate, replace={"rate": fails("down", times=1, then={"json": 2})})
        >>> trial.status, trial.nodes["rate"].attempts, trial.seconds
        ('completed', 2, 60.0)
    """
    asked: list[tuple[Answering, str]] = []

    async def main() -> Trial:
        conductor = VirtualConductor(
            store,
            nodes=nodes,
            replace=replace,
            capabilities=capabilities,
            secrets=secrets,
            resume=False,
            registry=registry,
        )
        async with conductor:
            if answers:
                check_answers(answers, conductor.library.load(blueprint))
            somebody = Answering(conductor, answers or {})
            started = await conductor.start(blueprint, inputs)
            asked.append((somebody, started.id))
            events: list[RunEvent] = []
            async for event in started.events():
                events.append(event)
                await somebody.look(started.id)
            result = await started.result()
            return Trial(result, events, conductor.calls)

    async def why() -> str:
        return " ".join([await somebody.missing(run) for somebody, run in asked])

    return virtual_run(main(), start=start, why=why)
