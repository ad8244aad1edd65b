"""Repeats and branches, as documents."""

from __future__ import annotations

import pytest
from tests.unit.builder.making import convert, document, first, grow, nodes, note

from atomiton.builder import (
    branch,
    each,
    group,
    repeat,
    switch,
)
from atomiton.errors import TracingError

# --- each -------------------------------------------------------------------------------------


def test_each_of_a_node_is_that_node_mapped() -> None:
    def report(x: list) -> object:
        other = note(1)
        quick = convert.with_(retry=None, timeout="5s", needs=[other], compensate=note, if_=True)
        more = {"concurrency": 8, "on_item_error": "skip", "id": "mine"}
        return each(x, quick, currency="USD", needs=[note(2), other], **more)

    assert nodes(report)["mine"] == {
        "needs": ["note", "note_2"],
        "if": "true",
        "map": "${{ inputs.x }}",
        "concurrency": 8,
        "on_item_error": "skip",
        "uses": "orders.convert",
        "with": {"order": "${{ item }}", "currency": "USD"},
        "timeout": "5s",
        "compensate": {"uses": "orders.note", "with": {"text": "${{ mine }}"}},
    }


def test_each_of_a_function_that_calls_one_node_is_that_node_mapped() -> None:
    made = nodes(lambda x: each(x, lambda order, place: convert(order.a, f"{place}-")))
    assert made == {
        "convert": {
            "map": "${{ inputs.x }}",
            "as": "order",
            "uses": "orders.convert",
            "with": {"order": "${{ order.a }}", "currency": "${{ index }}-"},
        }
    }


def test_each_of_a_function_that_does_more_is_a_group() -> None:
    def one(order) -> object:
        return note(convert(order)) + "!"

    def report(x: list) -> object:
        return each(x, one)[0]

    made = document(report)
    assert made["nodes"] == {
        "one": {
            "map": "${{ inputs.x }}",
            "as": "order",
            "nodes": {
                "convert": {"uses": "orders.convert", "with": {"order": "${{ order }}"}},
                "note": {"uses": "orders.note", "with": {"text": "${{ convert }}"}},
            },
            "output": "${{ note + '!' }}",
        }
    }
    assert made["output"] == "${{ one[0] }}"


def test_policies_that_mean_one_turn_keep_the_node_in_a_group() -> None:
    made = nodes(lambda x: each(x, lambda i: note.with_(if_=i > 1)(i)))
    assert made == {
        "each": {
            "map": "${{ inputs.x }}",
            "as": "i",
            "nodes": {"note": {"if": "i > 1", "uses": "orders.note", "with": {"text": "${{ i }}"}}},
            "output": "${{ note }}",
        }
    }


def test_each_without_a_node_computes() -> None:
    def report(x: list, y: int) -> object:
        return note(
            [
                each(x, lambda o: o.total * y),
                each(x, lambda o, place: {"place": place, "total": o.total}),
                each([1, 2], lambda o: each(x, lambda p: o + p)),
            ]
        )

    assert nodes(report)["note"]["with"]["text"] == [
        "${{ inputs.x.map(o, o.total * inputs.y) }}",
        "${{ inputs.x.transformList(index, o, {'place': index, 'total': o.total}) }}",
        "${{ [1, 2].map(o, inputs.x.map(p, o + p)) }}",
    ]


def test_items_of_repeats_in_each_other_have_different_names() -> None:
    made = nodes(lambda x: each(x, lambda item: each(item, lambda item: note(item))))
    assert made["each"]["nodes"]["note"]["map"] == "${{ item }}"
    assert made["each"]["nodes"]["note"]["as"] == "item_2"
    assert made["each"]["nodes"]["note"]["with"] == {"text": "${{ item_2 }}"}
    side_by_side = nodes(
        lambda x: note([each(x, lambda o: convert(o)), each(x, lambda o: grow(o))])
    )
    assert [node.get("as") for node in side_by_side.values()] == ["o", "o", None]


def test_an_index_that_is_hidden_is_refused() -> None:
    def report(x: list) -> object:
        return each(x, lambda a, place: each(x, lambda b: note([b, place])))

    with pytest.raises(TracingError, match="hidden by the function given to"):
        nodes(report)


def test_what_is_inside_a_repeat_cannot_be_used_outside() -> None:
    kept: list = []

    def one(item) -> object:
        kept.append(convert(item))
        return [kept[0], note(1)]

    def report(x: list) -> object:
        each(x, one)
        return note(kept[0])

    with pytest.raises(TracingError, match="'convert' is known only inside the function given to"):
        nodes(report)


# --- repeat -----------------------------------------------------------------------------------


def test_repeat_of_a_node_is_that_node_in_a_loop() -> None:
    made = nodes(lambda x: repeat(grow, x, by=2, until=lambda n: n > 5, max=9, delay="1s", id="up"))
    assert made == {
        "up": {
            "loop": {
                "until": "acc > 5",
                "start": "${{ inputs.x }}",
                "max": 9,
                "delay": "1s",
            },
            "uses": "orders.grow",
            "with": {"number": "${{ acc }}", "by": 2},
        }
    }


def test_repeat_of_several_nodes_is_a_group_and_of_none_a_value() -> None:
    def report(x: int) -> object:
        a = repeat(lambda n, turn: grow(grow(n), turn), 0, times=x + 1)
        return repeat(lambda n: n * a, 1, while_=lambda n: n < 100)

    assert nodes(report) == {
        "repeat": {
            "loop": {"times": "inputs.x + 1", "start": 0},
            "nodes": {
                "grow": {"uses": "orders.grow", "with": {"number": "${{ acc }}"}},
                "grow_2": {
                    "uses": "orders.grow",
                    "with": {"number": "${{ grow }}", "by": "${{ index }}"},
                },
            },
            "output": "${{ grow_2 }}",
        },
        "repeat_2": {
            "loop": {"while": "acc < 100", "start": 1},
            "uses": "data.value",
            "with": {"value": "${{ acc * repeat }}"},
        },
    }


