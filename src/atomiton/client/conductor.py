"""A conductor that is elsewhere: the same methods, the same results, the same errors."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Literal, Self, cast

import msgspec

from atomiton.blueprint.model import Durability
from atomiton.client.calls import Calls, part, read_answer
from atomiton.client.debugging import Debugging, run_path, stops_of
from atomiton.client.http import Http, Lost, parse_address
from atomiton.client.keeping import Keeping
from atomiton.client.sources import name_source
from atomiton.client.streams import unpacked
from atomiton.conductor.api import Asked
from atomiton.conductor.inputs import check_options, check_turn
from atomiton.conductor.library import Source
from atomiton.conductor.nodes import NodeInfo
from atomiton.conductor.previewing import Previewed
from atomiton.conductor.result import RunResult, RunView
from atomiton.conductor.run import Run
from atomiton.conductor.waits import Wait
from atomiton.conductor.wire import (
    AnswerApproval,
    ApprovalList,
    Asking,
    CancelRun,
    Checked,
    DeadPage,
    DeadQuery,
    Done,
    EventsQuery,
    FireTrigger,
    ForkRun,
    Ids,
    LimitQuery,
    MatchingQuery,
    NodeList,
    Noted,
    PauseRun,
    PauseTrigger,
    Pinned,
    PreviewExpression,
    ProblemDetails,
    Publish,
    Published,
    ResumeRun,
    RetryRun,
    RunPage,
    RunsQuery,
    SecretList,
    SendSignal,
    SetSecret,
    Started,
    StartRun,
    Status,
    TriggerList,
    Validate,
    WaitList,
    WaitQuery,
    error_of,
)
from atomiton.errors import AtomitonError, Problem
from atomiton.events import RunEvent
from atomiton.machine.events import Breakpoint
from atomiton.ports.admission import DeadLetter, QueueSizes
from atomiton.ports.journal import RunHeader
from atomiton.ports.secrets import SecretInfo
from atomiton.ports.triggers import Trigger

#: Seconds for which the server is asked to wait for the end of a run, each time.
_TURN = 20.0
#: What may become of lost attempts.
_LOST: dict[str | None, Literal["repeat", "fail"] | None] = {
    None: None,
    "repeat": "repeat",
    "fail": "fail",
}


class RemoteConductor(Debugging, Keeping):
    """A conductor over a connection; ``connect`` makes one.

    Every call that changes something carries a key, so that one which is sent again because its
    answer was lost is done once. ``by`` is said for an owner only; others are who their token says.

    Args:
        address: ``unix:///PATH``, ``http://HOST:PORT`` or ``https://HOST``.
        token: What the server knows the caller by; not needed on a Unix socket.
        patience: Seconds for which a call is tried again when the server cannot be reached.

    Attributes:
        calls: Sends requests that no method is for.
    """

    def __init__(self, address: str, token: str | None = None, patience: float = 10.0) -> None:
        self.address = address
        self.calls = Calls(Http(parse_address(address), token), patience)

    async def __aenter__(self) -> Self:
        """Use it; nothing is sent before the first call."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections; runs go on."""
        await self.calls.http.close()

    async def run(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None = None,
        *,
        durability: Durability | None = None,
        key: str | None = None,
        priority: int = 0,
        lane: str = "",
        delay: float = 0.0,
    ) -> RunResult:
        """Run a blueprint to its end there; when the waiting is cancelled, so is the run."""
        run = await self.start(
            blueprint,
            inputs,
            durability=durability,
            key=key,
            priority=priority,
            lane=lane,
            delay=delay,
        )
        try:
            return await self.result(run.id)
        except asyncio.CancelledError:
            await asyncio.shield(self._withdraw(run.id))
            raise

    async def _withdraw(self, run: str) -> None:
        try:
            await self.cancel(run, "the caller was cancelled")
        except AtomitonError:  # it has ended in this moment, or nobody can be told
            return

    async def start(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None = None,
        *,
        durability: Durability | None = None,
        key: str | None = None,
        paused: bool = False,
        priority: int = 0,
        lane: str = "",
        delay: float = 0.0,
        breakpoints: Sequence[Breakpoint] | None = None,
    ) -> Run:
        """Start a run there; arguments and errors are those of ``Conductor.start``."""
        check_options(durability, key)
        check_turn(priority, lane, delay)
        asked = StartRun(
            inputs=_names(inputs),
            durability=durability,
            key=key,
            paused=paused,
            priority=priority,
            lane=lane,
            delay=delay,
            breakpoints=None if breakpoints is None else stops_of(breakpoints),
        )
        name_source(asked, blueprint)
        return Run(self, (await self.calls.post("/runs", asked, Started)).run)

    async def fork(
        self,
        run: str,
        node: str,
        inputs: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        paused: bool = False,
    ) -> Run:
        """Start a new run that begins where another one came to a node."""
        check_options(None, key)
        asked = ForkRun(node=node, inputs=_names(inputs), key=key, paused=paused)
        return Run(self, (await self.calls.post(run_path(run, "/fork"), asked, Started)).run)

    async def retry(self, run: str, *, key: str | None = None, paused: bool = False) -> Run:
        """Start a new run that does what a failed or cancelled one did not."""
        check_options(None, key)
        asked = RetryRun(key=key, paused=paused)
        return Run(self, (await self.calls.post(run_path(run, "/retry"), asked, Started)).run)

    async def result(self, run: str) -> RunResult:
        """Wait for a run to end and sum it up; ``NotFound`` if there is none."""
        while True:
            answer = await self.calls.wait(run_path(run, "/result"), WaitQuery(wait=_TURN), _TURN)
            if answer.status == 200:
                return RunResult.of(read_answer(answer, RunView))

    async def show(self, run: str) -> RunResult:
        """Sum a run up as it is now; ``NotFound`` if there is none."""
        return RunResult.of(await self.calls.get(run_path(run), RunView))

    async def header(self, run: str) -> RunHeader:
        """What a list of runs shows of one; ``NotFound`` if there is none."""
        return await self.calls.get(run_path(run, "/header"), RunHeader)

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[RunHeader]:
        """Headers of stored runs, newest first; ``before`` is the id of the last one seen."""
        found: builtins.list[RunHeader] = []
        while len(found) < limit:
            page = min(1000, limit - len(found))
            query = RunsQuery(
                status=cast("Status | None", status),  # the server checks it
                blueprint=blueprint,
                before=before,
                limit=page,
            )
            got = await self.calls.get("/runs", RunPage, query)
            found += got.runs
            before = got.next
            if before is None:
                break
        return found

    async def events(self, run: str, after: int = 0) -> AsyncIterator[RunEvent]:
        """Every fact of a run from number ``after + 1`` on, in order, until the run ends.

        A stream that is lost goes on from the last fact that came.
        """
        while True:
            query = EventsQuery(after=after, encoding="msgpack")
            try:
                async for sent in self.calls.stream(run_path(run, "/events"), query):
                    if sent.kind == "end":
                        return
                    if sent.kind == "error":
                        raise error_of(msgspec.json.decode(sent.data, type=ProblemDetails))
                    if sent.kind == "stopping":
                        break
                    event = msgspec.msgpack.decode(unpacked(sent), type=RunEvent)
                    after = event.number
                    yield event
            except Lost:
                pass
            await self.header(run)  # tries for a while; raises if the server is gone for good

    async def matching(self, text: str, limit: int = 5) -> builtins.list[str]:
        """Ids of runs that begin or end with a text, sorted; the ``run_`` may be left out."""
        query = MatchingQuery(text=text, limit=limit)
        return (await self.calls.get("/runs.matching", Ids, query)).runs

    async def document(self, run: str) -> dict[str, object]:
        """The blueprint that a run is pinned to, as it is on record; ``NotFound``."""
        return (await self.calls.get(run_path(run, "/document"), Pinned)).document

    async def waits(self, run: str) -> builtins.list[Wait]:
        """What a run waits for; empty when it waits for nothing."""
        return (await self.calls.get(run_path(run, "/waits"), WaitList)).waits

    async def approvals(self, limit: int = 100) -> builtins.list[Asked]:
        """The approvals that runs wait for, those of the newest run first."""
        asked = LimitQuery(limit=min(limit, 1000))
        return (await self.calls.get("/approvals", ApprovalList, asked)).approvals

    async def queue_sizes(self) -> QueueSizes:
        """How many runs wait in the queue, and how many of it are under way."""
        return await self.calls.get("/queue", QueueSizes)

    async def dead_letters(
        self,
        *,
        blueprint: str | None = None,
        code: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[DeadLetter]:
        """Queued runs that have failed and were not replayed yet, newest first."""
        query = DeadQuery(blueprint=blueprint, code=code, before=before, limit=min(limit, 1000))
        return (await self.calls.get("/queue/dead", DeadPage, query)).runs

    async def replay(self, run: str) -> Run:
        """Do again what a dead letter did not, as a new run; once, however often it is asked."""
        return Run(self, (await self.calls.post(run_path(run, "/replay"), None, Started)).run)

    async def triggers(self) -> builtins.list[Trigger]:
        """The triggers of all kept blueprints, by blueprint."""
        return (await self.calls.get("/triggers", TriggerList)).triggers

    async def pause_trigger(self, trigger: str, *, paused: bool = True) -> None:
        """Let a trigger start nothing, or something again; ``NotFound`` if there is none."""
        asked = PauseTrigger(paused=paused)
        await self.calls.post(f"/triggers/{part(trigger)}/pause", asked, Noted)

    async def fire_trigger(
        self, trigger: str, inputs: Mapping[str, object] | None = None, *, key: str | None = None
    ) -> Run:
        """Start a run of a trigger's blueprint now, also of one that is paused."""
        asked = FireTrigger(inputs=_names(inputs), key=key)
        return Run(
            self, (await self.calls.post(f"/triggers/{part(trigger)}/fire", asked, Started)).run
        )

    async def publish(self, kind: str, data: object = None, *, key: str) -> builtins.list[Run]:
        """Tell of an event: every trigger of its kind that is not paused starts a run."""
        asked = Publish(type=kind, data=data, key=key)
        return [Run(self, run) for run in (await self.calls.post("/events", asked, Published)).runs]

    async def set_secret(self, name: str, value: str) -> None:
        """Keep a secret there, sealed."""
        await self.calls.post(f"/secrets/{part(name)}", SetSecret(value=value), SecretInfo)

    async def secrets(self) -> builtins.list[SecretInfo]:
        """The names of the secrets that are kept there; never what they are."""
        return (await self.calls.get("/secrets", SecretList)).secrets

    async def delete_secret(self, name: str) -> None:
        """Keep a secret no more; ``NotFound`` if there is none."""
        await self.calls.delete(f"/secrets/{part(name)}")

    async def cancel(self, run: str, reason: str = "", by: str = "") -> None:
        """Ask a run to stop: what runs is cancelled, nothing new starts."""
        await self._tell(run, "/cancel", CancelRun(reason=reason, by=by))

    async def pause(self, run: str, by: str = "") -> None:
        """Start nothing new until the run is resumed or stepped."""
        await self._tell(run, "/pause", PauseRun(by=by))

    async def resume(self, run: str, by: str = "", *, lost: str | None = None) -> None:
        """Let a run go on; arguments and errors are those of ``Conductor.resume``."""
        if lost not in _LOST:
            raise AtomitonError("lost attempts can be repeated or failed", code="INVALID_INPUT")
        await self._tell(run, "/resume", ResumeRun(by=by, lost=_LOST[lost]))

    async def signal(
        self, run: str, name: str, payload: object = None, by: str = "", *, key: str = ""
    ) -> None:
        """Send a signal to a run: the wait that has waited longest takes it, or a later one."""
        asked = SendSignal(name=name, payload=payload, by=by, key=key or None)
        await self._tell(run, "/signal", asked)

    async def approve(
        self,
        run: str,
        node: str | None = None,
        *,
        approved: bool = True,
        by: str = "",
        comment: str = "",
        fields: Mapping[str, object] | None = None,
        key: str = "",
    ) -> None:
        """Answer an approval; arguments and errors are those of ``Conductor.approve``."""
        asked = AnswerApproval(
            node=node,
            approved=approved,
            by=by,
            comment=comment,
            fields=_names(fields),
            key=key or None,
        )
        await self._tell(run, "/approve", asked)

    async def _tell(self, run: str, verb: str, asked: Asking) -> None:
        await self.calls.post(run_path(run, verb), asked, Done)

    async def preview(
        self,
        run: str,
        text: str,
        *,
        node: str = "",
        bare: bool = False,
        over: str | None = None,
        item: int = 0,
    ) -> Previewed:
        """What an expression would give; arguments are those of ``Conductor.preview``."""
        asked = PreviewExpression(run=run, text=text, node=node, bare=bare, over=over, item=item)
        return await self.calls.post("/expressions/preview", asked, Previewed)

    async def validate(self, source: str) -> Sequence[Problem]:
        """Check the text of a blueprint; gives every problem, and runs nothing."""
        return (await self.calls.post("/validate", Validate(source=source), Checked)).problems

    async def nodes(self) -> builtins.list[NodeInfo]:
        """The node types that blueprints can use there, by name."""
        return (await self.calls.get("/nodes", NodeList)).nodes


def _names(given: Mapping[str, object] | None) -> dict[str, object]:
    return {} if given is None else dict(given)
