"""The runs of a Temporal namespace as a journal: what is on record there, and messages to runs."""

# ruff: noqa: ARG002 - much of what a journal is asked means nothing here
from __future__ import annotations

import asyncio
import builtins
import contextlib
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NoReturn, TypeVar, cast
from uuid import uuid4

import msgspec
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.converter import PayloadCodec
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from atomiton.conductor.temporal.address import Place, open_client, search_attributes
from atomiton.conductor.temporal.fired import fired
from atomiton.conductor.temporal.newest import Newest
from atomiton.conductor.temporal.told import is_busy, told
from atomiton.drivers.temporal.scheduled import shown_id, workflow_id
from atomiton.drivers.temporal.wire import (
    BY_BLUEPRINT,
    BY_STATUS,
    FACTS,
    HEAD,
    MEMO_RUN,
    MEMO_STATUS,
    TELL,
    WORKFLOW,
    About,
    Ended,
    FactsPage,
    Head,
    Start,
    unpack,
)
from atomiton.errors import NotFound, StoreError
from atomiton.machine.events import Event
from atomiton.machine.records import encode
from atomiton.ports.journal import Headers, Ids, Record, Records, RunHeader, StatusChange

_T = TypeVar("_T")
_ID = re.compile(r"[A-Za-z0-9_.:+@-]{1,255}")
_STATUS = {
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TIMED_OUT: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "cancelled",
}
#: How workflows stand of runs that have ended, and of others.
_LISTED = {
    "completed": "ExecutionStatus = 'Completed'",
    "failed": "ExecutionStatus IN ('Failed', 'TimedOut')",
    # What is cancelled by our own means fails with that error: its facts stand beside it.
    "cancelled": "ExecutionStatus IN ('Canceled', 'Terminated', 'Failed')",
}
_RUNNING, _OVER = "ExecutionStatus = 'Running'", "ExecutionStatus != 'Running'"
#: Seconds for a worker to answer a question.
_ANSWER = timedelta(seconds=20)
#: Seconds for it to take a message, before it is sent again: a worker that has just dropped the
#: run from its memory may let the first one lie.
_TAKEN = timedelta(seconds=5)
#: Seconds until a message is sent again that came while pure nodes were at work.
_SHORTLY = 0.05
#: What the server says when something else happened to a workflow that had just taken a message.
_LOST = "unexpected workflow task failure"
#: How often a message is sent then.
_TRIES = 10
#: How many facts of ended runs are kept, and blueprints.
_KEPT = 64
#: Seconds by which the server's list of runs may be behind.
_BEHIND = 5.0