def test_repeat_needs_one_end() -> None:
    for ends in ({}, {"times": 1, "until": bool}):
        with pytest.raises(TracingError, match="exactly one of while_, until and times"):
            repeat(grow, 1, **ends)


# --- branch and switch ------------------------------------------------------------------------


def test_a_branch_merges_the_values_of_its_routes() -> None:
    def report(x: int) -> object:
        found = branch(
            x > 5, then=lambda: note(convert({"id": x})), otherwise=lambda: first([]).id + 1
        )
        return note(found)

    assert nodes(report) == {
        "branch": {"branch": {"then": "inputs.x > 5", "otherwise": "else"}},
        "convert": {
            "needs": ["branch.then"],
            "uses": "orders.convert",
            "with": {"order": {"id": "${{ inputs.x }}"}},
        },
        "note": {"uses": "orders.note", "with": {"text": "${{ convert }}"}},
        "first": {
            "needs": ["branch.otherwise"],
            "uses": "orders.first",
            "with": {"orders": []},
        },
        "merge": {
            "uses": "data.value",
            "with": {"value": "${{ branch.route == 'then' ? note : first.id + 1 }}"},
        },
        "note_2": {"uses": "orders.note", "with": {"text": "${{ merge }}"}},
    }


def test_a_route_without_nodes_is_waited_for_by_its_name() -> None:
    made = nodes(lambda x: note(branch(x > 5, then=lambda: convert(x))))
    assert made["merge"] == {
        "needs": ["branch.otherwise"],
        "uses": "data.value",
        "with": {"value": "${{ branch.route == 'then' ? convert : null }}"},
    }


def test_what_a_route_does_beside_its_value_is_waited_for() -> None:
    def then() -> object:
        note("told")
        return 5

    made = nodes(lambda x: grow(branch(x > 5, then=then, otherwise=lambda: convert(x))))
    assert made["note"]["needs"] == ["branch.then"]
    assert made["merge"]["needs"] == ["note"]
    assert made["merge"]["with"]["value"] == "${{ branch.route == 'then' ? 5 : convert }}"


def test_a_value_that_nobody_uses_is_not_merged() -> None:
    def report(x: int) -> object:
        branch(x > 5, then=lambda: note(1), otherwise=lambda: branch(x > 1, then=lambda: note(2)))
        return note(3)

    assert list(nodes(report)) == ["branch", "note", "branch_2", "note_2", "note_3"]
    assert nodes(report)["branch_2"]["needs"] == ["branch.otherwise"]
    assert nodes(report)["note_2"]["needs"] == ["branch_2.then"]


def test_a_branch_without_nodes_computes() -> None:
    made = nodes(
        lambda x: note([branch(x > 5, then=lambda: x, otherwise=lambda: branch(x, then=str))])
    )
    assert made == {
        "note": {
            "uses": "orders.note",
            "with": {"text": ["${{ inputs.x > 5 ? inputs.x : inputs.x ? '' : null }}"]},
        }
    }


def test_a_switch_takes_the_first_that_fits() -> None:
    def report(x: int) -> object:
        return switch(
            {"high": (x > 80, lambda: note("high")), "middle": (x > 50, lambda: convert(x))},
            default=lambda: grow(x),
            id="route",
        )

    made = document(report)
    assert made["nodes"]["route"] == {
        "branch": {"high": "inputs.x > 80", "middle": "inputs.x > 50", "default": "else"}
    }
    assert made["nodes"]["convert"]["needs"] == ["route.middle"]
    assert made["nodes"]["grow"]["needs"] == ["route.default"]
    assert made["nodes"]["merge"]["with"]["value"] == (
        "${{ route.route == 'high' ? note : route.route == 'middle' ? convert : grow }}"
    )
    assert made["output"] == "${{ merge }}"


def test_repeats_and_groups_in_a_route_come_after_the_branch() -> None:
    def report(x: list) -> object:
        return branch(
            x[0] > 5,
            then=lambda: each(x, lambda o: note(convert(o))),
            otherwise=lambda: group(lambda: note(x)),
        )

    made = nodes(report)
    assert made["each"]["needs"] == ["branch.then"]
    assert made["group"]["needs"] == ["branch.otherwise"]
    assert "needs" not in made["each"]["nodes"]["convert"]


def test_a_branch_in_a_repeat_is_there() -> None:
    made = nodes(
        lambda x: each(x, lambda o: branch(o > 1, then=lambda: note(o), otherwise=lambda: 0))
    )
    assert list(made["each"]["nodes"]) == ["branch", "note", "merge"]
    assert made["each"]["output"] == "${{ merge }}"


def test_a_compensation_in_a_route_is_nothing_to_wait_for() -> None:
    def report(x: int) -> object:
        before = branch(x > 1, then=lambda: note(1))

        def then() -> object:
            told = note("told")
            return convert.with_(compensate=lambda result: note([result, told, before]))(x)

        return branch(x > 5, then=then, otherwise=lambda: 0)

    made = nodes(report)
    assert made["convert"]["needs"] == ["branch_2.then"]
    assert made["convert"]["compensate"]["with"]["text"] == [
        "${{ convert }}",
        "${{ note_2 }}",
        "${{ merge }}",
    ]
    assert "merge" in made
