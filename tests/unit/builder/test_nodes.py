"""What a call of a node becomes: parameters, policies, ids; and inputs and output."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import pydantic
import pytest
from tests.unit.builder.making import (
    Order,
    Report,
    convert,
    document,
    first,
    keep,
    nodes,
    note,
    pick,
    read,
)

from atomiton.blueprint.model import Blueprint, Defaults, Limits, Retry
from atomiton.builder import blueprint, error_of, secret, status_of, use
from atomiton.errors import BlueprintError, TracingError
from atomiton.nodes import data, file
from atomiton.nodes.spec import node


class Color(enum.Enum):
    RED = "red"


class Named(NamedTuple):
    a: object
    b: int = 2


class Struct(msgspec.Struct, rename="camel"):
    some_name: object


class Model(pydantic.BaseModel):
    size: int


@node
def fetchAll(limit: int = 5) -> int:  # noqa: N802
    return limit


@node("mail.send", version=2)
def send(to: str) -> None: ...


def test_parameters_are_the_ports_of_the_type() -> None:
    def report(path: Path) -> object:
        orders = read(path)
        pick(orders, lambda order: order.total > 5, as_="dict")
        content = file.read("a.txt", as_="json")["content"]
        return use("file.read", path=content, as_="text").content

    made = document(report)
    assert made["nodes"] == {
        "read": {"uses": "orders.read", "with": {"path": "${{ inputs.path }}"}},
        "pick": {
            "uses": "orders.pick",
            "with": {"orders": "${{ read }}", "where": "item.total > 5", "as": "dict"},
        },
        "read_2": {"uses": "file.read", "with": {"path": "a.txt", "as": "json"}},
        "read_3": {"uses": "file.read", "with": {"path": "${{ read_2.content }}", "as": "text"}},
    }
    assert made["output"] == "${{ read_3.content }}"


def test_functions_of_an_item_are_expressions() -> None:
    def report(path: Path, least: float) -> object:
        orders = read(path)
        pick(orders, lambda order, place: (order.total > least) & (place < 3), as_="a")
        pick(orders, "item.total > 1", as_="b")  # type: ignore[arg-type]
        pick(orders, True, as_="c")  # type: ignore[arg-type]
        data.reduce([1], lambda acc, item: acc + item, 0)
        return use("data.filter", items=orders, where=lambda order: order.total > 5)

    made = nodes(report)
    assert made["pick"]["with"]["where"] == "item.total > inputs.least && index < 3"
    assert made["pick_2"]["with"]["where"] == "item.total > 1"
    assert made["pick_3"]["with"]["where"] == "true"
    assert made["reduce"]["with"] == {"items": [1], "value": "acc + item", "start": 0}
    assert made["filter"]["with"]["where"] == "item.total > 5"


def test_values_take_their_json_form_with_values_inside() -> None:
    def report(x: int) -> object:
        return note(
            [
                Order(1, x, ["a"]), Named(x), Struct(x), Model(size=3), Color.RED, Path("a/b"),
                datetime.date(2030, 1, 2), datetime.datetime(2030, 1, 2, tzinfo=datetime.UTC),
                {1.5, 2.5}, (x, None, True), {"a": {"b": x}},
            ]
        )  # fmt: skip

    assert nodes(report)["note"]["with"]["text"] == [
        {"id": 1, "total": "${{ inputs.x }}", "tags": ["a"], "by": {}},
        {"a": "${{ inputs.x }}", "b": 2},
        {"someName": "${{ inputs.x }}"},
        {"size": 3},
        "red",
        "a/b",
        "2030-01-02",
        "2030-01-02T00:00:00Z",
        [1.5, 2.5],
        ["${{ inputs.x }}", None, True],
        {"a": {"b": "${{ inputs.x }}"}},
    ]


def test_ids_come_from_types_and_are_never_words_of_expressions() -> None:
    def report(x: int) -> object:
        fetchAll()
        fetchAll(x)
        use("shell.run", command="true")
        use("a.item")
        use("acc")
        note.with_(id="mine")(x)
        return use("x.9lives")

    assert list(nodes(report)) == [
        "fetch_all", "fetch_all_2", "shell_run", "a_item", "node", "mine", "lives",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("id_", "words"),
    [
        ("note", "there is a node 'note' already, at line"),
        ("run", "cannot be the id of a node"),
        ("Note", "cannot be the id of a node"),
    ],
)
def test_a_wrong_id_is_refused(id_: str, words: str) -> None:
    def report(x: int) -> object:
        note(x)
        return note.with_(id=id_)(x)

    with pytest.raises(TracingError, match=words):
        nodes(report)


def test_policies_are_the_keys_of_the_node() -> None:
    def report(x: int) -> object:
        told = note(x)
        other = convert.with_(
            id="other",
            name="Other",
            description="What it is",
            needs=[told, "note.error", error_of(told)],
            if_=x > 5,
            join="any",
            enabled=False,
            retry=Retry(attempts=3, delay=0.2, on=("TIMEOUT",)),
            timeout="5s",
            deadline=60,
            on_error={"value": [0]},
            runtime="inline",
            cache="1h",
            weight=2,
        )(Order(1, 2))
        return note.with_(on_error="continue")(status_of(other))

    made = nodes(report)
    assert made["other"] == {
        "name": "Other",
        "description": "What it is",
        "enabled": False,
        "needs": ["note", "note.error", "note.error"],
        "join": "any",
        "if": "inputs.x > 5",
        "uses": "orders.convert",
        "with": {"order": {"id": 1, "total": 2, "tags": [], "by": {}}},
        "retry": {"attempts": 3, "delay": "200ms", "on": ["TIMEOUT"]},
        "timeout": "5s",
        "deadline": 60,
        "on_error": {"value": [0]},
        "runtime": "inline",
        "cache": "1h",
        "weight": 2,
    }
    assert made["note_2"]["on_error"] == "continue"
    assert made["note_2"]["with"] == {"text": "${{ nodes.other.status }}"}


def test_a_compensation_is_one_node_that_knows_the_result() -> None:
    def report(x: int) -> object:
        undo = note.with_(when_failed=True, timeout="5s")
        return first.with_(compensate=lambda order: undo(f"{order.id} of {x}"))([])

    assert nodes(report) == {
        "first": {
            "uses": "orders.first",
            "with": {"orders": []},
            "compensate": {
                "uses": "orders.note",
                "with": {"text": "${{ first.id }} of ${{ inputs.x }}"},
                "timeout": "5s",
                "when_failed": True,
            },
        }
    }
    assert nodes(lambda: first.with_(compensate=note)([]))["first"]["compensate"] == {
        "uses": "orders.note",
        "with": {"text": "${{ first }}"},
    }


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: convert(), "missing a required argument: 'order'; its parameters: order, "),
        (lambda x: convert(x, y=1), "unexpected keyword argument 'y'"),
        (lambda x: pick(x, lambda a, b, c, d: a), "the function takes 4 values"),
        (lambda x: note.with_(when_failed=True)(x), "belongs to the node that compensates"),
        (lambda x: note.with_(compensate=lambda r: 1)(x), "is one node, but 'note' is given 0"),
        (lambda x: note.with_(needs=[x])(x), "is no node of this body"),
        (lambda x: note.with_(needs=[5])(x), "give its result"),
        (lambda x: note(status_of(x)), "not the whole result of a node"),
        (lambda x: note.with_(on_error={"value": x})(x), "on_error is a constant"),
        (lambda x: note(note), "cannot stand in a blueprint"),
        (lambda x: x, "calls no node"),
        (lambda x: (note(x), object()), "a value of type object"),
    ],
)
def test_wrong_calls_name_the_line(function, words: str) -> None:
    with pytest.raises(TracingError) as caught:
        _ = blueprint(id="x")(function).blueprint
    assert words in str(caught.value)
    assert str(caught.value).startswith("tests/unit/builder/test_nodes.py:")


def test_a_wrong_policy_names_the_line_of_the_call() -> None:
    def report(x: int) -> object:
        note(x)
        return note.with_(timeout="soon")(x)

    with pytest.raises(BlueprintError) as caught:
        nodes(report)
    problem = caught.value.problems[0]
    assert (problem.path, problem.line) == (
        "nodes.note_2.timeout",
        report.__code__.co_firstlineno + 2,
    )


def test_inputs_are_declared_by_the_parameters() -> None:
    def report(
        path: Path,
        order: Order,
        when: datetime.date,
        any_: Any,
        data: bytes,
        pair: tuple[int, str],
        threshold: float = 100,
        mode: Literal["a", "b"] = "a",
        note_: Annotated[str, "What to say."] = "hi",
        most: int | None = None,
        color: Color = Color.RED,
        names: list[str] | None = None,
    ) -> object:
        """Say it.

        Args:
            path: Where it is.
        """
        return note(path)

    number = {"type": "integer"}
    made = blueprint(id="x")(report).blueprint
    assert made.document["description"] == "Say it."
    assert made.document["inputs"] == {
        "path": {"type": "string", "format": "path", "description": "Where it is."},
        "order": {
            "title": "Order",
            "type": "object",
            "properties": {
                "id": "integer",
                "total": "number",
                "tags": {"type": "array", "items": "string"},
                "by": {"type": "object", "additionalProperties": "integer"},
            },
            "required": ["id", "total"],
        },
        "when": "date",
        "any_": "any",
        "data": "any",
        "pair": {"type": "array", "minItems": 2, "maxItems": 2},
        "threshold": {"type": "number", "default": 100},
        "mode": {"enum": ["a", "b"], "default": "a"},
        "note_": {"type": "string", "description": "What to say.", "default": "hi"},
        "most": {"anyOf": ["integer", "null"], "default": None},
        "color": {"title": "Color", "enum": ["red"], "default": "red"},
        "names": {
            "anyOf": [{"type": "array", "items": "string"}, "null"],
            "default": None,
        },
    }
    assert made.inputs["most"]["anyOf"] == ["integer", "null"] or number


def test_the_output_is_what_the_function_returns() -> None:
    def nothing(x: int) -> None:
        note(x)

    def report(x: int) -> Report:
        return Report(note(x), 1)

    assert document(nothing)["output"] is None
    assert document(report)["output"] == {"path": "${{ note }}", "count": 1}


def test_the_head_is_what_the_decorator_is_told() -> None:
    @blueprint(
        id="a-b",
        name="A B",
        version="1.0",
        description="d",
        metadata={"tags": ["x"]},
        secrets=["KEY"],
        defaults=Defaults(retry=Retry(attempts=2), timeout=5, runtime="thread"),
        limits=Limits(concurrency=3, timeout=90),
        durability="async",
        compensate_on=["failure"],
        triggers=[{"event": {"type": "order.created"}}],
    )
    def report() -> object:
        return note([secret("TOKEN"), secret("KEY")])

    made: Blueprint = report.blueprint
    assert made.document == {
        "atomiton": 1,
        "id": "a-b",
        "name": "A B",
        "version": "1.0",
        "description": "d",
        "metadata": {"tags": ["x"]},
        "secrets": ["KEY", "TOKEN"],
        "defaults": {"retry": {"attempts": 2}, "timeout": "5s", "runtime": "thread"},
        "limits": {"concurrency": 3, "timeout": "1m30s"},
        "durability": "async",
        "compensate_on": ["failure"],
        "triggers": [{"event": {"type": "order.created"}}],
        "nodes": {
            "note": {
                "uses": "orders.note",
                "with": {"text": ["${{ secrets.TOKEN }}", "${{ secrets.KEY }}"]},
            }
        },
        "output": "${{ note }}",
    }


def test_versions_above_one_are_pinned() -> None:
    assert nodes(lambda: send("a"))["send"]["uses"] == "mail.send@2"


def test_it_is_traced_once_and_only_when_needed() -> None:
    calls = []

    @blueprint
    def my_report_(x: int) -> object:
        calls.append(x)
        return note(keep([], x))

    assert (my_report_.id, calls) == ("my-report", [])
    assert my_report_.blueprint is my_report_.blueprint
    assert my_report_.types == (keep.type, note.type)
    assert len(calls) == 1


@pytest.mark.parametrize("wrong", [5, Order, print, lambda: 1])
def test_only_a_named_function_can_be_a_blueprint(wrong: Any) -> None:
    with pytest.raises(TypeError):
        blueprint(wrong)


def test_what_cannot_be_a_blueprint_is_refused() -> None:
    async def later() -> None: ...

    with pytest.raises(TypeError, match="it is not async"):
        blueprint(later)  # type: ignore[unused-coroutine]
    with pytest.raises(TypeError, match="cannot be the id"):
        blueprint(id="A b")(lambda: 1)

    def many(*paths: str) -> object:
        return note(paths)

    with pytest.raises(TypeError, match="'paths' has no name"):
        document(many)

    @dataclass
    class Local:
        a: int

    @blueprint
    def local(x: Local) -> object:
        return note(x)

    assert local.blueprint.inputs["x"]["title"] == "Local"

    def unfit(x: threading.Lock) -> object:  # type: ignore[name-defined]  # noqa: F821
        return note(x)

    with pytest.raises(TypeError, match="an annotation cannot be read"):
        document(unfit)
