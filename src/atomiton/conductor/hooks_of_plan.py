"""Which hooks fit which nodes of a plan; worked out once for each plan."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

from atomiton.blueprint.plan import USES, Group, LoopPlan, MapPlan, Plan, PlanNode
from atomiton.conductor.hooks import Hooks, Null, Registered
from atomiton.errors import NodeError
from atomiton.nodes.values import to_value
from atomiton.ports.hooks import Hook, Moment

#: Those that are called around the call of a node type, by whoever makes the attempt.
AROUND: frozenset[Moment] = frozenset({"before", "input", "output", "after"})
#: Those that are told of what the machine has noticed.
_NOTICED: frozenset[Moment] = frozenset({"error", "retry", "skip"})
_INDEX = re.compile(r"\[\d+\]")
#: How many plans the hooks are remembered of.
_KEPT = 256


class FittingHooks:
    """The hooks that fit a plan; see ``ports.hooks.PlanHooks``.

    Attributes:
        steps: Those around the call of a node type, by ``PlanNode.step``.
        notices: Whether it matters what becomes of nodes besides.
        gates: Whether nothing may begin before those of ``run_start`` have ended well.
    """

    def __init__(self, plan: Plan, registered: Sequence[Registered]) -> None:
        self._registered = registered
        self._of_node: dict[tuple[Moment, PlanNode], list[Registered]] = {}
        self.steps: dict[int, Sequence[Hook]] = {}
        self.notices = False
        nodes = all_nodes(plan)
        of_nodes = [item for item in registered if item.hook.moment in AROUND | _NOTICED]
        for item in of_nodes:
            moment = item.hook.moment
            fitting = [node for node in nodes if _may_fit(item, node)]
            around = [node for node in fitting if node.kind == USES and moment in AROUND]
            for node in around:
                self.steps[node.step] = (*self.steps.get(node.step, ()), item.hook)
            self.notices |= moment not in ("input", "output") and len(around) < len(fitting)
        self._of_run = [item.hook for item in registered if item not in of_nodes]
        undoes = any(node.undo is not None for node in nodes)
        self.notices |= undoes and any(_of_compensation(hook) for hook in self._of_run)
        self.gates = any(hook.strict for hook in self.of_run("run_start"))

    def __bool__(self) -> bool:
        """Whether any fits."""
        ours = [hook for hook in self._of_run if self.notices or not _of_compensation(hook)]
        return bool(self.steps or self.notices or ours)

    def of_node(self, moment: Moment, node: PlanNode, path: str) -> Sequence[Hook]:
        """Those that fit a node at a moment."""
        found = self._of_node.get((moment, node))
        if found is None:
            found = [
                item
                for item in self._registered
                if item.hook.moment == moment and _may_fit(item, node)
            ]
            self._of_node[moment, node] = found
        if not found:
            return ()
        plain = _INDEX.sub("", path)
        return [
            item.hook
            for item in found
            if not item.nodes or plain in item.nodes or node.id in item.nodes
        ]

    def of_run(self, *moments: Moment) -> Sequence[Hook]:
        """Those of a run, or of compensation, at any of some moments."""
        return [hook for hook in self._of_run if hook.moment in moments]

    def parameters(self, node: PlanNode, given: object) -> dict[str, object]:
        """What an interceptor gave, as parameters of a node."""
        if not isinstance(given, Mapping):
            raise _unfit(f"it returned {type(given).__name__}, not parameters by name")
        return fitting_parameters(node, cast("Mapping[object, object]", given))

    def output(self, given: object) -> object:
        """What an interceptor gave, as an output."""
        return None if isinstance(given, Null) else to_value(given)


def fitting_parameters(node: PlanNode, values: Mapping[object, object]) -> dict[str, object]:
    """What somebody wants a node to be called on, as its parameters.

    Raises:
        NodeError: There is one too many or too few, or one that cannot be changed.
    """
    ports = {} if node.type is None else {port.name: port for port in node.type.parameters}
    takes_any = any(port.variadic for port in ports.values())
    named = {name for name, port in ports.items() if not port.variadic}
    for name in values:
        if not isinstance(name, str) or (name not in named and not takes_any):
            raise _unfit(f"'{node.id}' has no parameter {name!r}; it has {_listed(named)}")
        if name in named and ports[name].expression:
            raise _unfit(f"parameter {name!r} is an expression, which cannot be changed")
    for name in named:
        port = ports[name]
        if port.required and not port.expression and name not in values:
            raise _unfit(f"'{node.id}' needs the parameter {name!r}; return all of them")
    return cast("dict[str, object]", to_value(dict(values)))


def _of_compensation(hook: Hook) -> bool:
    return hook.moment.startswith("compensation")


def _may_fit(item: Registered, node: PlanNode) -> bool:
    """Whether a hook may be for a node: its path is known in a run only."""
    if item.types and (node.type is None or node.type.name not in item.types):
        return False
    return not item.nodes or any(name.rpartition(".")[2] == node.id for name in item.nodes)


def _unfit(message: str) -> NodeError:
    return NodeError(message, code="TYPE_MISMATCH")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def all_nodes(plan: Plan) -> list[PlanNode]:
    """Every node of a plan, each once: in bodies, repeated, compensating, and those of ``on``."""
    found: dict[PlanNode, None] = {}
    waiting = [*plan.on.values(), *plan.root.nodes]
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found[node] = None
        waiting.extend(_inner(node))
    return list(found)


def _inner(node: PlanNode) -> Sequence[PlanNode]:
    inner: list[PlanNode] = [] if node.undo is None else [node.undo.node]
    detail = node.detail
    if isinstance(detail, MapPlan | LoopPlan):
        inner.append(detail.node)
    elif isinstance(detail, Group):
        inner.extend(detail.body.nodes)
    return inner


class HookTable:
    """Finds the hooks that fit a plan, and remembers them until there are more."""

    def __init__(self) -> None:
        self._found: dict[Plan, tuple[tuple[int, ...], FittingHooks | None]] = {}

    def of(self, plan: Plan, sources: Sequence[Hooks]) -> FittingHooks | None:
        """Those of some ``Hooks`` that fit a plan; None if none does."""
        latest = tuple(hooks.registered[-1].number for hooks in sources if hooks)
        if not latest:
            return None
        known = self._found.pop(plan, None)
        if known is None or known[0] != latest:
            registered = [item for hooks in sources for item in hooks.registered]
            registered.sort(key=lambda item: item.number)
            fitting = FittingHooks(plan, registered)
            known = (latest, fitting or None)
        self._found[plan] = known
        if len(self._found) > _KEPT:
            self._found.pop(next(iter(self._found)))
        return known[1]
