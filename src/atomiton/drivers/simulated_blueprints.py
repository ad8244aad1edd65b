"""Blueprints at random, and the node types that they use."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import msgspec

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.model import Blueprint, Json, Limits, Node, Retry, Wait
from atomiton.blueprint.plan import Plan
from atomiton.drivers.simulated_world import START
from atomiton.errors import NotFound

EFFECTS = ("pure", "idempotent", "once")
FALLBACKS: tuple[Json, ...] = ({"value": {"value": 5}}, {"continue": True})


class SimulatedPort(msgspec.Struct, frozen=True):
    """The one parameter of a simulated node type."""

    name: str = "values"
    schema: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    required: bool = False
    expression: bool = False
    variadic: bool = False


class SimulatedType(msgspec.Struct, frozen=True):
    """A node type that exists in simulations only."""

    name: str
    effect: str
    parameters: tuple[SimulatedPort, ...] = (SimulatedPort(),)
    result: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    retry: Retry | None = None
    timeout: float | None = None


class SimulatedTypes:
    """The node types ``sim.pure``, ``sim.idempotent`` and ``sim.once``."""

    def __init__(self) -> None:
        self._types = {
            f"sim.{effect}": SimulatedType(f"sim.{effect}", effect) for effect in EFFECTS
        }

    def get(self, name: str) -> SimulatedType:
        """The type of that name."""
        if name not in self._types:
            raise NotFound(f"there is no node type '{name}'")
        return self._types[name]


def random_blueprint(seed: int, *, calm: bool = False) -> Blueprint:
    """Draw a blueprint.

    Args:
        seed: Draws all of it.
        calm: Draw nothing whose outcome depends on how long something takes.
    """
    draw = Random(seed * 2)  # noqa: S311 - to be replayed, not to be secret
    size = min(draw.randint(1, 12), draw.randint(2, 12))
    names = [f"n{number}" for number in range(size)]
    nodes = [(name, _node(draw, names[:place], calm=calm)) for place, name in enumerate(names)]
    if draw.random() < 0.5:
        draw.shuffle(nodes)  # the order of the document is not the order of the run
    limits = Limits(
        concurrency=draw.choice((None, None, 1, 2, 3)),
        steps=draw.randint(1, size + 4) if draw.random() < 0.1 else None,
        timeout=draw.choice((2.0, 8.0, 40.0)) if not calm and draw.random() < 0.1 else None,
    )
    return Blueprint(id="simulated", nodes=dict(nodes), limits=limits)


def random_plan(seed: int, *, calm: bool = False) -> Plan:
    """Draw a blueprint and compile it."""
    return compile_blueprint(random_blueprint(seed, calm=calm), SimulatedTypes())


def _node(draw: Random, earlier: list[str], *, calm: bool) -> Node:
    count = draw.choice((0, 1, 1, 1, 2, 3))
    needed = draw.sample(earlier, min(count, len(earlier)))
    referred = [name for name in needed if draw.random() < 0.5]
    needs = tuple(name for name in needed if name not in referred or draw.random() < 0.2)
    condition = _condition(draw, referred) if draw.random() < 0.15 else None
    enabled = draw.random() > 0.03
    if draw.random() < 0.12:
        return Node(wait=_wait(draw), needs=tuple(needed), if_=condition, enabled=enabled)
    values: list[Json] = [f"${{{{ {name} }}}}" for name in referred]
    if referred and draw.random() < 0.3:
        values.append(f"${{{{ {referred[0]}.value }}}}")
    return Node(
        uses="sim." + draw.choice(EFFECTS),
        with_={"values": values} if values else {},
        needs=needs,
        if_=condition,
        enabled=enabled,
        retry=_retry(draw, calm=calm) if draw.random() < 0.6 else None,
        # Calm nodes end long before their time, or long after.
        timeout=draw.choice((5.0,) if calm else (1.0, 5.0)) if draw.random() < 0.25 else None,
        deadline=draw.choice((1.0, 6.0)) if not calm and draw.random() < 0.15 else None,
        on_error=draw.choice(FALLBACKS) if draw.random() < 0.25 else None,
        weight=draw.choice((1.0, 1.0, 0.0, 3.5)),
    )


def _condition(draw: Random, referred: list[str]) -> str:
    if not referred or draw.random() < 0.2:
        return draw.choice(("true", "false", "1"))
    name = referred[0]
    return draw.choice(
        (f"{name}.value % 3 != 0", f"nodes.{name}.attempts < 2", f"nodes.{name}.status != 'failed'")
    )


def _wait(draw: Random) -> Wait:
    if draw.random() < 0.3:
        return Wait(until=str(START + draw.choice((-5.0, 0.0, 3.0, 20.0))))
    return Wait(seconds=draw.choice((0.0, 1.0, 5.0, "${{ 2 + 1 }}")))


def _retry(draw: Random, *, calm: bool) -> Retry:
    on: tuple[str, ...] = ()
    if draw.random() < 0.15:
        on = ("FLAKY", "NOT_FOUND") if calm else ("FLAKY", "ATTEMPT_LOST", "TIMEOUT")
    return Retry(
        attempts=draw.randint(1, 4),
        delay=draw.choice((0.0, 0.5, 1.0, 4.0)),
        factor=draw.choice((1.0, 2.0, 3.0)),
        max_delay=draw.choice((2.0, 60.0)),
        jitter=draw.choice((0.0, 0.1, 1.0)),
        on=on,
        not_on=("NODE_FAILED",) if draw.random() < 0.1 else (),
    )
