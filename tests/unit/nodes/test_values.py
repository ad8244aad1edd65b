"""The border between JSON values and Python's."""

from __future__ import annotations

import datetime
import enum
import math
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypedDict

import msgspec
import pydantic
import pytest

from atomiton.errors import NodeError
from atomiton.nodes.spec import node
from atomiton.nodes.values import converter, to_value

UTC = datetime.UTC


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


@dataclass
class Order:
    id: int
    path: Path | None = None


class Named(NamedTuple):
    a: int
    b: str = "x"


class Model(pydantic.BaseModel):
    size: int
    where: Path = Path("here")


class Fields(TypedDict):
    a: int


class Text(str):
    __slots__ = ()


def convert(annotation: object, value: object, **extra: object) -> object:
    def function(value): ...

    if extra:
        function.__defaults__ = (extra["default"],)
    function.__annotations__ = {"value": annotation}
    change = converter(node("a.b")(function).type.parameters[0])
    return value if change is None else change(value)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (object, {"a": 1}, {"a": 1}),
        (int, 3, 3),
        (int, 3.0, 3),
        (float, 3, 3.0),
        (str, "x", "x"),
        (list[int], [1, 2], [1, 2]),
        (list[int], [], []),
        (list[float], [1, 2.5], [1, 2.5]),
        (list[list[int]], [[1], []], [[1], []]),
        (list[dict[str, int]], [{"a": 1}], [{"a": 1}]),
        (Literal["a", 1], 1, 1),
        (int | None, None, None),
        (Fields, {"a": 1, "more": 2}, {"a": 1, "more": 2}),
        (bytes, b"x", b"x"),
        (bytes, "aGk=", b"hi"),
        (Path, "a/b", Path("a/b")),
        (Path, Path("a"), Path("a")),
        (list[Path], ["a"], [Path("a")]),
        (Path | str, "a", Path("a")),
        (Path | None, None, None),
        (Path | int, 3, 3),
        (datetime.datetime, "2026-01-02T03:04:05Z", datetime.datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        (datetime.date, "2026-01-02", datetime.date(2026, 1, 2)),
        (datetime.timedelta, "1m30s", datetime.timedelta(seconds=90)),
        (datetime.timedelta, 2, datetime.timedelta(seconds=2)),
        (datetime.timedelta, "PT2S", datetime.timedelta(seconds=2)),
        (Color, "red", Color.RED),
        (Order, {"id": 1, "path": "x"}, Order(1, Path("x"))),
        (list[Order], [{"id": 1}], [Order(1)]),
        (dict[int, Order], {"7": {"id": 1}}, {7: Order(1)}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (Named, {"a": 1}, Named(1)),
        (Named, [1, "y"], Named(1, "y")),
        (Model, {"size": 1}, Model(size=1)),
        (list[Model], [{"size": 1}], [Model(size=1)]),
        (Model | None, {"size": 1}, Model(size=1)),
        (Annotated[int, msgspec.Meta(ge=3)], 3, 3),
    ],
)
def test_json_becomes_what_is_declared(annotation, value, expected) -> None:
    got = convert(annotation, value)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value", "code", "said"),
    [
        (int, "3", "TYPE_MISMATCH", "must be an integer, not text"),
        (int, True, "TYPE_MISMATCH", "must be an integer, not a boolean"),
        (int, 1.5, "TYPE_MISMATCH", "must be an integer, not a number"),
        (bool, 1, "TYPE_MISMATCH", "must be a boolean, not an integer"),
        (str, b"x", "TYPE_MISMATCH", "must be text, not bytes"),
        (str, None, "TYPE_MISMATCH", "must be text, not null"),
        (list[object], "abc", "TYPE_MISMATCH", "must be a list, not text"),
        (list[int], [1, "x"], "TYPE_MISMATCH", r"\[1\] must be an integer, not text"),
        (list[int], [1, True], "TYPE_MISMATCH", r"\[1\] must be an integer, not a boolean"),
        (list[float], [1, True], "TYPE_MISMATCH", r"\[1\] must be a number, not a boolean"),
        (list[list[int]], [[1], ["x"]], "TYPE_MISMATCH", r"\[1\]\[0\] must be an integer"),
        (list[dict[str, int]], [{"a": "x"}], "TYPE_MISMATCH", r"\[0\]\.a must be an integer"),
        (dict[str, int], {"a": "x"}, "TYPE_MISMATCH", r"\.a must be an integer"),
        (Fields, {}, "TYPE_MISMATCH", "lacks 'a'"),
        (Fields, {"a": "x"}, "TYPE_MISMATCH", r"\.a must be an integer"),
        (Literal["a", "b"], "c", "TYPE_MISMATCH", "must be one of 'a', 'b', not 'c'"),
        (Literal[1], True, "TYPE_MISMATCH", "must be one of"),
        (int | str, [], "TYPE_MISMATCH", "must be an integer, not a list"),
        (bytes, "é", "INVALID_INPUT", "base64"),
        (Path, 3, "INVALID_INPUT", "expected the path of a file as text, got an integer"),
        (datetime.datetime, "yesterday", "INVALID_INPUT", "RFC3339"),
        (datetime.timedelta, "soon", "INVALID_INPUT", "is not a duration"),
        (Order, {"id": "x"}, "INVALID_INPUT", r"\$\.id"),
        (Named, {"a": 1, "z": 1}, "INVALID_INPUT", "unknown field 'z'"),
        (Named, {"b": "x"}, "INVALID_INPUT", "lacks 'a'"),
        (Model, {"size": "big"}, "INVALID_INPUT", "size"),
        (list[Model], [{"size": "big"}], "INVALID_INPUT", "size"),
        (Annotated[int, msgspec.Meta(ge=3)], 2, "INVALID_INPUT", ">= 3"),
    ],
)
def test_what_does_not_fit_names_the_parameter(annotation, value, code, said) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        convert(annotation, value)
    assert caught.value.code == code
    assert "parameter 'value'" in caught.value.message
    assert caught.value.details == {"parameter": "value"}
    assert not caught.value.retryable


