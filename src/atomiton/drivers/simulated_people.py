"""People around a simulated run: they decide, approve, send signals, pause, step and cancel.

Names say what they do, see ``simulated_documents``: signals called ``early_...`` are sent before
anybody asks, ``never_...`` not at all; approvals are titled ``yes``, ``no``, ``maybe``, ``never``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from atomiton.blueprint.plan import Body, Group, LoopPlan, MapPlan, Plan, PlanNode, Waiting
from atomiton.drivers.simulated_process import Process, lineage
from atomiton.drivers.simulated_world import World, dice
from atomiton.errors import ErrorInfo
from atomiton.machine.events import (
    ApprovalGiven,
    AttemptFailed,
    AttemptRepeated,
    CancelRequested,
    Paused,
    Resumed,
    SignalReceived,
    StepRequested,
)
from atomiton.machine.state import LOST, WAITING, Frame

#: Signals that come to nothing before one that must fit.
_TRIES = 3


class People:
    """Whoever has to do with a run.

    Args:
        world: When they do what is drawn from it.
        seed: What they decide is drawn from it alone.
        decline: How likely a lost attempt is given up.
        noise: How likely a signal is none that was asked for.
        twice: How likely an approval is given once more.
    """

    def __init__(
        self, world: World, seed: int, *, decline: float, noise: float, twice: float
    ) -> None:
        self._world = world
        self._seed = seed
        self._decline = decline
        self._noise = noise
        self._twice = twice
        self._noticed: set[tuple[int, int, int]] = set()
        self._seen = -1
        self._process: Process | None = None

    def meet(self, process: Process) -> None:
        """Have to do with another process from now on."""
        self._process = process
        self._noticed.clear()
        self._seen = -1

    def expect(self, plan: Plan, requests: int, *, cancels: bool) -> None:
        """Draw what they will do unasked: requests, and signals before they are waited for."""
        draw = self._world.random
        for _ in range(draw.randint(0, requests)):
            kinds = (Paused, Resumed, StepRequested, CancelRequested)
            kind = draw.choice(kinds if cancels else kinds[:-1])
            self._later((0.0, 0.25, 1.0, 3.0, 10.0), _wish(self, kind))
        signals = sorted({wait.signal for wait in waits_of(plan) if wait.signal})
        for name in signals:
            if name.startswith("early"):
                self._later((0.0, 0.25, 1.0), _sending(self, name))
            elif draw.random() < self._noise:
                self._later((0.0, 0.5, 3.0), _sending(self, name))

    def look(self) -> None:
        """Notice what waits for a person."""
        process = self._process
        if process is None or process.dead or self._seen == len(process.facts):
            return
        self._seen = len(process.facts)
        for frame in process.state.frames.values():
            for node, status in enumerate(frame.status):
                if status in (LOST, WAITING):
                    self._notice(process, frame, node)

    def _later(self, pauses: tuple[float, ...], action: Callable[[], None]) -> None:
        self._world.later(self._world.random.choice(pauses), action)

    def _notice(self, process: Process, frame: Frame, node: int) -> None:
        of = (frame.id, node, frame.attempts[node])
        wait = frame.nodes[node].detail
        if of in self._noticed:
            return
        if frame.status[node] == LOST:
            self._later((0.0, 1.0, 15.0), lambda: self._decide(process, frame, node))
        elif not isinstance(wait, Waiting):
            return
        elif wait.signal and not wait.signal.startswith("never"):
            self._later((0.0, 1.0, 7.0), lambda: self._answer(process, frame, node, wait.signal))
        elif wait.approval is not None and wait.approval.get("title") != "never":
            self._later((0.0, 1.0, 7.0), lambda: self._approve(process, frame, node, wait))
        else:
            return
        self._noticed.add(of)

    # -- what they do --------------------------------------------------------------------------

    def _decide(self, process: Process, frame: Frame, node: int) -> None:
        """Decide about a lost attempt, unless the run has gone on without."""
        if process.dead or frame.status[node] != LOST:
            return
        of = (frame.id, node, frame.attempts[node])
        self._noticed.discard(of)
        now = self._world.now()
        if self._world.random.random() < self._decline:
            process.feed(AttemptFailed(now, *of, ErrorInfo("ATTEMPT_LOST", "given up")))
        else:
            process.feed(AttemptRepeated(now, *of))

    def _approve(self, process: Process, frame: Frame, node: int, wait: Waiting) -> None:
        if process.dead or frame.status[node] != WAITING or wait.approval is None:
            return
        draw = dice(self._seed, "approval", lineage(frame, node))
        title = wait.approval["title"]
        approved = draw.random() < 0.5 if title == "maybe" else title == "yes"
        answer = ApprovalGiven(self._world.now(), frame.id, node, approved, "ann")
        process.feed(answer)
        if self._world.random.random() < self._twice and not process.dead:
            process.feed(answer)

    def _answer(self, process: Process, frame: Frame, node: int, name: str) -> None:
        """Send the signal that a node waits for; again later if it was not for that node."""
        if process.dead or frame.status[node] != WAITING:
            return
        # What is sent early is the same as what is sent when it is waited for.
        about = name if name.startswith("early") else lineage(frame, node)
        self._send(process, name, about)
        self._noticed.discard((frame.id, node, frame.attempts[node]))

    def _send(self, process: Process, name: str, about: str) -> None:
        number = sum(_is_about(fact, about) for fact in process.facts)
        draw = dice(self._seed, "signal", about, number)
        payload: object = {
            "value": draw.randint(0, 999) if number < _TRIES else 0,
            "id": f"{about}/{number}",
        }
        if number < _TRIES and draw.random() < self._noise:
            payload = f"{about}/{number}"
        process.feed(SignalReceived(self._world.now(), name, payload))

    def send_early(self, name: str) -> None:
        """Send a signal that nobody may have asked for; one whose receiver is away tries again."""
        process = self._process
        if process is None or process.dead or not process.facts:
            self._later((1.0,), _sending(self, name))
        elif not process.state.ended and not any(_is_about(fact, name) for fact in process.facts):
            self._send(process, name, name)

    def wish(self, kind: type[Paused | Resumed | StepRequested | CancelRequested]) -> None:
        """Want something of the run, which may be impossible just now."""
        process = self._process
        if process is not None and not process.dead and process.facts:
            process.feed(kind(self._world.now()))


def _is_about(fact: object, about: str) -> bool:
    if not isinstance(fact, SignalReceived):
        return False
    return signal_id(fact.payload).rpartition("/")[0] == about


def signal_id(payload: object) -> str:
    """What tells a signal from all others; the payload of a simulated one."""
    if isinstance(payload, dict):
        return str(cast("dict[str, object]", payload)["id"])
    return str(payload)


def _sending(people: People, name: str) -> Callable[[], None]:
    return lambda: people.send_early(name)


def _wish(
    people: People, kind: type[Paused | Resumed | StepRequested | CancelRequested]
) -> Callable[[], None]:
    return lambda: people.wish(kind)


def waits_of(plan: Plan) -> Iterator[Waiting]:
    """Every wait of a plan, in all its bodies."""
    bodies = [plan.root]
    for body in bodies:
        for node in body.nodes:
            yield from _waits(node, bodies)


def _waits(node: PlanNode, bodies: list[Body]) -> Iterator[Waiting]:
    detail = node.detail
    if isinstance(detail, Waiting):
        yield detail
    elif isinstance(detail, MapPlan | LoopPlan):
        yield from _waits(detail.node, bodies)
    elif isinstance(detail, Group):
        bodies.append(detail.body)