class TemporalJournal:
    """What is on record of runs on a Temporal server.

    The workflows drive the runs, so nobody here ever owns one, and what a journal does for owners
    is refused.

    Args:
        place: The server.
        client: The way there, instead of one that is opened here.
        codec: What else is done to payloads.

    Attributes:
        address: What names the place.
        attributes: Whether the server finds runs by blueprint and status.
    """

    def __init__(
        self, place: Place, client: Client | None = None, codec: PayloadCodec | None = None
    ) -> None:
        self._codec = codec
        self.place = place
        self.address = place.address
        self._client = client
        self.attributes = False
        #: Ids of runs by the hash of their blueprint, to find the record of that.
        self._runs: OrderedDict[str, str] = OrderedDict()
        self._ended: OrderedDict[str, builtins.list[Event]] = OrderedDict()
        #: Runs that were started or told something here a moment ago.
        self._recent: dict[str, float] = {}

    @property
    def client(self) -> Client:
        """The way to the server."""
        if self._client is None:
            raise RuntimeError("a Conductor is used inside 'async with'")
        return self._client

    async def open(self) -> None:
        """Connect; ``Unavailable`` if the server cannot be reached."""
        if self._client is None:
            self._client = await open_client(self.place, self._codec)
        self.attributes = await search_attributes(self._client, self.place)

    async def close(self) -> None:
        """Forget what was read; the connection closes by itself."""
        self._runs.clear()
        self._ended.clear()

    # -- runs ----------------------------------------------------------------------------------

    def handle(self, run: str) -> WorkflowHandle[object, Ended]:
        """The workflow of a run; ``NotFound`` for what cannot be the id of one."""
        if not _ID.fullmatch(run):
            raise NotFound(f"there is no run {run!r:.100}")
        return self.client.get_workflow_handle(workflow_id(run), result_type=Ended)

    async def header(self, run: str) -> RunHeader:
        """Give one run's header; ``NotFound`` if there is none."""
        return await self._header(await self._described(run), exact=True)

    async def _described(self, run: str) -> WorkflowExecution:
        async with told(run):
            described = await self.handle(run).describe()
        if described.workflow_type != WORKFLOW:
            raise NotFound(f"there is no run {run}")
        return described

    async def _header(self, found: WorkflowExecution, *, exact: bool = False) -> RunHeader:
        """What a workflow's memos say of its run, and what the workflow says itself."""
        about = await _memo(found, MEMO_RUN, About)
        head = await _memo(found, MEMO_STATUS, Head) or Head("running")
        if about is None:
            about = About("?", "", found.start_time.timestamp())
        if about.trigger:
            about = fired(about, found)
        ended = None if found.close_time is None else found.close_time.timestamp()
        status = _STATUS.get(found.status or WorkflowExecutionStatus.RUNNING)
        if status is None and exact and found.status is WorkflowExecutionStatus.RUNNING:
            head = await self._ask(found.id, HEAD, None, Head)
        elif status is not None and head.ended_at is None:  # by other means than ours
            name = (found.status or WorkflowExecutionStatus.FAILED).name
            message = f"the workflow was {name.lower().replace('_', ' ')} on the server"
            head = Head(status, head.events, None, ended, "CANCELLED", message)
        self._note(about.digest, found.id)
        return RunHeader(
            run=shown_id(found.id),
            blueprint=about.blueprint,
            blueprint_hash=about.digest,
            created_at=about.created_at,
            version=about.version,
            status=head.status,
            ended_at=head.ended_at if ended is not None else None,
            events=head.events,
            key=about.key,
            reason=head.reason,
            owner=None if ended is not None else "temporal",
            error_code=head.error_code,
            error_message=head.error_message,
        )

    def _note(self, digest: str, run: str) -> None:
        self._runs[digest] = run
        self._runs.move_to_end(digest)
        if len(self._runs) > _KEPT:
            self._runs.popitem(last=False)

    async def read(self, run: str, after: int = 0, limit: int | None = None) -> Records:
        """Give the records ``after + 1 ...`` in order."""
        facts = await self.facts(run, after)
        return [encode(fact) for fact in facts[:limit]]

    async def facts(self, run: str, after: int = 0) -> builtins.list[Event]:
        """The facts after a number: of an ended run as its end says, else as the workflow does."""
        known = self._ended.get(run)
        if known is not None:
            return known[after:]
        async with told(run):
            described = await self.handle(run).describe()
        if described.status is not WorkflowExecutionStatus.RUNNING:
            beside = await self.end_of(run)
            if beside is not None:
                return beside[after:]
        found: builtins.list[Event] = []
        while True:
            page = await self._ask(run, FACTS, after + len(found), FactsPage)
            found.extend(unpack(page.facts))
            if after + len(found) >= page.total:
                break
        if page.ended and not after:
            self._keep(run, found)
        return found

    async def end_of(self, run: str) -> builtins.list[Event] | None:
        """Wait for a run to end; gives its facts, if they stand beside its result."""
        packed: object = ""
        try:
            packed = (await self.handle(run).result()).facts
        except WorkflowFailureError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError) and cause.details:
                packed = cause.details[0]
        if not isinstance(packed, str) or not packed:
            return None
        facts = unpack(packed)
        self._keep(run, facts)
        return facts

    def _keep(self, run: str, facts: builtins.list[Event]) -> None:
        self._ended[run] = facts
        if len(self._ended) > _KEPT:
            self._ended.popitem(last=False)

    async def _ask(self, run: str, query: str, argument: object, kind: type[_T]) -> _T:
        """Ask a workflow something."""
        arguments = [] if argument is None else [argument]
        async with told(run):
            handle = self.handle(run)
            for last, wait in enumerate((_TAKEN, _ANSWER)):  # the first one may lie, as messages do
                with contextlib.suppress(*() if last else (RPCError,)):
                    return cast(
                        "_T",
                        await handle.query(
                            query, args=arguments, result_type=kind, rpc_timeout=wait
                        ),
                    )
        raise AssertionError

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> Headers:
        """Give headers, newest first; ``before`` is the id of the last run already seen."""
        edge = None if before is None else await self._began(before)
        until = "" if edge is None else f" AND StartTime < '{edge.isoformat()}'"
        found: dict[str, RunHeader] = {}
        async with told(""):
            for run in self._lately():  # the list is behind by a moment
                described = await self._described(run)
                if edge is None or described.start_time < edge:
                    header = await self._header(described, exact=True)
                    if _fits(header, status, blueprint):
                        found[run] = header
            lately = set(self._lately())
            for query in self._queries(status, blueprint):
                known = Newest(limit)
                async for listed in _pages(self.client, query + until, limit):
                    if known.passed(listed):
                        break
                    header = await self._header(listed)
                    if header.run not in lately and _fits(header, status, blueprint):
                        found[header.run] = header
                        known.add(header)
        newest = sorted(found.values(), key=lambda of: (of.created_at, of.run), reverse=True)
        return newest[:limit]

    def _ours(self) -> str:
        """The query for the runs of the task queue."""
        queue = self.place.queue.replace("'", "''")
        return f"WorkflowType = '{WORKFLOW}' AND TaskQueue = '{queue}'"

    def _queries(self, status: str | None, blueprint: str | None) -> builtins.list[str]:
        """Queries for runs, each of which gives them in an order that is known: see ``Newest``."""
        states = [_RUNNING, _OVER] if status is None else [_LISTED.get(status, _RUNNING)]
        rest = self._filters(status, blueprint)
        return [f"{self._ours()} AND {state}{rest}" for state in states]

    def _filters(self, status: str | None, blueprint: str | None) -> str:
        """What the server can filter by itself; the rest is done here."""
        chosen = ""
        wanted = {BY_BLUEPRINT: blueprint, BY_STATUS: None if status in _LISTED else status}
        for name, value in wanted.items() if self.attributes else ():
            if value is not None:  # what was started without them has none
                text = value.replace("'", "''")
                chosen += f" AND ({name} = '{text}' OR {name} IS NULL)"
        return chosen

    def remember(self, run: str) -> None:
        """A run was started here, or told something: the server's list may not say so yet."""
        self._recent[run] = time.monotonic()

    def _lately(self) -> builtins.list[str]:
        """The runs that the server's list may be behind with."""
        end = time.monotonic() - _BEHIND
        self._recent = {run: at for run, at in self._recent.items() if at > end}
        return [*self._recent]

    async def _began(self, run: str) -> datetime | None:
        """When a run began; None for one that is not known, which bounds nothing.

        Ids do not say it: those of runs under a key, and of schedules, do not sort by that.
        """
        try:
            return (await self.handle(run).describe()).start_time.astimezone(UTC)
        except (RPCError, NotFound):
            return None

    async def starting(self, text: str, limit: int = 10) -> Ids:
        """Ids that start with a text, sorted."""
        if not _ID.fullmatch(text):
            return []
        query = self._ours() + f" AND WorkflowId STARTS_WITH '{workflow_id(text)}'"
        found = {run for run in self._lately() if run.startswith(text)}
        async with told(""):
            async for listed in self.client.list_workflows(query, limit=limit):
                found.add(shown_id(listed.id))
        return sorted(found)[:limit]

    async def ending(self, text: str, limit: int = 10) -> Ids:
        """Ids that end with a text, of the newest thousand, oldest first."""
        headers = await self.list(limit=1000)
        found = [of.run for of in headers if of.run.endswith(text)]
        return found[::-1][:limit]

    async def post(self, run: str, message: bytes) -> None:
        """Let a run take a message; returns when it has.

        Raises:
            AtomitonError: The run has ended, or cannot take it as it stands.
        """
        # Under one id the workflow takes it once, however often it is sent.
        number, tries = uuid4().hex, _TRIES
        until = time.monotonic() + _ANSWER.total_seconds() - 1
        async with told(run):
            handle = self.handle(run)
            # The library's own type has a part that is not known.
            update = cast("Callable[..., Awaitable[object]]", handle.execute_update)  # pyright: ignore[reportUnknownMemberType]
            while True:
                try:
                    await update(TELL, message, id=number, rpc_timeout=_TAKEN)
                    break
                except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                    if wanted_no_more():  # the library makes the same error of that
                        raise asyncio.CancelledError from error
                    if time.monotonic() >= until:
                        raise
                except WorkflowUpdateFailedError as error:
                    if not is_busy(error) or time.monotonic() >= until:
                        raise
                    await asyncio.sleep(_SHORTLY)
                except RPCError as error:
                    tries -= 1
                    if not tries or _LOST not in error.message:
                        raise
        self.remember(run)

    # -- blueprints ----------------------------------------------------------------------------

    async def save_blueprint(self, digest: str, document: bytes) -> None:
        """Nothing: a run brings its blueprint along."""

    async def load_blueprint(self, digest: str) -> bytes:
        """Give the document back, out of the beginning of a run; ``NotFound`` if there is none."""
        run = self._runs.get(digest)
        if run is None:
            raise NotFound(f"there is no blueprint {digest}")
        async with told(run):
            async for event in self.handle(run).fetch_history_events(page_size=1):
                payloads = event.workflow_execution_started_event_attributes.input.payloads
                (start,) = await self.client.data_converter.decode(payloads, [Start])
                return msgspec.json.encode(start.record)
        raise NotFound(f"there is no run {run}")

    # -- what owners do ------------------------------------------------------------------------

    async def create(self, header: RunHeader, records: Sequence[Record], *, sync: bool) -> str:
        """Refused: a conductor on Temporal starts workflows."""
        self._refuse()

    async def append(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
        *,
        sync: bool,
    ) -> None:
        """Refused: the workflow appends."""
        self._refuse()

    def append_now(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
    ) -> bool:
        """Never."""
        return False

    async def claim(self, run: str) -> bool:
        """Never: the workflow drives it."""
        return False

    async def release(self, run: str) -> None:
        """Nothing: nobody owns it."""

    async def park(self, run: str, wake_at: float) -> bool:
        """Never: the workflow rests by itself."""
        return False

    async def due(self, now: float, limit: int = 1000) -> Ids:
        """None: the server wakes runs."""
        return []

    async def abandoned(self, limit: int = 1000, after: str = "") -> Ids:
        """None: the server hands runs to the workers that are there."""
        return []

    async def mailed(self) -> Ids:
        """None."""
        return []

    async def take_messages(self, run: str) -> Records:
        """None."""
        return []

    def _refuse(self) -> NoReturn:
        raise StoreError("runs on Temporal are driven by their workflows")


async def _pages(client: Client, query: str, limit: int) -> AsyncIterator[WorkflowExecution]:
    """What a query of the server's list gives, newest first."""
    async for found in client.list_workflows(query, page_size=min(1000, max(limit, 10))):
        if found.status is not WorkflowExecutionStatus.CONTINUED_AS_NEW:
            yield found


def _fits(header: RunHeader, status: str | None, blueprint: str | None) -> bool:
    return status in (None, header.status) and blueprint in (None, header.blueprint)


async def _memo(found: WorkflowExecution, name: str, kind: type[_T]) -> _T | None:
    return await found.memo_value(name, None, type_hint=kind)


def wanted_no_more() -> bool:
    """Whether somebody has cancelled what is being done here."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
