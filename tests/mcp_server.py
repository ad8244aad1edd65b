"""A server of tools, by the SDK of the protocol: ``python tests/mcp_server.py [--json]``.

Prints its port, and serves until its standard input ends.
"""

from __future__ import annotations

import socket
import sys
import threading

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("tools")


@server.tool()
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@server.tool()
async def steps(count: int, context: Context) -> str:
    """Say how far it is."""
    for number in range(count):
        await context.report_progress(number + 1, count, f"step {number + 1}")
    return "done"


@server.tool()
def fail(why: str) -> str:
    """Fail."""
    raise ToolError(why)


def main() -> None:
    """Serve."""
    app = server.streamable_http_app(json_response="--json" in sys.argv)
    here = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="error"))

    def until_input_ends() -> None:
        sys.stdin.read()
        running.should_exit = True

    threading.Thread(target=until_input_ends, daemon=True).start()
    print(here.getsockname()[1], flush=True)
    running.run(sockets=[here])


if __name__ == "__main__":
    main()
