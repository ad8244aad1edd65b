"""Plans by hand, and short ways to drive a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.model import Retry
from atomiton.blueprint.plan import USES, WAIT_FOR, Body, BodyScope, Plan, PlanNode, Scope, Waiting
from atomiton.errors import ErrorInfo
from atomiton.machine import RunState, apply
from atomiton.machine.commands import Command, StartAttempt
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    RunRequested,
    TimerFired,
)
from atomiton.machine.state import STATUS_NAMES
from atomiton.nodes.registry import Registry

T0 = 1_000.0


def uses(
    name: str,
    *needs: int,
    retry: Retry | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    condition: Callable[[Scope], object] | None = None,
    enabled: bool = True,
    fallback: tuple[object] | None = None,
    effect: str = "idempotent",
    weight: float = 1.0,
) -> PlanNode:
    node = PlanNode(name)
    node.kind = USES
    node.needs = needs
    node.retry, node.timeout, node.deadline = retry, timeout, deadline
    node.condition, node.enabled = condition, enabled
    node.fallback = None if fallback is None else lambda _scope: fallback[0]
    node.pure, node.once, node.weight = effect == "pure", effect == "once", weight
    return node


def wait(name: str, *needs: int, when: Callable[[Scope], object], kind: int = WAIT_FOR) -> PlanNode:
    node = uses(name, *needs, effect="pure")
    node.kind = kind
    node.detail = Waiting(when)
    return node


def plan_of(
    *nodes: PlanNode,
    timeout: float | None = None,
    concurrency: int = 0,
    steps: int = 0,
    output: Callable[[Scope], object] | None = None,
) -> Plan:
    for number, node in enumerate(nodes):
        for needed in node.needs:
            nodes[needed].successors.append(number)
    calls = [node for node in nodes if node.kind == USES]
    for step, node in enumerate(calls):
        node.step = step
    plan = Plan(
        "p", "hash", Body(nodes, output or (lambda scope: list(cast("BodyScope", scope).outputs)))
    )
    plan.uses = tuple(calls)
    plan.timeout, plan.concurrency, plan.steps = timeout, concurrency, steps
    return plan


def compiled(text: str) -> Plan:
    """The plan of a blueprint, over the library's node types."""
    blueprint, document = read_blueprint(f"atomiton: 1\nid: p\n{text}")
    return compile_blueprint(blueprint, Registry.builtin(), document.positions)


def begun(plan: Plan, at: float = T0, seed: int = 0) -> tuple[RunState, list[Command]]:
    run = RunState(plan)
    return run, apply(run, RunRequested(at, "r1", {}, seed))


def ok(run: RunState, node: int, output: object = None, at: float = T0) -> list[Command]:
    return apply(run, AttemptCompleted(at, 0, node, run.frames[0].attempts[node], output))


def bad(
    run: RunState, node: int, at: float = T0, code: str = "NODE_FAILED", retryable: bool = True
) -> list[Command]:
    error = ErrorInfo(code, "broken", retryable=retryable)
    return apply(run, AttemptFailed(at, 0, node, run.frames[0].attempts[node], error))


def lost(run: RunState, node: int, at: float = T0) -> list[Command]:
    return apply(run, AttemptLost(at, 0, node, run.frames[0].attempts[node]))


def fire(run: RunState, timer: int | None = None, at: float | None = None) -> list[Command]:
    """Fire a timer, by default the one that is due first."""
    number = min(run.timers, key=lambda n: run.timers[n].at) if timer is None else timer
    return apply(run, TimerFired(run.timers[number].at if at is None else at, number))


def started(commands: Sequence[Command]) -> list[tuple[int, int]]:
    """Node and attempt of what was started."""
    return [(c.node, c.attempt) for c in commands if isinstance(c, StartAttempt)]


def names(run: RunState) -> list[str]:
    return [STATUS_NAMES[status] for status in run.frames[0].status]
