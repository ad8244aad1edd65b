"""What a driver is given to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.plan import Getter, Plan, PlanNode, Scope
from atomiton.blueprint.values import Single
from atomiton.drivers.masks import changed_parameters
from atomiton.machine import RunState
from atomiton.machine.commands import StartAttempt
from atomiton.ports.calls import Attempt, Call

Prepare = Callable[[Scope], dict[str, object]]
"""Gives the parameters of a node in a scope."""
Gather = Callable[[RunState, StartAttempt, Attempt | None], dict[str, object]]
"""Gives what a node's function is called with."""


class Step:
    """How one node is run: everything its attempts need, one look away.

    Attributes:
        arguments: Gives what the function is called with, from where the run is and, when
            ``needs_attempt``, the attempt; a ``NodeError`` when a parameter does not fit.
        is_straight: Whether it can be called without a look at the attempt.
        get: Gives its only parameter, when it has only one and takes it by position; None else.
        kinds: The types of which this must be one to be handed on as it is.
        waits: Whether the node has been seen to wait: its attempts are given a task at once.
    """

    __slots__ = (
        "arguments", "call", "function", "get", "is_async", "is_inline", "is_straight", "kinds",
        "needs_attempt", "result", "waits",
    )  # fmt: skip

    def __init__(self, node: PlanNode, call: Call) -> None:
        self.call = call
        self.arguments = _gatherer(node.prepare, call)
        self.function = call.function
        self.result = call.result
        self.is_async = call.is_async
        self.is_inline = call.runtime == "inline"
        self.needs_attempt = call.needs_attempt
        self.waits = False
        self.is_straight = call.is_async and call.runtime == "inline" and not call.needs_attempt
        self.get, self.kinds = _only(node.prepare, call)


def _only(prepare: Prepare, call: Call) -> tuple[Getter | None, frozenset[type[object]]]:
    """The only parameter of a node and its types, if it can be handed on by position as it is."""
    if isinstance(prepare, Single) and len(call.exact) == 1 and not call.needs_attempt:
        kinds = call.exact.get(prepare.name)
        if kinds is not None and isinstance(call.function, FunctionType):
            code = call.function.__code__
            if code.co_argcount and code.co_varnames[0] == prepare.name:
                return prepare.get, kinds
    return None, frozenset()


def _gatherer(prepare: Prepare, call: Call) -> Gather:
    """A function that prepares the parameters and converts those that do not fit as they are."""
    convert, exact = call.arguments, call.exact

    def look(state: RunState, start: StartAttempt) -> dict[str, object]:
        """The parameters where an item is, or where others were put in place of the node's."""
        changed = changed_parameters(state, start) if state.changed else None
        if changed is not None:
            return changed
        return prepare(state.frames[start.frame].scope(start.node))

    if call.needs_attempt or not exact:
        return lambda state, start, attempt: convert(look(state, start), attempt)

    if len(exact) == 1 and isinstance(prepare, Single) and prepare.name in exact:
        only, get, kinds = prepare.name, prepare.get, exact[prepare.name]

        def gather_one(
            state: RunState, start: StartAttempt, attempt: Attempt | None
        ) -> dict[str, object]:
            frame = state.frames[start.frame]
            if frame.kind or state.changed:
                return convert(look(state, start), attempt)
            value = get(frame)
            parameters = {only: value}
            return parameters if type(value) in kinds else convert(parameters, attempt)

        return gather_one

    def gather(state: RunState, start: StartAttempt, attempt: Attempt | None) -> dict[str, object]:
        parameters = look(state, start)
        for name, value in parameters.items():
            kinds = exact.get(name)
            if kinds is None or type(value) not in kinds:
                return convert(parameters, attempt)
        return parameters

    return gather


class Program:
    """A plan together with how each of its nodes is called, and the blueprint it was made of.

    Attributes:
        cached: The steps whose results are kept.
        record: The blueprint as it is kept for a run: its document, with what it calls.
        steps: Of every node that calls a node type, by ``PlanNode.step``.
        firsts: The command that starts the first attempt of each node of the top body.
    """

    __slots__ = ("blueprint", "cached", "firsts", "plan", "record", "steps")

    def __init__(
        self,
        plan: Plan,
        calls: Sequence[Call],
        blueprint: Blueprint,
        record: Mapping[str, object],
    ) -> None:
        self.plan = plan
        self.blueprint = blueprint
        self.record = record
        self.steps = [Step(node, call) for node, call in zip(plan.uses, calls, strict=True)]
        self.cached = tuple(node.step for node in plan.uses if node.caching is not None)
        nodes = enumerate(plan.root.nodes)
        self.firsts = [StartAttempt(0, number, 1, node.step) for number, node in nodes]
