"""A node's call with hooks around it.

An attempt of a node with hooks is, for the run, an async node: its time bounds, its cancellation
and its failures are those of any other. In it, in this order: the interceptors of the input, the
hooks before, the node itself (in its own runtime), the interceptors of the output, the hooks after.

What must be on record before what. A changed input is a fact, ``InputChanged``, fed before the node
acts. Under durability ``sync`` a node that is not pure waits until that fact is on disk: otherwise,
after a crash, the same attempt would be made again under its key with an input that an interceptor
may have changed in another way, and the other system would be asked for two things under one key.
A pure node does not wait; nor does one under ``async``, whose last moments a crash may undo anyway.
A changed output needs nothing of its own: it *is* the output of ``AttemptCompleted``. An attempt
that is made again after a crash is called on what is on record, and its interceptors of the input
are not asked again; another attempt, after a failure, asks them anew on the node's own input.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import msgspec

from atomiton.blueprint.plan import PlanNode
from atomiton.drivers.calling import called
from atomiton.drivers.relay import ask, hook_failure, of_the_hook, report
from atomiton.ports.calls import Attempt, Call
from atomiton.ports.hooks import Hook, Moment, NodeEvent, PlanHooks

if TYPE_CHECKING:
    from atomiton.drivers.hooked import HookedExecution

Parameters = dict[str, object]


class HookedCall:
    """How a node that has hooks is called; see ``ports.calls.Call``.

    Args:
        execution: The run.
        node: The node.
        call: How it is called without them.
        hooks: Those that fit the plan.
    """

    is_async = True
    runtime = "inline"
    needs_attempt = True

    def __init__(
        self, execution: HookedExecution, node: PlanNode, call: Call, hooks: PlanHooks
    ) -> None:
        self.exact: Mapping[str, frozenset[type[object]]] = {}
        self._execution = execution
        self._node = node
        self._call = call
        self._hooks = hooks

    @property
    def function(self) -> Callable[..., object]:
        """Makes an attempt."""
        return self._make  # not an attribute: it would keep itself alive

    def arguments(self, parameters: Parameters, attempt: Attempt | None) -> Parameters:
        """What ``_make`` is called with."""
        return {"parameters": parameters, "attempt": attempt}

    def result(self, value: object) -> object:
        """What the node gave is plain already."""
        return value

    async def _make(self, parameters: Parameters, attempt: Attempt) -> object:
        """Make an attempt."""
        call = self._call
        expressions = {name: value for name, value in parameters.items() if callable(value)}
        given = {name: value for name, value in parameters.items() if name not in expressions}
        given = await self._intercepted(given, expressions, attempt)
        for hook in self._fitting("before", attempt):
            await self._asked(hook, self._event("before", attempt, given))
        arguments = self._arguments(given, expressions, attempt)
        value = await called(self._execution.driver, call, arguments)
        return await self._finished(value, given, attempt)

    def _arguments(
        self, given: Parameters, expressions: Mapping[str, object], attempt: Attempt
    ) -> Parameters:
        parameters = {**given, **expressions}
        return self._call.arguments(parameters, attempt if self._call.needs_attempt else None)

    def _fitting(self, moment: Moment, attempt: Attempt) -> Sequence[Hook]:
        return self._hooks.of_node(moment, self._node, attempt.node)

    def _event(
        self, moment: Moment, attempt: Attempt, given: Parameters, output: object = None
    ) -> NodeEvent:
        plan = self._execution.state.plan
        return NodeEvent(
            moment,
            attempt.run,
            plan.id,
            attempt.node,
            self._node,
            attempt.attempt,
            parameters=given,
            output=output,
        )

    async def _asked(
        self, hook: Hook, event: NodeEvent, check: Callable[[object], object] | None = None
    ) -> object:
        """What a hook gives, checked; None when it gives nothing, or has failed and may."""
        try:
            answer = await ask(hook, event)
            return answer if answer is None or check is None else check(answer)
        except BaseException as error:  # whatever a hook raises is its own
            if not of_the_hook(error):
                raise
            if hook.strict:
                raise hook_failure(hook, event, error) from error
            report(hook, event, error, self._execution.state.secrets)
            return None

    async def _intercepted(
        self, own: Parameters, expressions: Mapping[str, object], attempt: Attempt
    ) -> Parameters:
        """What the node is to be called on; what interceptors have changed goes on record."""
        hooks = self._fitting("input", attempt)
        if not hooks or (*attempt.place, attempt.attempt) in self._execution.state.changed:
            return own

        def checked(answer: object) -> object:
            parameters = self._hooks.parameters(self._node, answer)
            self._arguments(parameters, expressions, attempt)  # or the node could not be called
            return parameters

        given, by = own, list[str]()
        for hook in hooks:
            answer = await self._asked(hook, self._event("input", attempt, given), checked)
            if answer is not None and _differ(answer, given):
                given = cast("Parameters", answer)
                by.append(hook.name)
        if by:
            await self._execution.change_input(
                attempt, given, f"hook {', '.join(by)}", acts=not self._node.pure
            )
        return given

    async def _finished(self, output: object, given: Parameters, attempt: Attempt) -> object:
        """The output as interceptors have changed it, once the hooks after have been called."""
        moments: tuple[Moment, ...] = ("output", "after")
        waiting = [hook for moment in moments for hook in self._fitting(moment, attempt)]
        try:
            while waiting:
                hook = waiting[0]
                event = self._event(hook.moment, attempt, given, output)
                if hook.moment == "output":
                    # In a tuple, since null is an output too.
                    new = await self._asked(hook, event, lambda new: (self._hooks.output(new),))
                    if new is not None:
                        (output,) = cast("tuple[object]", new)
                else:
                    await self._asked(hook, event)
                del waiting[0]
        except asyncio.CancelledError:
            if any(hook.strict for hook in waiting):
                raise
            # The node has acted: its result stands, and is compensated if need be.
        return output


def _differ(one: object, other: object) -> bool:
    """Whether plain values differ, in their types too: true is not 1."""
    return msgspec.msgpack.encode(one) != msgspec.msgpack.encode(other)
