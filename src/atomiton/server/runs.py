"""Runs: starting, looking, steering, answering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import cast

import msgspec

from atomiton.blueprint.emit import to_yaml
from atomiton.blueprint.model import Json
from atomiton.conductor.calls import BUNDLE
from atomiton.conductor.result import RunResult, RunView
from atomiton.conductor.wire import (
    PREFIX,
    SSE,
    AnswerApproval,
    ApprovalList,
    CancelRun,
    Done,
    EventPage,
    EventsQuery,
    ForkRun,
    Ids,
    LimitQuery,
    MatchingQuery,
    PauseRun,
    Pinned,
    ResumeRun,
    RetryRun,
    RunPage,
    RunsQuery,
    RunText,
    SendSignal,
    Started,
    StartRun,
    WaitList,
    WaitQuery,
)
from atomiton.errors import AtomitonError, NotFound
from atomiton.events import RunEvent
from atomiton.ports.blueprints import BlueprintInfo
from atomiton.ports.journal import RunHeader
from atomiton.server.debugging import stops_of
from atomiton.server.problems import Refusal
from atomiton.server.streams import Stream, run_stream
from atomiton.server.table import Call, Reply, Route, checked

RUN = PREFIX + "/runs/{run}"
READING = 30.0  # seconds for each fact of a run that is over


async def start(call: Call) -> Reply:
    """Start a run."""
    asked = checked(call.body, StartRun)
    given = [of for of in (asked.blueprint, asked.source, asked.document) if of is not None]
    if len(given) != 1:
        message = "a run is of one thing: blueprint (an id), source (a text) or document (data)"
        raise AtomitonError(message, code="INVALID_INPUT")
    if asked.blueprint is None and not call.principal.may("owner"):
        message = "only an owner may run what is not kept: save the blueprint, and name its id"
        raise Refusal(403, message)
    run = await call.conductor.start(
        await call.around.source(asked),
        asked.inputs,
        durability=asked.durability,
        key=asked.key or call.key,
        paused=asked.paused,
        priority=asked.priority,
        lane=asked.lane,
        delay=asked.delay,
        breakpoints=None if asked.breakpoints is None else stops_of(asked.breakpoints),
    )
    return _started(run.id)


def _started(run: str) -> Reply:
    return Reply(Started(run), 201, {"location": f"{PREFIX}/runs/{run}"})


async def listing(call: Call) -> RunPage:
    """List runs."""
    query = checked(call.query, RunsQuery)
    headers = await call.conductor.list(
        status=query.status, blueprint=query.blueprint, before=query.before, limit=query.limit
    )
    return RunPage(headers, headers[-1].run if len(headers) == query.limit else None)


async def show(call: Call) -> RunView:
    """Sum a run up as it is now."""
    return (await call.conductor.show(call.params["run"])).view()


async def header(call: Call) -> RunHeader:
    """What a list shows of a run."""
    return await call.conductor.header(call.params["run"])


async def matching(call: Call) -> Ids:
    """Find runs by the beginning or the end of their ids."""
    query = checked(call.query, MatchingQuery)
    return Ids(await call.conductor.matching(query.text, query.limit))


async def document(call: Call) -> Pinned:
    """Give the blueprint that a run is pinned to."""
    return Pinned(await call.conductor.document(call.params["run"]))


async def text(call: Call) -> RunText:
    """Give the blueprint of a run as text: as its author wrote it, where that is kept."""
    run = call.params["run"]
    header = await call.conductor.header(run)
    kept: tuple[BlueprintInfo, ...] = ()
    with suppress(NotFound):
        kept = await call.conductor.blueprint_history(header.blueprint, limit=1000)
    for info in kept:
        if info.hash == header.blueprint_hash:
            stored = await call.conductor.blueprint(header.blueprint, info.revision)
            return RunText(stored.text, True, info.revision)
    record = await call.conductor.document(run)
    written = record["document"] if BUNDLE in record else record
    return RunText(to_yaml(cast("Mapping[str, Json]", written)), False)


async def result(call: Call) -> Reply:
    """Sum a run up once it has ended, or 202 when it has not in time."""
    seconds = checked(call.query, WaitQuery).wait
    ended = asyncio.ensure_future(call.conductor.result(call.params["run"]))
    stopping = asyncio.ensure_future(call.around.stopping.wait())
    try:
        await asyncio.wait([ended, stopping], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return Reply(ended.result().view())
    finally:
        for task in (ended, stopping):
            task.cancel()
        with suppress(asyncio.CancelledError, AtomitonError):
            await ended
    shown: RunResult = await call.conductor.show(call.params["run"])
    return Reply(shown.view(), 202)


async def events(call: Call) -> EventPage | Stream:
    """The facts of a run: a page of them, or a stream that ends with the run."""
    query = checked(call.query, EventsQuery)
    run = call.params["run"]
    header = await call.conductor.header(
        run
    )  # an unknown run is an answer, not the end of a stream
    if SSE in call.headers.get("accept", ""):
        after = query.after
        last = call.headers.get("last-event-id", "")
        if last.isdecimal():
            after = int(last[:16])
        return run_stream(call, run, after, binary=query.encoding == "msgpack")
    return await _page(call, run, query, over=header.ended_at is not None)


async def _page(call: Call, run: str, query: EventsQuery, *, over: bool) -> EventPage:
    found: list[RunEvent] = []
    iterator = call.conductor.events(run, query.after)
    ended = False
    deadline = asyncio.get_running_loop().time() + query.wait
    try:
        while len(found) < query.limit:
            # All that a run has done that is over is there: reading it ends by itself.
            patience = asyncio.get_running_loop().time() + READING if over else 0.02
            event = await _next(iterator, patience if found or over else deadline, call)
            if event is None:
                break  # whoever asks again is told of the end, with all that came before it
            found.append(event)
    except StopAsyncIteration:
        ended = True
    return EventPage(found, found[-1].number if found else query.after, ended)


async def _next(iterator: AsyncIterator[RunEvent], limit: float, call: Call) -> RunEvent | None:
    """The next fact; None if there is none in time.

    Args:
        iterator: Gives them.
        limit: The moment of the loop's clock to wait until, or seconds if it is a short time.
        call: Has the signal that the server stops.
    """
    now = asyncio.get_running_loop().time()
    seconds = limit if limit < 1 else max(0.02, limit - now)
    waiting = asyncio.ensure_future(anext(iterator))
    stopping = asyncio.ensure_future(call.around.stopping.wait())
    try:
        await asyncio.wait(
            [waiting, stopping], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        return waiting.result() if waiting.done() else None
    finally:
        stopping.cancel()
        if not waiting.done():
            waiting.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration, AtomitonError):
                await waiting


async def waits(call: Call) -> WaitList:
    """What a run waits for."""
    return WaitList(await call.conductor.waits(call.params["run"]))


async def cancel(call: Call) -> Done:
    """Ask a run to stop."""
    asked = checked(call.body, CancelRun)
    run = call.params["run"]
    await call.conductor.cancel(run, asked.reason, call.by(asked.by))
    return Done(run)


async def pause(call: Call) -> Done:
    """Start nothing new until the run is resumed or stepped."""
    run = call.params["run"]
    await call.conductor.pause(run, call.by(checked(call.body, PauseRun).by))
    return Done(run)


async def resume(call: Call) -> Done:
    """Let a run go on."""
    asked = checked(call.body, ResumeRun)
    run = call.params["run"]
    await call.conductor.resume(run, call.by(asked.by), lost=asked.lost)
    return Done(run)


async def signal(call: Call) -> Done:
    """Send a signal to a run."""
    asked = checked(call.body, SendSignal)
    run = call.params["run"]
    await call.conductor.signal(
        run, asked.name, asked.payload, call.by(asked.by), key=asked.key or call.key or ""
    )
    return Done(run)


async def approve(call: Call) -> Done:
    """Answer an approval."""
    asked = checked(call.body, AnswerApproval)
    run = call.params["run"]
    await call.conductor.approve(
        run,
        asked.node,
        approved=asked.approved,
        by=call.by(asked.by),
        comment=asked.comment,
        fields=asked.fields,
        key=asked.key or call.key or "",
    )
    return Done(run)


async def retry(call: Call) -> Reply:
    """Start a new run that does what a failed or cancelled one did not."""
    asked = checked(call.body, RetryRun)
    run = await call.conductor.retry(
        call.params["run"], key=asked.key or call.key, paused=asked.paused
    )
    return _started(run.id)


async def fork(call: Call) -> Reply:
    """Start a new run that begins where another one came to a node."""
    asked = checked(call.body, ForkRun)
    run = await call.conductor.fork(
        call.params["run"],
        asked.node,
        asked.inputs,
        key=asked.key or call.key,
        paused=asked.paused,
    )
    return _started(run.id)


async def approvals(call: Call) -> ApprovalList:
    """The approvals that runs wait for."""
    limit = checked(call.query, LimitQuery).limit
    return ApprovalList(await call.conductor.approvals(limit))


def _look(path: str, handler: object, summary: str, **more: object) -> Route:
    return Route("GET", path, "viewer", handler, summary, **more)  # type: ignore[arg-type]  # of Route


def _steer(
    verb: str, handler: object, summary: str, body: type[msgspec.Struct], **more: object
) -> Route:
    settings: dict[str, object] = {"answer": Done, "status": 200, **more}
    return Route("POST", f"{RUN}/{verb}", "operator", handler, summary, body, **settings)  # type: ignore[arg-type]  # of Route


ROUTES = (
    Route(
        "POST",
        PREFIX + "/runs",
        "operator",
        start,
        "Start a run",
        StartRun,
        answer=Started,
        status=201,
    ),
    _look(PREFIX + "/runs", listing, "List runs", query=RunsQuery, answer=RunPage),
    _look(
        PREFIX + "/runs.matching",
        matching,
        "Find runs by a part of their ids",
        query=MatchingQuery,
        answer=Ids,
    ),
    _look(RUN, show, "Sum up a run as it is now", answer=RunView),
    _look(f"{RUN}/header", header, "Show what a list shows of a run", answer=RunHeader),
    _look(f"{RUN}/document", document, "Give the blueprint of a run", answer=Pinned),
    _look(f"{RUN}/text", text, "Give the blueprint of a run as text", answer=RunText),
    _look(f"{RUN}/result", result, "Wait for a run to end", query=WaitQuery, answer=RunView),
    _look(
        f"{RUN}/events",
        events,
        "Read the facts of a run",
        query=EventsQuery,
        answer=EventPage,
        streams=True,
    ),
    _look(f"{RUN}/waits", waits, "List what a run waits for", answer=WaitList),
    _steer("cancel", cancel, "Ask a run to stop", CancelRun),
    _steer("pause", pause, "Let a run start nothing new", PauseRun),
    _steer("resume", resume, "Let a run go on", ResumeRun),
    _steer("signal", signal, "Send a signal to a run", SendSignal),
    _steer("approve", approve, "Answer an approval", AnswerApproval),
    _steer(
        "retry", retry, "Do again what failed, as a new run", RetryRun, answer=Started, status=201
    ),
    _steer("fork", fork, "Start a new run from a node of one", ForkRun, answer=Started, status=201),
    _look(
        PREFIX + "/approvals",
        approvals,
        "List approvals that are waited for",
        query=LimitQuery,
        answer=ApprovalList,
    ),
)
