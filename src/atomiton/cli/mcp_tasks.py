"""Long runs as tasks of the Model Context Protocol: a run is a task, and its id the task's.

Tasks stand in the revision of 25 November 2025 alone; who speaks another one never hears of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import mcp.types as types
from mcp import MCPError

from atomiton.cli.mcp_tools import Tools
from atomiton.conductor import Conductor
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError
from atomiton.ports.journal import RunHeader

if TYPE_CHECKING:
    from mcp.server import Server, ServerRequestContext
    from mcp.server.context import CallNext, HandlerResult

#: The revision of the protocol that has tasks.
REVISION = "2025-11-25"
#: Milliseconds after which it makes sense to ask again.
_POLL = 1000
#: Most tasks of a page.
_PAGE = 100
_RELATED = "io.modelcontextprotocol/related-task"
_ENDED = ("completed", "failed", "cancelled")

Answer = Callable[[RunResult], types.CallToolResult]
"""Makes the answer of a tool of the result of a run."""


class Tasks:
    """Answers what is asked about tasks.

    Args:
        conductor: Has the runs.
        tools: Those that begin runs can be begun as tasks.
        answer: Makes the answer of a tool of the result of a run.
    """

    def __init__(self, conductor: Conductor, tools: Tools, answer: Answer) -> None:
        self._conductor = conductor
        self._tools = tools
        self._answer = answer

    def join(self, server: Server[Any]) -> None:
        """Let a server know of tasks."""
        server.middleware.append(_hide)
        server.middleware.append(self._begin)
        add = server.add_request_handler
        add("tasks/get", types.GetTaskRequestParams, self._spoken(self._get))
        add("tasks/result", types.GetTaskPayloadRequestParams, self._spoken(self._result))
        add("tasks/cancel", types.CancelTaskRequestParams, self._spoken(self._cancel))
        add("tasks/list", types.PaginatedRequestParams, self._spoken(self._list))

    @staticmethod
    def capability() -> types.ServerTasksCapability:
        """What a client is told of it at the beginning."""
        call = types.ServerTasksRequestsCapability(
            tools=types.TasksToolsCapability(call=types.TasksCallCapability())
        )
        return types.ServerTasksCapability(
            list=types.TasksListCapability(), cancel=types.TasksCancelCapability(), requests=call
        )

    async def _begin(self, ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
        """Begin a run without waiting for it, when a tool is called as a task."""
        given = ctx.params or {}
        spoken = ctx.protocol_version == REVISION and ctx.method == "tools/call"
        if not spoken or given.get("task") is None:
            return await call_next(ctx)
        params = types.CallToolRequestParams.model_validate(given, by_name=False)
        if not self._tools.begins_run(params.name):
            raise MCPError(types.METHOD_NOT_FOUND, f"{params.name!r} cannot be a task")
        try:
            run = await self._tools.begin(params.name, params.arguments or {})
            task = await self._task(run.id)
        except AtomitonError as error:
            raise MCPError(types.INVALID_PARAMS, error.message, {"code": error.code}) from error
        return {"task": _wire(task)}

    def _spoken(
        self, handler: Callable[[Any], Awaitable[dict[str, Any]]]
    ) -> Callable[[ServerRequestContext[Any], Any], Awaitable[dict[str, Any]]]:
        """A handler for those who know of tasks; an error of ours is one of the protocol."""

        async def handle(context: ServerRequestContext[Any], params: Any) -> dict[str, Any]:  # noqa: ANN401 - each has its own
            if context.protocol_version != REVISION:
                raise MCPError(types.METHOD_NOT_FOUND, "Method not found", context.method)
            try:
                return await handler(params)
            except AtomitonError as error:
                raise MCPError(types.INVALID_PARAMS, error.message, {"code": error.code}) from error

        return handle

    async def _get(self, params: types.GetTaskRequestParams) -> dict[str, Any]:
        return _wire(await self._task(params.task_id))

    async def _result(self, params: types.GetTaskPayloadRequestParams) -> dict[str, Any]:
        """The answer of the tool, once the run has ended."""
        ended = await self._tools.end_of(params.task_id)
        answer = _wire(self._answer(ended))
        answer.pop("resultType", None)
        answer["isError"] = ended.status != "completed"
        answer["_meta"] = {_RELATED: {"taskId": params.task_id}}
        return answer

    async def _cancel(self, params: types.CancelTaskRequestParams) -> dict[str, Any]:
        task = await self._task(params.task_id)
        if task.status in _ENDED:
            raise MCPError(types.INVALID_PARAMS, f"the task is {task.status} already")
        await self._conductor.cancel(params.task_id, by="assistant")
        # Whatever still cleans up: a task that was to be cancelled stays so.
        cancelled = task.model_copy(update={"status": "cancelled", "status_message": None})
        return _wire(cancelled)

    async def _list(self, params: types.PaginatedRequestParams) -> dict[str, Any]:
        before = params.cursor
        if before is not None:
            await self._conductor.show(before)  # an id of a run
        headers = await self._conductor.list(before=before, limit=_PAGE)
        tasks = [_task(header, header.error_message or header.reason) for header in headers]
        more = {"nextCursor": headers[-1].run} if len(headers) == _PAGE else {}
        return {"tasks": [_wire(task) for task in tasks], **more}

    async def _task(self, run: str) -> types.Task:
        header = await self._conductor.header(run)
        return _task(header, header.error_message or header.reason)


async def _hide(ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
    """Say nothing of tasks to those whose protocol has none."""
    given = await call_next(ctx)
    hello = given if ctx.method == "initialize" and isinstance(given, dict) else {}
    if hello.get("protocolVersion") != REVISION:
        hello.get("capabilities", {}).pop("tasks", None)
    return given


def _task(header: RunHeader, said: str | None) -> types.Task:
    status = header.status if header.status in _ENDED else "working"
    updated = datetime.now(UTC).timestamp() if header.ended_at is None else header.ended_at
    return types.Task(
        task_id=header.run,
        status=status,  # type: ignore[arg-type]  # one of the four
        status_message=said or (header.status if status == "working" else None),
        created_at=_moment(header.created_at),
        last_updated_at=_moment(updated),
        ttl=None,  # kept until somebody prunes the store
        poll_interval=_POLL,
    )


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()


def _wire(model: types.Task | types.CallToolResult) -> dict[str, Any]:
    wire = model.model_dump(by_alias=True, mode="json", exclude_none=True)
    return {"ttl": None, **wire} if isinstance(model, types.Task) else wire
