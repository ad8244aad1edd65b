"""Triggers: listing, pausing, firing, and telling of events."""

from __future__ import annotations

import asyncio
import time
from itertools import islice

import msgspec

from atomiton.conductor.cron import moments
from atomiton.conductor.wire import (
    PREFIX,
    FireTrigger,
    MomentsQuery,
    Noted,
    PauseTrigger,
    Publish,
    Published,
    Started,
    TriggerList,
)
from atomiton.server.table import Call, Reply, Route, checked

ONE = PREFIX + "/triggers/{trigger}"


class Moments(msgspec.Struct, frozen=True):
    """When a schedule starts runs: seconds since 1970, the next one first."""

    moments: list[float]


async def listing(call: Call) -> TriggerList:
    """List the triggers."""
    return TriggerList(await call.conductor.triggers())


async def pause(call: Call) -> Noted:
    """Let a trigger start nothing, or something again."""
    trigger = call.params["trigger"]
    await call.conductor.pause_trigger(trigger, paused=checked(call.body, PauseTrigger).paused)
    return Noted(trigger)


async def fire(call: Call) -> Reply:
    """Start a run of a trigger's blueprint now."""
    asked = checked(call.body, FireTrigger)
    key = asked.key or call.key
    run = (await call.conductor.fire_trigger(call.params["trigger"], asked.inputs, key=key)).id
    return Reply(Started(run), 201, {"location": f"{PREFIX}/runs/{run}"})


async def publish(call: Call) -> Reply:
    """Tell of an event."""
    asked = checked(call.body, Publish)
    runs = await call.conductor.publish(asked.type, asked.data, key=asked.key)
    return Reply(Published([run.id for run in runs]), 202)


async def preview(call: Call) -> Moments:
    """When a schedule would start runs: for those who write one, and want to see."""
    asked = checked(call.query, MomentsQuery)

    def found() -> list[float]:
        return list(islice(moments(asked.cron, asked.timezone, time.time()), asked.limit))

    return Moments(await asyncio.to_thread(found))  # a rare moment is looked for over years


ROUTES = (
    Route(
        "GET",
        PREFIX + "/schedules/preview",
        "viewer",
        preview,
        "Tell when a schedule would start runs",
        query=MomentsQuery,
        answer=Moments,
    ),
    Route("GET", PREFIX + "/triggers", "viewer", listing, "List the triggers", answer=TriggerList),
    Route("POST", f"{ONE}/pause", "operator", pause, "Pause a trigger", PauseTrigger, answer=Noted),
    Route(
        "POST",
        f"{ONE}/fire",
        "operator",
        fire,
        "Start the run of a trigger",
        FireTrigger,
        answer=Started,
        status=201,
    ),
    Route(
        "POST",
        PREFIX + "/events",
        "operator",
        publish,
        "Tell of an event",
        Publish,
        answer=Published,
        status=202,
    ),
)
