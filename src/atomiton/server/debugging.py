"""Debugging runs: breakpoints, steps, inputs of nodes, what people watch."""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.conductor.stops import NodeInputs, Standing
from atomiton.conductor.wire import PREFIX, Done, StopBefore
from atomiton.conductor.wire_debugging import (
    ChangeInputs,
    InputsQuery,
    SetBreakpoints,
    StepRun,
    WatchedList,
    WatchRun,
)
from atomiton.machine.events import Breakpoint
from atomiton.server.table import Call, Route, checked

RUN = PREFIX + "/runs/{run}"


def stops_of(asked: Sequence[StopBefore]) -> list[Breakpoint]:
    """Breakpoints as a run knows them."""
    return [Breakpoint(of.node, of.condition) for of in asked]


async def step(call: Call) -> Done:
    """Let a paused run start one more attempt, or finish a node."""
    asked = checked(call.body, StepRun)
    run = call.params["run"]
    await call.conductor.step(
        run,
        call.by(asked.by),
        key=asked.key or call.key or "",
        mode=asked.mode,
        node=asked.node,
    )
    return Done(run)


async def breakpoints(call: Call) -> Done:
    """Set the breakpoints of a run."""
    asked = checked(call.body, SetBreakpoints)
    run = call.params["run"]
    await call.conductor.set_breakpoints(run, stops_of(asked.breakpoints), call.by(asked.by))
    return Done(run)


async def standing(call: Call) -> Standing:
    """Tell where a run stands."""
    return await call.conductor.standing(call.params["run"])


async def inputs(call: Call) -> NodeInputs:
    """Show what a node is to be called on."""
    query = checked(call.query, InputsQuery)
    return await call.conductor.node_inputs(call.params["run"], query.node, at=query.at)


async def change(call: Call) -> Done:
    """Change what a node is to be called on."""
    asked = checked(call.body, ChangeInputs)
    run = call.params["run"]
    await call.conductor.change_inputs(run, asked.node, asked.parameters, call.by(asked.by))
    return Done(run)


async def watch(call: Call) -> WatchedList:
    """Work out expressions over a run."""
    asked = checked(call.body, WatchRun)
    run = call.params["run"]
    return WatchedList(
        await call.conductor.watch(run, asked.expressions, at=asked.at, node=asked.node)
    )


ROUTES = (
    Route(
        "POST",
        f"{RUN}/step",
        "operator",
        step,
        "Let a paused run start one more attempt, or finish a node",
        StepRun,
        answer=Done,
    ),
    Route(
        "POST",
        f"{RUN}/breakpoints",
        "operator",
        breakpoints,
        "Set where a run stops",
        SetBreakpoints,
        answer=Done,
    ),
    Route(
        "GET",
        f"{RUN}/standing",
        "viewer",
        standing,
        "Tell where a run stands, and what is next",
        answer=Standing,
    ),
    Route(
        "GET",
        f"{RUN}/inputs",
        "viewer",
        inputs,
        "Show what a node is to be called on",
        query=InputsQuery,
        answer=NodeInputs,
    ),
    # Whoever may change it decides what is run: as for a blueprint that is not kept.
    Route(
        "POST",
        f"{RUN}/inputs",
        "owner",
        change,
        "Change what a node is to be called on",
        ChangeInputs,
        answer=Done,
    ),
    Route(
        "POST",
        f"{RUN}/watch",
        "viewer",
        watch,
        "Work out expressions over a run",
        WatchRun,
        answer=WatchedList,
    ),
)
