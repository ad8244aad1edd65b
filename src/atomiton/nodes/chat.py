"""What is said to language models over HTTP: chat completions, whole and in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypedDict, cast

from atomiton.blueprint.types import check_value
from atomiton.errors import NodeError
from atomiton.nodes import json
from atomiton.ports.capabilities import Progress

Data = dict[str, object]

#: Characters of an answer after which progress is told again.
_STEP = 400


class ToolCall(TypedDict):
    """A tool that the model asks for, and what it is to be given."""

    id: str
    name: str
    arguments: object


class Usage(TypedDict):
    """Tokens that were counted."""

    input: int
    output: int
    total: int


class Reply(TypedDict):
    """What a model answered, before it is looked at."""

    message: Data
    finish: str
    model: str
    usage: Usage


class Listener:
    """Tells how far an answer is that comes in parts, as events.

    Args:
        progress: Whom to tell.
        most: Tokens that the answer may have; None if nobody said.
    """

    def __init__(self, progress: Progress, most: int | None) -> None:
        self._progress = progress
        self._most = most
        self._rest = b""
        self._text = ""
        self._told = 0
        self._tokens = 0

    def __call__(self, part: bytes) -> None:
        """Hear a part of the body."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for event in _events(b"\n".join(lines)):
            for choice in _list(event.get("choices")):
                said = _data(_data(choice).get("delta")).get("content")
                if isinstance(said, str) and said:
                    self._text += said
                    self._tokens += 1  # about one an event
        if len(self._text) - self._told >= _STEP or (self._text and not self._told):
            self._told = len(self._text)
            fraction = min(0.99, self._tokens / self._most) if self._most else 0.0
            self._progress.report(fraction, self._text[-200:])


def streamed(body: bytes) -> Reply:
    """The answer that a body of events makes up.

    Raises:
        NodeError: The events hold no answer, or end before it does.
    """
    text: list[str] = []
    calls: dict[int, Data] = {}
    last: Data = {}
    finish = ""
    for event in _events(body):
        if event.get("error"):
            raise NodeError(f"the model failed: {_said(event['error'])}", code="HTTP_STATUS")
        last |= {key: it for key, it in event.items() if it is not None}
        for item in _list(event.get("choices")):
            choice = _data(item)
            finish = str(choice.get("finish_reason") or finish)
            delta = _data(choice.get("delta"))
            text.append(str(delta.get("content") or delta.get("refusal") or ""))
            for call in _list(delta.get("tool_calls")):
                _gather(calls, _data(call))
    if not finish:
        raise NodeError("the answer ended before the model did", code="CONNECTION")
    message: Data = {"role": "assistant", "content": "".join(text)}
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    return _reply(last, message, finish)


def whole(body: bytes) -> Reply:
    """The answer of a body that is one JSON value."""
    try:
        answer = _data(json.decode(body, unique=False))
    except ValueError:
        raise NodeError("the model's server did not answer with JSON", code="HTTP_STATUS") from None
    choices = _list(answer.get("choices"))
    if not choices:
        raise NodeError("the model's server answered without a choice", code="HTTP_STATUS")
    choice = _data(choices[0])
    return _reply(answer, _data(choice.get("message")), str(choice.get("finish_reason") or ""))


def calls_of(message: Data) -> list[ToolCall]:
    """The tools that a model asks for; arguments that are no JSON fail the node."""
    found: list[ToolCall] = []
    for item in _list(message.get("tool_calls")):
        call = _data(item)
        function = _data(call.get("function"))
        name, text = str(function.get("name") or ""), str(function.get("arguments") or "{}")
        try:
            arguments = json.decode(text)
        except ValueError as error:
            said = f"the model asked for {name!r} with arguments that are not JSON: {error}"
            raise NodeError(said, code="MODEL_ANSWER") from None
        found.append({"id": str(call.get("id") or ""), "name": name, "arguments": arguments})
    return found


def value_of(text: str, schema: Mapping[str, object]) -> object:
    """The value that an answer is to be.

    Raises:
        NodeError: It is not JSON, or does not fit the schema; another try may do better.
    """
    try:
        value = json.decode(_unfenced(text))
    except ValueError as error:
        message = f"the model's answer is not JSON: {error}"
        raise NodeError(message, code="MODEL_ANSWER", details={"text": text[:2000]}) from None
    problems = [
        f"{place}: {said}" for place, said in check_value(value, schema, "answer", strict=True)
    ]
    if problems:
        raise NodeError(
            f"the model's answer does not fit the schema: {'; '.join(problems[:5])}",
            code="MODEL_ANSWER",
            details={"problems": problems[:50], "text": text[:2000]},
        )
    return value


def _unfenced(text: str) -> str:
    """JSON as some models write it: between marks of code."""
    inner = text.strip()
    if inner.startswith("```") and inner.endswith("```") and "\n" in inner:
        inner = inner[inner.index("\n") : -3]
    return inner


def _gather(calls: dict[int, Data], part: Data) -> None:
    """Add a part of a call, whose arguments come in pieces."""
    index = part.get("index")
    number = index if isinstance(index, int) else len(calls)
    call = calls.setdefault(number, {"id": "", "type": "function", "function": {}})
    call["id"] = part.get("id") or call["id"]
    known, more = _data(call["function"]), _data(part.get("function"))
    call["function"] = {
        "name": more.get("name") or known.get("name") or "",
        "arguments": f"{known.get('arguments') or ''}{more.get('arguments') or ''}",
    }


def _reply(answer: Data, message: Data, finish: str) -> Reply:
    counted = _data(answer.get("usage"))
    given, made = _count(counted.get("prompt_tokens")), _count(counted.get("completion_tokens"))
    total = _count(counted.get("total_tokens")) or given + made
    usage: Usage = {"input": given, "output": made, "total": total}
    model = str(answer.get("model") or "")
    return {"message": message, "finish": finish, "model": model, "usage": usage}


def _events(body: bytes) -> Iterator[Data]:
    for line in body.split(b"\n"):
        if not line.startswith(b"data:"):
            continue
        text = line[5:].strip()
        if text == b"[DONE]":
            return
        try:
            yield _data(json.decode(text, unique=False))
        except ValueError:
            raise NodeError("the model's server sent no JSON", code="HTTP_STATUS") from None


def _said(error: object) -> str:
    return str(_data(error).get("message") or error)[:1000]


def _data(value: object) -> Data:
    return cast("Data", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
