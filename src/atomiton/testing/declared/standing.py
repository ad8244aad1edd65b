"""Reading what stands in for nodes, servers and programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

from atomiton.blueprint.problems import Path
from atomiton.blueprint.reading import (
    ABSENT,
    Reader,
    Table,
    anything,
    as_list,
    as_mapping,
    boolean,
    delay,
    integer,
    mapping,
    some_text,
    text,
)
from atomiton.errors import NodeError
from atomiton.ports.capabilities import ProcessResult
from atomiton.testing.declared.values import from_plain
from atomiton.testing.fakes.http import reply
from atomiton.testing.results import REAL, InTurn


async def hang() -> None:
    """Give no answer, until somebody stops waiting for one."""
    await asyncio.get_running_loop().create_future()


def _value(reader: Reader, value: object, path: Path) -> object:
    try:
        return from_plain(value)
    except ValueError as error:
        return reader.wrong(path, str(error))


def _true(reader: Reader, value: object, path: Path) -> object:
    return True if value is True else reader.wrong(path, f"'{path[-1]}' can only be true")


def _details(reader: Reader, value: object, path: Path) -> object:
    if as_mapping(value) is None:
        return mapping(reader, value, path)
    return _value(reader, value, path)


_FAIL: Table = {
    "code": ("code", some_text),
    "message": ("message", text),
    "retryable": ("retryable", boolean),
    "details": ("details", _details),
    "times": ("times", integer(1)),
}


def _fail(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str):
        return {"message": value}
    read = reader.fields(value, path, _FAIL, "'fail'")
    return ABSENT if read is None else read


def _error(read: Mapping[str, object]) -> NodeError:
    return NodeError(
        cast("str", read.get("message", "as the test wants it")),
        code=cast("str | None", read.get("code")),
        retryable=cast("bool | None", read.get("retryable")),
        details=cast("Mapping[str, object] | None", read.get("details")),
    )


class _Stands:
    """Reads a mapping from names to what stands in for them.

    Args:
        what: What one is, for messages.
        table: Its keys, besides ``fail`` and ``in_turn``.
        make: Makes a result of its fields.
    """

    def __init__(
        self, what: str, table: Table, make: Callable[[Mapping[str, object]], object]
    ) -> None:
        self._what = what
        self._keys: Table = {**table, "fail": ("fail", _fail)}
        self._make = make

    def __call__(self, reader: Reader, value: object, path: Path) -> object:
        """Read it, as a handler does."""
        found = as_mapping(value)
        if found is None:
            return mapping(reader, value, path)
        return {name: self._several(reader, it, (*path, name)) for name, it in found.items()}

    def _several(self, reader: Reader, value: object, path: Path) -> object:
        found = as_mapping(value)
        if found is None or "in_turn" not in found:
            return self._one(reader, value, path)
        for key in found:
            if key != "in_turn":
                reader.wrong((*path, key), f"'{key}' cannot stand beside 'in_turn'", at_key=True)
        parts = as_list(found["in_turn"])
        if not parts:
            return reader.wrong((*path, "in_turn"), "'in_turn' must list at least one result")
        results: list[object] = []
        for place, part in enumerate(parts):
            result = self._one(reader, part, (*path, "in_turn", place))
            # What fails a number of times has its own end, which is here the next of the list.
            results += result.results[:-1] if isinstance(result, InTurn) else [result]
        return InTurn(results)

    def _one(self, reader: Reader, value: object, path: Path) -> object:
        read = reader.fields(value, path, self._keys, self._what)
        if read is None:
            return ABSENT
        if not read and value:
            return ABSENT  # what is wrong with it was said
        if not read:
            hint = f"its keys: {', '.join(self._keys)}, in_turn"
            return reader.wrong(path, f"{self._what} is empty", hint)
        fail = cast("dict[str, object] | None", read.pop("fail", None))
        if fail is None:
            return self._make(read)
        error, times = _error(fail), fail.get("times")
        if times is not None:
            return InTurn([*[error] * cast("int", times), self._make(read) if read else REAL])
        if read:
            return reader.wrong(path, "after 'fail' without 'times' nothing else can come")
        return error


def _node(read: Mapping[str, object]) -> object:
    if "hang" in read:
        return hang
    return REAL if "real" in read else read["output"]


replace = _Stands(
    "a replacement",
    {"output": ("output", _value), "hang": ("hang", _true), "real": ("real", _true)},
    _node,
)
"""Reads ``replace``: what nodes give."""


def _reply(read: Mapping[str, object]) -> object:
    body = next((read[key] for key in ("json", "text", "body") if key in read), b"")
    made = reply(
        body,
        status=cast("int", read.get("status", 200)),
        headers=cast("Mapping[str, str] | None", read.get("headers")),
        delay=cast("float", read.get("delay", 0.0)),
    )
    if "json" not in read or not isinstance(body, str | bytes):
        return made
    import msgspec

    headers = {**made.headers, "content-type": "application/json"}
    return msgspec.structs.replace(made, body=msgspec.json.encode(body), headers=headers)


routes = _Stands(
    "an answer",
    {
        "status": ("status", integer(100, 599)),
        "headers": ("headers", mapping),
        "json": ("json", anything),
        "text": ("text", text),
        "body": ("body", _value),
        "delay": ("delay", delay),
    },
    _reply,
)
"""Reads ``http``: what servers answer."""


def _ended(read: Mapping[str, object]) -> object:
    stdout, stderr = cast("str", read.get("stdout", "")), cast("str", read.get("stderr", ""))
    code = cast("int", read.get("exit_code", 0))
    return ProcessResult(code, stdout.encode(), stderr.encode(), None, timed_out=False)


programs = _Stands(
    "what a program does",
    {
        "stdout": ("stdout", text),
        "stderr": ("stderr", text),
        "exit_code": ("exit_code", integer(0, 255)),
    },
    _ended,
)
"""Reads ``programs``: what programs do."""
