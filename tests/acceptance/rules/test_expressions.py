"""Section 4: expressions and what they see."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from tests.acceptance.rules.world import World, code


async def value(world: World, expression: str, inputs: dict[str, object] | None = None) -> object:
    """What an expression gives where ``a`` gave ``{n: 2, list: [1, 2], text: x}``."""
    result = await world.run(
        f"""
        inputs: {{i: {{type: any, default: 5}}}}
        variables: {{v: 7}}
        nodes: {{a: {{uses: t.do, with: {{value: {{n: 2, list: [1, 2], text: x}}}}}}}}
        output: {expression}
        """,
        inputs,
    )
    assert result.ok, result.error
    return result.output


def whole(expression: str) -> str:
    """A value that is exactly one expression."""
    return f"${{{{ {expression} }}}}"


@pytest.mark.parametrize(
    ("written", "gives"),
    [
        ("${{ a.list }}", [1, 2]),
        ("${{ a.n > 1 }}", True),
        ("'n: ${{ a.n }}'", "n: 2"),
        ("'${{ a.text }} and ${{ a.list }}'", "x and [1,2]"),
        ("'${{ null }}, ${{ true }}'", "null, true"),
        ("$${{ a.n }}", "${{ a.n }}"),
        ("'a $${{ b'", "a ${{ b"),
        ("[1, {x: '${{ a.n }}'}]", [1, {"x": 2}]),
    ],
)
async def test_the_whole_value_keeps_its_type_and_in_text_it_is_turned_into_text(
    world: World, written: str, gives: object
) -> None:
    assert await value(world, written) == gives


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("1.5 * 2", 3.0),
        ("1 == 1.0", True),
        ("2 > 1.5", True),
        ("7 / 2", 3),
        ("double(7) / 2", 3.5),
        ("-7 / 2", -3),
    ],
)
async def test_numbers_compare_and_compute_together(
    world: World, expression: str, gives: object
) -> None:
    found = await value(world, whole(expression))
    assert (found, type(found)) == (gives, type(gives))


async def test_in_scope_are_inputs_vars_and_run(world: World) -> None:
    result = await world.run("""
        version: 1.2.3
        inputs: {x: {type: integer, default: 1}}
        variables: {y: 2}
        nodes: {a: {uses: t.do}}
        output: ${{ [inputs.x, vars.y, run.id, run.blueprint, run.version, run.started_at] }}
    """)
    assert isinstance(result.output, list)
    *rest, at = result.output
    assert rest == [1, 2, result.run, "test", "1.2.3"]
    assert isinstance(at, datetime)
    assert abs(at.timestamp() - time.time()) < 60


async def test_nodes_tells_status_attempts_error_and_duration(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.fail, with: {times: 1, value: 1}, retry: {attempts: 2, delay: 0}}
          b: {uses: t.do, if: 'false'}
          c: {uses: t.do, with: {value: "${{ [nodes.a, nodes.b] }}"}}
    """)
    a, b = result.output["c"]  # type: ignore[index,call-overload]
    assert a["duration_ms"] >= 0
    assert (a["status"], a["attempts"], a["error"]["code"]) == ("completed", 2, "NODE_FAILED")
    assert b == {"status": "skipped", "attempts": 0, "error": None, "duration_ms": None}


async def test_to_look_at_a_node_makes_order_and_no_requirement(world: World) -> None:
    result = await world.run("""
        nodes:
          see: {uses: t.do, with: {value: "${{ [nodes.a.status, nodes.b.status] }}"}}
          a: {uses: t.do, if: 'false'}
          b: {uses: t.fail, on_error: continue}
    """)
    assert result.output == {"see": ["skipped", "failed"]}
    assert world.acts == ["b!", "see"]


