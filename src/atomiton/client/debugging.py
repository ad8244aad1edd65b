"""Debugging runs that are elsewhere: breakpoints, steps, inputs of nodes, what people watch."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence

from atomiton.client.calls import Calls, part
from atomiton.conductor.stops import NodeInputs, Standing, StepMode, Watched
from atomiton.conductor.wire import Done, StopBefore
from atomiton.conductor.wire_debugging import (
    ChangeInputs,
    InputsQuery,
    SetBreakpoints,
    StepRun,
    WatchedList,
    WatchRun,
)
from atomiton.machine.events import Breakpoint


def run_path(run: str, more: str = "") -> str:
    """The path of a run in the API, or of something of it."""
    return f"/runs/{part(run)}{more}"


def stops_of(breakpoints: Sequence[Breakpoint]) -> list[StopBefore]:
    """Breakpoints as they are sent."""
    return [StopBefore(node=of.node, condition=of.condition) for of in breakpoints]


class Debugging:
    """What a remote conductor does for those who look for what is wrong.

    Attributes:
        calls: Sends the requests.
    """

    calls: Calls

    async def step(
        self,
        run: str,
        by: str = "",
        *,
        key: str = "",
        mode: StepMode = "into",
        node: str | None = None,
    ) -> None:
        """Let a paused run start one more attempt, or finish a node; see ``Conductor.step``."""
        asked = StepRun(by=by, key=key or None, mode=mode, node=node)
        await self.calls.post(run_path(run, "/step"), asked, Done)

    async def set_breakpoints(
        self, run: str, breakpoints: Sequence[Breakpoint], by: str = ""
    ) -> None:
        """Let a run stop before the attempts of some nodes, instead of those it had."""
        asked = SetBreakpoints(breakpoints=stops_of(breakpoints), by=by)
        await self.calls.post(run_path(run, "/breakpoints"), asked, Done)

    async def standing(self, run: str) -> Standing:
        """Where a run stands: whether it is paused, and at what; ``NotFound``."""
        return await self.calls.get(run_path(run, "/standing"), Standing)

    async def node_inputs(self, run: str, node: str, *, at: int | None = None) -> NodeInputs:
        """What a node is to be called on; errors are those of ``Conductor.node_inputs``."""
        query = InputsQuery(node=node, at=at)
        return await self.calls.get(run_path(run, "/inputs"), NodeInputs, query)

    async def change_inputs(
        self, run: str, node: str, parameters: Mapping[str, object], by: str = ""
    ) -> None:
        """Let a node be called on other parameters; see ``Conductor.change_inputs``."""
        asked = ChangeInputs(node=node, parameters=dict(parameters), by=by)
        await self.calls.post(run_path(run, "/inputs"), asked, Done)

    async def watch(
        self,
        run: str,
        expressions: Sequence[str],
        *,
        at: int | None = None,
        node: str | None = None,
    ) -> builtins.list[Watched]:
        """Work out expressions over what a run has given so far; see ``Conductor.watch``."""
        asked = WatchRun(expressions=[*expressions], at=at, node=node)
        return (await self.calls.post(run_path(run, "/watch"), asked, WatchedList)).watched
