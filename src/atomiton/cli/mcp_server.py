"""The tools of an assistant over the Model Context Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from atomiton.cli.mcp_tools import Tools
from atomiton.cli.output import result_object
from atomiton.cli.version import own_version
from atomiton.conductor import Conductor
from atomiton.errors import AtomitonError, BlueprintError

if TYPE_CHECKING:
    import mcp.types as types
    from mcp.server import ServerRequestContext

_INSTRUCTIONS = """\
Atomiton runs workflows: blueprints in YAML. To build one, look at list_node_types and
describe_node_type, write the text, let validate_blueprint check it until there are no problems,
then save_blueprint and run_blueprint. Each kept blueprint is also a tool of its own, run_ID.
Approvals are for people: they are answered in the studio or by `atomiton runs approve`.
"""


async def serve_tools(conductor: Conductor, patience: float) -> None:
    """Serve over standard input and output, until the input ends.

    Args:
        conductor: What the tools work with.
        patience: Seconds that a tool waits for a run.

    Raises:
        AtomitonError: The SDK of the protocol is not installed (NOT_SUPPORTED).
    """
    try:
        import mcp.types as types
        from mcp.server import Server
        from mcp.server.stdio import stdio_server
    except ImportError as error:
        message = "this needs the SDK of the protocol: install atomiton[mcp]"
        raise AtomitonError(message, code="NOT_SUPPORTED") from error
    from atomiton.cli.mcp_tasks import REVISION, Tasks

    tools = Tools(conductor, patience)
    optional = types.ToolExecution(task_support="optional")

    async def list_tools(
        context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        tasks = context.protocol_version == REVISION
        found = [
            types.Tool(
                name=tool.name,
                description=tool.description,
                input_schema=tool.schema,
                annotations=types.ToolAnnotations(read_only_hint=not tool.changes),
                execution=optional if tasks and tools.begins_run(tool.name) else None,
            )
            for tool in await tools.all()
        ]
        return types.ListToolsResult(tools=found)

    async def call_tool(
        _context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            given, failed = await tools.call(params.name, params.arguments or {}), False
        except AtomitonError as error:
            given, failed = _told(error), True
        return _answer(given, failed=failed)

    server = Server(
        "atomiton",
        version=own_version(),
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    Tasks(conductor, tools, lambda ended: _answer(result_object(ended))).join(server)
    options = server.create_initialization_options()
    options.capabilities = options.capabilities.model_copy(update={"tasks": Tasks.capability()})
    async with stdio_server() as (read, write):
        await server.run(read, write, options)


def _answer(given: object, *, failed: bool = False) -> types.CallToolResult:
    import mcp.types as types

    text = msgspec.json.encode(given, enc_hook=str).decode()
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)],
        structured_content=msgspec.json.decode(text),
        is_error=failed,
    )


def _told(error: AtomitonError) -> dict[str, object]:
    """What went wrong, as data that an assistant can act on."""
    told: dict[str, object] = {"code": error.code, "message": error.message}
    problems = getattr(error, "problems", None)
    if isinstance(error, BlueprintError) or problems:
        told["problems"] = msgspec.to_builtins(problems)
    elif error.details:
        told["details"] = error.details
    return {"error": told}
