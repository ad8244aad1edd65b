"""Groups, waits and children, as documents; and what is refused."""

from __future__ import annotations

import datetime

import pytest
from tests.unit.builder.making import child, convert, grow, nodes, note, pick, two

from atomiton.blueprint.model import Retry
from atomiton.builder import (
    approval,
    blueprint,
    branch,
    call,
    each,
    error_of,
    expression,
    group,
    race,
    repeat,
    secret,
    switch,
    use,
    wait_for,
)
from atomiton.errors import TracingError
from atomiton.nodes.data import value


def test_a_group_has_a_scope_and_policies() -> None:
    def report(x: int) -> object:
        outside = convert(x)
        inside = group(lambda: note([note(outside), x]), id="both", timeout="5s", if_=outside > 1)
        group(lambda: [note(1), None][1], needs=[inside])
        return inside

    made = nodes(report)
    assert made["both"] == {
        "if": "convert > 1",
        "nodes": {
            "note": {"uses": "orders.note", "with": {"text": "${{ convert }}"}},
            "note_2": {
                "uses": "orders.note",
                "with": {"text": ["${{ note }}", "${{ inputs.x }}"]},
            },
        },
        "output": "${{ note_2 }}",
        "timeout": "5s",
    }
    assert made["group"]["needs"] == ["both"]
    assert made["group"]["output"] == "${{ null }}"


def test_a_race_gives_what_the_winner_gave() -> None:
    def slow() -> object:
        wait_for("1s")
        return note(note(2))

    made = nodes(lambda x: note(race(lambda: note(x), slow)))
    assert made["race"] == {
        "race": True,
        "nodes": {
            "note": {"uses": "orders.note", "with": {"text": "${{ inputs.x }}"}},
            "slow": {
                "nodes": {
                    "wait": {"wait": {"for": "1s"}},
                    "note_2": {"uses": "orders.note", "with": {"text": 2}},
                    "note_3": {"uses": "orders.note", "with": {"text": "${{ note_2 }}"}},
                },
                "output": "${{ note_3 }}",
            },
        },
        "output": "${{ nodes.note.status == 'completed' ? note : slow }}",
    }


def test_waits() -> None:
    def report(x: int) -> object:
        pause = wait_for(2.5)
        wait_for(f"{x}s")
        wait_for(until="2030-01-01T00:00:00Z", needs=[pause])
        wait_for(until=datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC), id="new_year")
        wait_for(until=expression("run.started_at"))
        paid = wait_for(signal="paid", match=lambda p: p.amount > x, timeout="1h")
        answer = approval(
            f"Pay {paid.amount}?", description="Now", fields={"amount": float}, timeout="2d"
        )
        return note(answer.fields["amount"])

    made = nodes(report)
    assert [node["wait"] for node in list(made.values())[:-1]] == [
        {"for": 2.5},
        {"for": "${{ inputs.x }}s"},
        {"until": "timestamp('2030-01-01T00:00:00Z')"},
        {"until": "timestamp('2030-01-01T00:00:00Z')"},
        {"until": "run.started_at"},
        {"signal": "paid", "match": "payload.amount > inputs.x", "timeout": "1h"},
        {
            "approval": {
                "title": "Pay ${{ paid.amount }}?",
                "description": "Now",
                "fields": {"amount": "number"},
            },
            "timeout": "2d",
        },
    ]
    assert made["wait_3"]["needs"] == ["wait"]
    assert made["note"]["with"]["text"] == "${{ approval.fields.amount }}"


