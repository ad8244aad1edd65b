"""``@node`` reads a typed function."""

from __future__ import annotations

import asyncio
import datetime
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Optional, TypedDict, Union

import msgspec
import pydantic
import pytest

from atomiton.nodes.spec import Lambda, NodeFunction, node
from atomiton.ports.capabilities import Attempt, Clock, Files, Http, Log, Progress


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: float = 0.0


class Named(NamedTuple):
    a: int
    b: str = "x"


class Struct(msgspec.Struct):
    name: str
    points: list[Point] = []


class Model(pydantic.BaseModel):
    size: int
    inner: Inner | None = None


class Inner(pydantic.BaseModel):
    text: str


Model.model_rebuild()


class Fields(TypedDict):
    a: int
    b: NotRequired[object]


class Tree(TypedDict):
    value: int
    children: list[Tree]


POINT = {
    "title": "Point",
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "number"}},
    "required": ["x"],
}


def schema_of(annotation: object) -> tuple[dict[str, object], bool]:
    def function(value): ...

    function.__annotations__ = {"value": annotation}
    parameter = node("a.b")(function).type.parameters[0]
    return parameter.schema, parameter.annotation is not None


@pytest.mark.parametrize(
    ("annotation", "schema", "converted"),
    [
        (None, {"type": "null"}, False),
        (bool, {"type": "boolean"}, False),
        (int, {"type": "integer"}, False),
        (float, {"type": "number"}, False),
        (str, {"type": "string"}, False),
        (bytes, {"type": "string", "contentEncoding": "base64"}, True),
        (Any, {}, False),
        (object, {}, False),
        (list, {"type": "array"}, False),
        (list[object], {"type": "array"}, False),
        (list[int], {"type": "array", "items": {"type": "integer"}}, False),
        (dict, {"type": "object"}, False),
        (dict[str, object], {"type": "object"}, False),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}, False),
        (dict[int, int], {"type": "object", "additionalProperties": {"type": "integer"}}, True),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}, True),
        (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}, True),
        (Literal["a", "b"], {"enum": ["a", "b"]}, False),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}, False),  # noqa: UP045
        (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}, False),  # noqa: UP007
        (int | object, {}, False),
        (datetime.datetime, {"type": "string", "format": "date-time"}, True),
        (datetime.date, {"type": "string", "format": "date"}, True),
        (datetime.timedelta, {"type": ["string", "number"], "format": "duration"}, True),
        (Path, {"type": "string", "format": "path"}, True),
        (Color, {"title": "Color", "enum": ["red", "blue"]}, True),
        (Point, POINT, True),
        (list[Point], {"type": "array", "items": POINT}, True),
        (Annotated[int, msgspec.Meta(ge=3)], {"type": "integer", "minimum": 3}, True),
    ],
)
def test_a_type_becomes_a_schema(annotation, schema, converted) -> None:
    assert schema_of(annotation) == (schema, converted)


def test_named_types_become_objects() -> None:
    fields, converted = schema_of(Fields)
    assert fields == {
        "title": "Fields",
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {}},
        "required": ["a"],
    }
    assert not converted
    assert schema_of(Named)[0]["required"] == ["a"]
    struct, converted = schema_of(Struct)
    assert struct["properties"]["points"]["items"] == POINT
    assert converted
    model, converted = schema_of(Model)
    assert model["properties"]["inner"]["anyOf"][0]["properties"]["text"]["type"] == "string"
    assert "$defs" not in str(model)
    assert "$ref" not in str(model)
    assert converted


def test_a_type_that_holds_itself_ends() -> None:
    tree, converted = schema_of(Tree)
    assert tree["properties"]["children"] == {"type": "array", "items": {"type": "object"}}
    assert not converted