async def test_every_node_of_this_body_and_of_those_around_is_in_scope(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, with: {value: 1}}
          g:
            nodes:
              b: {uses: t.do, with: {value: 2}}
              h:
                nodes:
                  c: {uses: t.do, with: {value: "${{ [a, b, nodes.a.status, nodes.b.status] }}"}}
    """)
    assert result.output == {"g": {"h": {"c": [1, 2, "completed", "completed"]}}}


@pytest.mark.parametrize(
    ("expression", "named"),
    [("a.m", "'m'"), ("a.list[5]", "index 5"), ("a['m']", "'m'"), ("inputs.i.x", "'x'")],
)
async def test_a_missing_field_or_an_index_out_of_range_is_an_error_that_names_it(
    world: World, expression: str, named: str
) -> None:
    result = await world.run(f"""
        inputs: {{i: {{type: object, default: {{}}}}}}
        nodes:
          a: {{uses: t.do, with: {{value: {{n: 1, list: [1]}}}}}}
          b: {{uses: t.do, with: {{value: "${{{{ {expression} }}}}"}}}}
    """)
    assert result.error is not None
    assert (result.error.code, result.error.node) == ("EXPRESSION_ERROR", "b")
    assert named in result.error.message


async def test_unless_it_is_asked_for_with_has_or_an_optional_field(world: World) -> None:
    expression = "[has(a.m), a.?m.orValue(3), a.list[?7].orValue(4), a.?n.orValue(0)]"
    assert await value(world, whole(expression)) == [False, 3, 4, 2]


@pytest.mark.parametrize(
    "expression",
    ["now()", "open('x')", "__import__('os')", "random()", "inputs.constructor()", "env.HOME"],
)
def test_there_is_no_other_way_out_of_an_expression(world: World, expression: str) -> None:
    problem = world.problem(f"""
        nodes: {{a: {{uses: t.text, with: {{value: x}}}}}}
        output: {{x: "{whole(expression)}"}}
    """)
    assert (problem.path, problem.line) == ("output.x", 4)


async def test_a_field_is_looked_up_in_the_value_alone(world: World) -> None:
    result = await world.run(
        "nodes: {a: {uses: t.do, with: {value: {}}}}\noutput: ${{ a.__class__ }}"
    )
    assert code(result) == "EXPRESSION_ERROR"


async def test_limits_on_work_hold_for_each_evaluation(world: World) -> None:
    rows = "lists.range(2000).map(x, lists.range(2000).map(y, x * y).sum()).sum()"
    result = await world.run(f"nodes: {{a: {{uses: t.do, with: {{value: '${{{{ {rows} }}}}'}}}}}}")
    assert code(result) == "LIMIT_EXCEEDED"
    deep = "(" * 200 + "1" + ")" * 200
    assert world.problem(f"nodes: {{a: {{uses: t.do, if: '{deep} > 0'}}}}").code == "LIMIT_EXCEEDED"
    long = "1" + "+1" * 9000
    problem = world.problem(f"nodes: {{a: {{uses: t.do, if: '{long} > 0'}}}}")
    assert problem.code == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("key", ["if", "while", "until", "times", "when"])
async def test_conditions_take_a_bare_expression_or_one_in_braces(world: World, key: str) -> None:
    for expression in ("inputs.n > 1", "${{ inputs.n > 1 }}"):
        if key == "times":
            expression = expression.replace("> 1", "- 2")
        body = {
            "if": f"a: {{uses: t.do, if: '{expression}'}}",
            "when": f"a: {{branch: {{x: '{expression}'}}}}",
        }.get(key, f"a: {{uses: t.do, loop: {{{key}: '{expression}', max: 1}}}}")
        result = await world.run(f"inputs: {{n: integer}}\nnodes: {{{body}}}", {"n": 2})
        assert code(result) in (None, "LOOP_LIMIT")


# -- what is refused before the run --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "message", "hint"),
    [
        (
            "nodes: {read: {uses: t.do}, b: {uses: t.do, with: {value: '${{ raed }}'}}}",
            "nodes.b.with.value",
            "there is no node or value 'raed'",
            "did you mean 'read'?",
        ),
        (
            "nodes: {b: {uses: t.do, if: nodes.a.status == 'x'}}",
            "nodes.b.if",
            "there is no node or value 'a'",
            None,
        ),
        (
            "nodes: {a: {uses: t.do, needs: [b]}}",
            "nodes.a.needs[0]",
            "there is no node or value 'b'",
            None,
        ),
        (
            "nodes: {a: {uses: t.do, with: {value: '${{ item }}'}}}",
            "nodes.a.with.value",
            "there is no node or value 'item'",
            None,
        ),
        (
            "nodes: {m: {map: [1], uses: t.do, if: item > 0}}",
            "nodes.m.if",
            "there is no node or value 'item'",
            None,
        ),
        (
            "nodes: {m: {map: [1], as: order, uses: t.do, with: {value: '${{ item }}'}}}",
            "nodes.m.with.value",
            "there is no node or value 'item'",
            None,
        ),
        (
            "nodes: {m: {map: [1], uses: t.do, with: {value: '${{ acc }}'}}}",
            "nodes.m.with.value",
            "there is no node or value 'acc'",
            None,
        ),
        (
            "nodes: {l: {loop: {times: index}, uses: t.do}}",
            "nodes.l.loop.times",
            "there is no node or value 'index'",
            "did you mean 'nodes'?",
        ),
        (
            "nodes: {l: {loop: {times: 2, start: '${{ acc }}'}, uses: t.do}}",
            "nodes.l.loop.start",
            "there is no node or value 'acc'",
            None,
        ),
    ],
)
def test_a_reference_to_what_does_not_exist_is_refused_with_the_place(
    world: World, text: str, path: str, message: str, hint: str | None
) -> None:
    problem = world.problem(text)
    assert (problem.code, problem.path, problem.message) == ("UNKNOWN_REFERENCE", path, message)
    assert problem.hint == hint
    assert problem.line is not None


@pytest.mark.parametrize(
    ("text", "cycle", "path"),
    [
        ("nodes: {a: {uses: t.do, with: {value: '${{ a }}'}}}", "a -> a", "nodes.a"),
        (
            "nodes: {a: {uses: t.do, needs: b}, b: {uses: t.do, with: {value: '${{ a.x }}'}}}",
            "a -> b -> a",
            "nodes.a",
        ),
        (
            "nodes: {a: {uses: t.do, needs: c}, b: {uses: t.do, needs: a}, c: {branch: {x: b.y}}}",
            "a -> b -> c -> a",
            "nodes.a",
        ),
        (
            "nodes: {a: {uses: t.do, needs: [b.error]}, b: {uses: t.do, if: nodes.a.attempts > 1}}",
            "a -> b -> a",
            "nodes.a",
        ),
        (
            "nodes: {g: {nodes: {x: {uses: t.do, needs: b}}}, b: {uses: t.do, needs: g}}",
            "g -> b -> g",
            "nodes.g",
        ),
        (
            "nodes: {g: {nodes: {x: {uses: t.do, with: {value: '${{ g }}'}}}}}",
            "g -> g",
            "nodes.g",
        ),
        (
            "nodes: {g: {nodes: {x: {uses: t.do, needs: y}, y: {uses: t.do, needs: x}}}}",
            "x -> y -> x",
            "nodes.g.nodes.x",
        ),
        (
            "nodes: {m: {map: '${{ a }}', uses: t.do}, a: {uses: t.do, needs: m}}",
            "m -> a -> m",
            "nodes.m",
        ),
    ],
)
def test_a_cycle_is_refused_with_its_path(world: World, text: str, cycle: str, path: str) -> None:
    problem = world.problem(text)
    assert (problem.code, problem.path) == ("CIRCULAR_DEPENDENCY", path)
    assert problem.message == f"nodes wait for each other: {cycle}"


def test_a_reference_into_another_body_is_refused(world: World) -> None:
    for text in (
        "nodes: {g: {nodes: {x: {uses: t.do}}}, b: {uses: t.do, needs: x}}",
        "nodes: {g: {nodes: {x: {uses: t.do}}}, h: {nodes: {b: {uses: t.do, if: x == 1}}}}",
        "nodes: {g: {nodes: {x: {uses: t.do}}}}\noutput: ${{ x }}",
    ):
        assert world.problem(text).message == "there is no node or value 'x'"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("${{ a }}", "nodes.a gives text, but parameter 'x' takes number"),
        ("${{ inputs.s }}", "inputs.s gives text, but parameter 'x' takes number"),
        ("${{ b.path }}", "nodes.b.path gives text, but parameter 'x' takes number"),
        ("${{ m }}", "nodes.m gives array, but parameter 'x' takes number"),
    ],
)
def test_where_both_sides_declare_a_type_a_mismatch_is_refused_and_both_are_named(
    world: World, source: str, message: str
) -> None:
    problem = world.problem(f"""
        inputs: {{s: string}}
        nodes:
          a: {{uses: t.text, with: {{value: x}}}}
          b: {{uses: file.write, with: {{path: x, content: y}}}}
          m: {{map: [1], uses: t.text, with: {{value: x}}}}
          g: {{nodes: {{c: {{uses: t.add, with: {{x: "{source}"}}}}}}}}
    """)
    assert (problem.code, problem.message) == ("TYPE_MISMATCH", message)
    assert (problem.path, problem.line) == ("nodes.g.nodes.c.with.x", 8)


def test_a_mismatch_within_a_group_names_the_node_by_its_place(world: World) -> None:
    problem = world.problem("""
        nodes:
          g:
            nodes:
              a: {uses: t.text, with: {value: x}}
              b: {uses: t.add, with: {x: "${{ a }}"}}
    """)
    assert problem.message == "nodes.g.nodes.a gives text, but parameter 'x' takes number"


def test_what_may_fit_is_let_through(world: World) -> None:
    assert (
        world.problems("""
        inputs: {n: integer, any: any}
        nodes:
          a: {uses: t.add, with: {x: "${{ inputs.n }}"}}
          b: {uses: t.add, with: {x: "${{ inputs.any }}"}}
          c: {uses: t.add, with: {x: "${{ a }}"}}
    """)
        == []
    )