def test_calls_of_blueprints_are_children() -> None:
    @blueprint
    def parent(x: list) -> object:
        child(x[0])
        call(child, x[1], currency="USD")
        call("other@1.0", order=x)
        call("./more/my-file.yaml")
        return each(x, child, currency="CHF")

    assert parent.blueprint.document["nodes"] == {
        "child": {"call": "child", "with": {"order": "${{ inputs.x[0] }}"}},
        "child_2": {
            "call": "child",
            "with": {"order": "${{ inputs.x[1] }}", "currency": "USD"},
        },
        "other": {"call": "other@1.0", "with": {"order": "${{ inputs.x }}"}},
        "my_file": {"call": "./more/my-file.yaml"},
        "child_3": {
            "map": "${{ inputs.x }}",
            "as": "order",
            "call": "child",
            "with": {"order": "${{ order }}", "currency": "CHF"},
        },
    }
    assert dict(parent.children) == {"child": child}
    assert parent.types == (note.type,)


def test_blueprints_may_call_themselves() -> None:
    @blueprint
    def countdown(n: int) -> object:
        return branch(n > 0, then=lambda: countdown(n - 1), otherwise=lambda: note("go"))

    assert countdown.blueprint.nodes["countdown"].call == "countdown"
    assert countdown.children == {"countdown": countdown}
    assert {type_.name for type_ in countdown.types} == {"orders.note", "data.value"}


def test_two_children_of_one_id_are_refused() -> None:
    @blueprint(id="child")
    def other() -> object:
        return note(1)

    with pytest.raises(TracingError, match="another blueprint with the id 'child'"):
        nodes(lambda x: note([child(x), other()]))


def test_error_routes() -> None:
    def report(x: int) -> object:
        tried = convert(x)
        told = note.with_(needs=[error_of(tried)])(error_of(tried).message)
        return note([tried, told])

    assert nodes(report)["note"] == {
        "needs": ["convert.error"],
        "uses": "orders.note",
        "with": {"text": "${{ nodes.convert.error.message }}"},
    }


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: group(lambda: x), "group() calls no node here"),
        (lambda x: race(lambda: note(x)), "at least two functions"),
        (lambda x: race(lambda: note(x), lambda: x), "must call a node"),
        (lambda x: each(x, lambda o: o, concurrency=2), "only computes"),
        (lambda x: wait_for(), "exactly one of a time"),
        (lambda x: wait_for(1, until="x"), "exactly one of a time"),
        (lambda x: wait_for(1, timeout=2), "belong to a signal"),
        (lambda x: switch({}), "at least one route"),
        (lambda x: child(), "missing a required argument: 'order'; its inputs: order, currency"),
        (lambda x: child(x, size=1), "unexpected keyword argument 'size'"),
        (lambda x: call("child", x), "by name"),
        (lambda x: child.run(x), "cannot be run while another blueprint is built"),
        (lambda x: pick(x, lambda item: note(item)), "no node can be called in the function given"),
        (
            lambda x: repeat(grow, 1, until=lambda acc: note(acc) == 1),
            "no node can be called in the condition of repeat()",
        ),
        (
            lambda x: wait_for(signal="a", match=lambda p: note(p) == 1),
            "no node can be called in the function given as match",
        ),
        (lambda x: each(x, two), "missing a required argument: 'b'"),
    ],
)
def test_wrong_uses_name_the_line(function, words: str) -> None:
    with pytest.raises(TracingError) as caught:
        nodes(lambda x: value(function(x)))
    assert words in str(caught.value)
    assert str(caught.value).startswith("tests/unit/builder/test_groups.py:")


def test_node_types_used_by_name_take_policies() -> None:
    patient = use.with_(timeout="5s", retry=Retry(attempts=2)).with_(timeout="9s", id="mine")
    assert nodes(lambda x: patient("crm.find@2", name=x, as_=1).found) == {
        "mine": {
            "uses": "crm.find@2",
            "with": {"name": "${{ inputs.x }}", "as": 1},
            "retry": {"attempts": 2},
            "timeout": "9s",
        }
    }


def test_what_only_a_run_knows_needs_a_blueprint() -> None:
    for function in (
        lambda: use("file.read", path="a"),
        lambda: call("other"),
        lambda: secret("KEY"),
        lambda: expression("run.id"),
    ):
        with pytest.raises(TracingError, match="that is being built"):
            function()
