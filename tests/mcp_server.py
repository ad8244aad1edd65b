"""A server of tools, by the SDK of the protocol: ``python tests/mcp_server.py [--json]``.

Prints its port, and serves until its standard input ends; with ``--stdio`` it serves there.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

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


@server.tool()
def conversations_add_message(
    channel_id: str, thread_ts: str, payload: str, content_type: str
) -> dict[str, str]:
    """Take a message, as a server of a chat does."""
    token = os.environ.get("SLACK_MCP_XOXP_TOKEN", "")
    said = {"channel": channel_id, "thread": thread_ts, "text": payload, "type": content_type}
    return {**said, "by": token[:4], "arguments": " ".join(sys.argv[2:])}


@server.tool()
def around(name: str) -> dict[str, str]:
    """Tell of a variable and the folder."""
    return {"variable": os.environ.get(name, ""), "folder": str(Path.cwd())}


@server.tool()
def leave(word: str) -> str:
    """Say a last word, and end."""
    print(word, file=sys.stderr, flush=True)
    os._exit(3)


@server.tool()
def child_that_stays() -> str:
    """Start a program that goes on for long, tell its id, and answer never."""
    child = subprocess.Popen(["sleep", "60"])
    Path("child.pid").write_text(str(child.pid), encoding="utf-8")
    time.sleep(60)
    return "never"


def main() -> None:
    """Serve."""
    if "--stdio" in sys.argv:
        print("hello, this is no message", flush=True)
        server.run("stdio")
        return
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
