"""A conversation in the Model Context Protocol, whatever carries it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, TypedDict, cast

from atomiton.errors import NodeError
from atomiton.ports.capabilities import Log, Progress

Data = dict[str, object]
"""A message, or a part of one."""

REVISION: Final = "2025-11-25"
"""The revision of the protocol that is spoken, if the server does not want an older one."""

_KNOWN: Final = ("2024-11-05", "2025-03-26", "2025-06-18", REVISION)  # said and done the same way
_REFUSED: Final = {-32601: "NOT_FOUND", -32602: "INVALID_INPUT"}


class Called(TypedDict):
    """What a tool gave.

    `text` is the text of all its parts; `value` its structured content, null if it gives none;
    `content` all parts as they came: text, images, links.

    Attributes:
        text: The text of all its parts.
        value: Its structured content; null if it gives none.
        content: All parts as they came: text, images, links.
    """

    text: str
    value: object
    content: list[object]


class Session(ABC):
    """A conversation with one server."""

    def __init__(self) -> None:
        self._number = 0

    @abstractmethod
    async def tell(self, message: Data) -> None:
        """Send what needs no answer."""

    @abstractmethod
    async def answer(self, asked: Data) -> Data:
        """Send a question, and give the answer to it."""

    def agreed(self, revision: str) -> None:  # noqa: B027 - most have nothing to note
        """Take note of the revision of the protocol that both speak."""

    async def call(self, tool: str, arguments: Data, token: str) -> Called:
        """Begin, and call a tool.

        Args:
            tool: Its name.
            arguments: What it is given.
            token: Under which it tells how far it is.

        Raises:
            NodeError: The tool failed, or the server refused.
        """
        await self._begin()
        given: Data = {"name": tool, "arguments": arguments, "_meta": {"progressToken": token}}
        return _called(tool, await self._ask("tools/call", given))

    async def _begin(self) -> None:
        """Agree on what is spoken."""
        about: Data = {"name": "atomiton", "version": "1"}
        wishes: Data = {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": about}
        agreed = (await self._ask("initialize", wishes)).get("protocolVersion")
        if agreed not in _KNOWN:
            message = f"the server speaks revision {agreed}, and this node {', '.join(_KNOWN)}"
            raise NodeError(message, code="NOT_SUPPORTED", retryable=False)
        self.agreed(str(agreed))
        await self.tell({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def _ask(self, method: str, params: Data) -> Data:
        """Ask, and wait for the answer."""
        self._number += 1
        asked: Data = {
            "jsonrpc": "2.0", "id": self._number, "method": method, "params": params,
        }  # fmt: skip
        answer = await self.answer(asked)
        error = data_of(answer.get("error"))
        if error:
            raise _refused(method, error)
        return data_of(answer.get("result"))


class Hears:
    """Hears what a server says on the way: its progress, and what it logs."""

    def __init__(self, progress: Progress, log: Log) -> None:
        self._progress = progress
        self._log = log

    def __call__(self, message: Data) -> None:
        """Hear a message."""
        said = data_of(message.get("params"))
        if message.get("method") == "notifications/progress":
            done, total = said.get("progress"), said.get("total")
            if isinstance(done, int | float) and isinstance(total, int | float) and total > 0:
                self._progress.report(done / total, str(said.get("message") or ""))
        elif message.get("method") == "notifications/message":
            level = str(said.get("level"))
            known = level if level in ("debug", "info", "warning") else "error"
            self._log.log("info" if level == "notice" else known, str(said.get("data"))[:2000])

    def stray(self, line: str) -> None:
        """Hear a line that is no message."""
        self._log.log("info", line[:2000])


def _called(tool: str, result: Data) -> Called:
    content = result.get("content")
    parts = cast("list[object]", content) if isinstance(content, list) else []
    texts = [
        str(data_of(part).get("text")) for part in parts if data_of(part).get("type") == "text"
    ]
    text = "\n".join(texts)
    if result.get("isError"):
        said = text[:2000] or "it did not say why"
        raise NodeError(f"the tool {tool!r} failed: {said}", code="TOOL_FAILED", retryable=False)
    return {"text": text, "value": result.get("structuredContent"), "content": parts}


def _refused(method: str, error: Data) -> NodeError:
    number = error.get("code")
    code = _REFUSED.get(number, "TOOL_FAILED") if isinstance(number, int) else "TOOL_FAILED"
    said = str(error.get("message"))[:2000]
    details = {"code": number, "data": error.get("data")}
    message = f"the server refused {method}: {said}"
    return NodeError(message, code=code, retryable=False, details=details)


def data_of(value: object) -> Data:
    """A value as an object; an empty one if it is none."""
    return cast("Data", value) if isinstance(value, dict) else {}
