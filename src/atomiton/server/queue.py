"""The queue: how full it is, what has failed in it, doing that again."""

from __future__ import annotations

from atomiton.conductor.wire import PREFIX, DeadPage, DeadQuery, Started
from atomiton.ports.admission import QueueSizes
from atomiton.server.table import Call, Reply, Route, checked


async def sizes(call: Call) -> QueueSizes:
    """Tell how full the queue is."""
    return await call.conductor.queue_sizes()


async def dead(call: Call) -> DeadPage:
    """List the dead letters."""
    query = checked(call.query, DeadQuery)
    found = await call.conductor.dead_letters(
        blueprint=query.blueprint, code=query.code, before=query.before, limit=query.limit
    )
    return DeadPage(found, found[-1].run if len(found) == query.limit else None)


async def replay(call: Call) -> Reply:
    """Do a dead letter again."""
    run = (await call.conductor.replay(call.params["run"])).id
    return Reply(Started(run), 201, {"location": f"{PREFIX}/runs/{run}"})


ROUTES = (
    Route(
        "GET", PREFIX + "/queue", "viewer", sizes, "Tell how full the queue is", answer=QueueSizes
    ),
    Route(
        "GET",
        PREFIX + "/queue/dead",
        "viewer",
        dead,
        "List queued runs that have failed",
        query=DeadQuery,
        answer=DeadPage,
    ),
    Route(
        "POST",
        PREFIX + "/runs/{run}/replay",
        "operator",
        replay,
        "Do a dead letter again, as a new run",
        answer=Started,
        status=201,
    ),
)