def test_null_is_well_where_null_is_the_default() -> None:
    assert convert(Path, None, default=None) is None
    assert convert(int, None, default=None) is None


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", "ü", b"x", 2**63, -(2**63)])
def test_scalars_stay(value) -> None:
    assert to_value(value) is value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, (2, [3, (4,)])), [1, [2, [3, [4]]]]),
        ({1: "a", 2.5: "b"}, {"1": "a", "2.5": "b"}),
        ({Text("k"): Text("v")}, {"k": "v"}),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ({3, 1, 2}, [1, 2, 3]),
        (Color.RED, "red"),
        ([Level.LOW], [1]),
        (Order(1, Path("x")), {"id": 1, "path": "x"}),
        ([Order(1)], [{"id": 1, "path": None}]),
        (Named(1), {"a": 1, "b": "x"}),
        ([Named(1)], [[1, "x"]]),
        (Model(size=1), {"size": 1, "where": "here"}),
        ({"m": [Model(size=1)]}, {"m": [{"size": 1, "where": "here"}]}),
        (Path("a/b"), "a/b"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.timedelta(seconds=3), "PT3S"),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
        (namedtuple("P", "x")(1), {"x": 1}),  # noqa: PYI024
    ],
)
def test_results_become_json(value, expected) -> None:
    got = to_value(value)
    assert got == expected
    assert repr(got) == repr(expected)


def test_a_result_is_a_copy() -> None:
    inner: list[object] = [1]
    given = {"a": inner, "b": (inner,)}
    got = to_value(given)
    inner.append(2)
    assert got == {"a": [1], "b": [[1]]}


def test_date_times_stay_what_they_are() -> None:
    moment = datetime.datetime.now(UTC)
    assert to_value({"at": moment}) == {"at": moment}


def test_bytes_that_look_like_no_number_pass() -> None:
    value = {"b": b"\xcb\x7f\xf8\0\0", "f": [1.5, -0.0, 1.7e308]}
    assert to_value(value) == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "holds a value of type object, which"),
        ({"a": [1, object()]}, r"holds a value of type object at result\.a\[1\]"),
        ({"a": {(1,): 2}}, r"an object key of type tuple at result\.a"),
        ({"f": print}, r"at result\.f"),
        (2**64, "more than 64 bits"),
        ([-(2**63) - 1], "more than 64 bits"),
        ("\ud800", "not valid Unicode"),
        (["\ud800"], "not valid Unicode"),
        (math.nan, "is nan, which has no JSON form"),
        ({"a": [1.0, -math.inf]}, r"holds -inf at result\.a\[1\]"),
        (Order, "holds a value of type type"),
    ],
)
def test_what_has_no_json_form_is_refused(value, said) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        to_value(value)
    assert caught.value.code == "TYPE_MISMATCH"


def test_a_result_that_holds_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(NodeError, match="holds itself"):
        to_value(loop)