def test_a_function_is_read_whole() -> None:
    @node(effect="pure", timeout="1m30s", version=2, icon="star")
    async def shout_loud(
        text: str,
        times: Annotated[int, "How often."] = 1,
        color: Color = Color.RED,
        *,
        as_: Literal["x"] = "x",
        log: Log,
        step: Progress,
        who: Attempt,
        **others: int,
    ) -> Fields:
        """Say it
        loudly.

        More of it.

        Args:
            text: What to say,
                over two lines.
            log: Not a port.
        """
        return {"a": len(text) * times, "b": [as_, others, color]}

    type_ = shout_loud.type
    assert type_.name == "test_signature.shout_loud"
    assert (type_.title, type_.description) == ("Shout loud", "Say it loudly.")
    assert (type_.category, type_.version, type_.timeout) == ("test_signature", 2, 90.0)
    assert (type_.is_async, type_.runtime, type_.effect) == (True, "inline", "pure")
    assert type_.capabilities == {"log": "log", "step": "progress", "who": "attempt"}
    assert [p.name for p in type_.parameters] == ["text", "times", "color", "as", "others"]
    text, times, color, _, others = type_.parameters
    assert (text.required, text.description) == (True, "What to say, over two lines.")
    assert (times.required, times.default, times.description) == (False, 1, "How often.")
    assert (color.default, color.annotation) == ("red", Color)
    assert (others.variadic, others.required, others.schema) == (True, False, {"type": "integer"})
    assert list(type_.result["properties"]) == ["a", "b"]

    assert type_.renamed == {"as": "as_"}
    given = {"text": "hi", "times": 2, "as_": "x", "log": None, "step": None, "who": None, "n": 1}
    assert asyncio.run(type_.function(**given)) == {"a": 4, "b": ["x", {"n": 1}, Color.RED]}


def test_a_plain_function_runs_in_a_thread() -> None:
    @node
    def add(a: int, b: int = 2) -> int:
        return a + b

    assert isinstance(add, NodeFunction)
    assert add(1) == 3
    assert (add.type.runtime, add.type.is_async, add.type.effect) == ("thread", False, "idempotent")
    assert add.type.result == {"type": "integer"}
    assert add.type.plain_parameters
    assert not add.type.plain_result
    assert add.type.source.endswith(
        "test_signature:test_a_plain_function_runs_in_a_thread.<locals>.add"
    )


def test_an_expression_and_what_may_be_null() -> None:
    @node("a.keep")
    def keep(items: list, by: Lambda | None = None, *, clock: Clock | None = None): ...

    items, by = keep.type.parameters
    assert (by.expression, by.required, by.schema) == (True, False, {"type": "string"})
    assert not items.expression
    assert keep.type.capabilities == {"clock": "clock"}


def test_a_default_of_null_allows_null() -> None:
    (size,) = node("a.b")(sized).type.parameters
    assert size.schema == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def test_types_that_are_local_to_a_function_are_found() -> None:
    class Local(TypedDict):
        n: int

    @node("a.local")
    def function(value: Local) -> Local:
        return value

    assert function.type.parameters[0].schema["title"] == "Local"


def positional(a: int, /): ...
def listed(*many: int): ...
def odd(value: asyncio.Queue): ...
def odd_result() -> asyncio.Queue: ...
def odd_default(value: object = object): ...
def worldly(http: Http, files: Files): ...
def sized(value: int = None): ...  # noqa: RUF013
def unknown(value: Missing): ...  # noqa: F821
def steps():
    yield 1


@pytest.mark.parametrize(
    ("function", "settings", "said"),
    [
        (positional, {}, "parameter 'a' is positional-only"),
        (listed, {}, "parameter 'many' is a \\*list"),
        (odd, {}, "parameter 'value': type Queue has no JSON form"),
        (odd_result, {}, "the result: type Queue has no JSON form"),
        (odd_default, {}, "the default of parameter 'value' is a type"),
        (worldly, {"effect": "pure"}, "is pure, but asks for http, files"),
        (unknown, {}, "an annotation cannot be read: name 'Missing'"),
        (steps, {}, "cannot yield"),
        (Point, {}, "only a function can be a node"),
        (listed, {"effect": "maybe"}, "effect must be"),
        (listed, {"runtime": "moon"}, "runtime must be"),
        (unknown, {"timeout": "soon"}, "node 'a.b'"),
    ],
)
def test_what_cannot_be_a_node_is_refused_with_the_reason(function, settings, said) -> None:
    with pytest.raises(TypeError, match=said):
        node("a.b", **settings)(function)


def test_a_bad_name_or_timeout_is_refused() -> None:
    with pytest.raises(TypeError, match="is not a name"):
        node("1 2")(lambda: None)
    with pytest.raises(TypeError, match="timeout: 'soon' is not a duration"):
        node("a.b", timeout="soon")(lambda: None)
    with pytest.raises(TypeError, match="already is a node"):
        node("a.b")(node("a.b")(lambda: None))
