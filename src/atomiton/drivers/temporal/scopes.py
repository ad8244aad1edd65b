"""What the expressions of a node see, taken where the run is and put up again where the node runs.

It is needed where parameters cannot be worked out beforehand: secrets are known to who runs nodes
only, and functions over items cannot be sent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from atomiton.blueprint.plan import ItemScope, Scope, Unit
from atomiton.drivers.temporal.wire import Layer, Scopes, UnitSeen
from atomiton.machine.state import BODY, COMPLETED, UNDO, Frame


def take(frame: Frame, node: int) -> Scopes:
    """All that the expressions of a node can see."""
    taker = _Taker()
    at: Frame | None = frame
    while at is not None:
        if at.kind >= UNDO:  # what cleans up may name any node
            taker.add_all(at.items[node])
            break
        scope = at.scope(node)
        if isinstance(scope, Frame):
            taker.add_body(scope, scope.nodes[node].needs)
        elif isinstance(scope, ItemScope):
            taker.add_item(scope)
        if at.kind == BODY and at.parent is not None and at.unit is not at.parent.unit:
            break  # a blueprint that is called sees nothing of its caller
        node, at = at.node, at.parent
    return Scopes(taker.layers, taker.units)


class _Taker:
    """Collects scopes, from the inside outwards."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.units: list[UnitSeen] = []
        self._known: list[Unit] = []

    def add_all(self, scope: object) -> None:
        """Add a scope and all around it, with every node that has ended."""
        while isinstance(scope, Frame | ItemScope):
            if isinstance(scope, ItemScope):
                self.add_item(scope)
            else:
                ended = [n for n, status in enumerate(scope.status) if status >= COMPLETED]
                self.add_body(scope, ended)
            scope = scope.outer

    def add_body(self, frame: Frame, nodes: Collection[int]) -> None:
        """Add a body with some of its nodes."""
        self.layers.append(
            Layer(
                self._unit(frame.unit),
                body=True,
                outputs={str(n): frame.outputs[n] for n in nodes},
                infos={str(n): frame.node_info(n) for n in nodes},
                missing=[n for n in nodes if frame.missing(n)],
            )
        )

    def add_item(self, scope: ItemScope) -> None:
        """Add an item, a turn, or what is compensated."""
        unit = self._unit(scope.unit)
        self.layers.append(
            Layer(unit, item=scope.item, index=scope.index, acc=scope.acc, own=scope.own)
        )

    def _unit(self, unit: Unit) -> int:
        for number, known in enumerate(self._known):
            if known is unit:
                return number
        self._known.append(unit)
        self.units.append(UnitSeen(unit.inputs, unit.variables, unit.info()))
        return len(self._known) - 1


class _Unit:
    """A blueprint, as it was seen."""

    def __init__(self, seen: UnitSeen, secrets: object) -> None:
        self.inputs = seen.inputs
        self.variables = seen.variables
        self.secrets = secrets
        self._info = seen.info

    def info(self) -> dict[str, object]:
        """What ``run`` is in an expression."""
        return self._info


class _Body:
    """A body, as it was seen."""

    def __init__(self, layer: Layer, outer: Scope | None, unit: Unit) -> None:
        self.outer = outer
        self.unit = unit
        self.outputs = {int(node): output for node, output in layer.outputs.items()}
        self._infos = layer.infos
        self._missing = frozenset(layer.missing)

    def node_info(self, node: int) -> dict[str, object]:
        """What ``nodes.<id>`` is in an expression."""
        return self._infos[str(node)]

    def missing(self, node: int) -> bool:
        """Whether a node has ended without giving anything."""
        return node in self._missing


class _Outside:
    """What is around the outermost scope that was taken: nothing, of the same blueprint."""

    def __init__(self, unit: Unit) -> None:
        self.outer: Scope | None = None
        self.unit = unit


def put_up(scopes: Scopes, secrets: object) -> Scope:
    """The scopes again, with the values of secrets."""
    units = [_Unit(seen, secrets) for seen in scopes.units]
    return _put_up(scopes.layers, units)


def _put_up(layers: Sequence[Layer], units: Sequence[_Unit]) -> Scope:
    scope: Scope = _Outside(units[layers[-1].unit] if layers else units[0])
    for layer in reversed(layers):
        if layer.body:
            scope = _Body(layer, scope, units[layer.unit])
        else:
            item = ItemScope(scope, layer.item, layer.index, layer.acc)
            item.unit = units[layer.unit]
            item.own = layer.own
            scope = item
    return scope
