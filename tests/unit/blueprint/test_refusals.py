"""What the compiler refuses: each with its code, its place and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.plan import Plan
from atomiton.errors import BlueprintError, NotFound, Problem
from atomiton.nodes.registry import Registry


def read(text: str, id_: str) -> Blueprint:
    return read_blueprint(f"atomiton: 1\nid: {id_}\n{dedent(text)}", filename=id_)[0]


def compiled(text: str, called: Mapping[str, str] | None = None) -> Plan:
    """Compile a blueprint; ``called`` are those that it calls, by what it calls them."""
    blueprint, document = read_blueprint(f"atomiton: 1\nid: main\n{dedent(text)}")
    known: dict[str, Blueprint] = {}

    def resolve(_caller: Blueprint, name: str) -> Blueprint:
        if name not in (called or {}):
            raise NotFound(f"there is no blueprint '{name}'")
        if name not in known:
            known[name] = read((called or {})[name], name.strip("./").removesuffix(".yaml"))
        return known[name]

    return compile_blueprint(
        blueprint, Registry.builtin(), document.positions, None if called is None else resolve
    )


def refused(text: str, called: Mapping[str, str] | None = None) -> list[Problem]:
    with pytest.raises(BlueprintError) as caught:
        compiled(text, called)
    return list(caught.value.problems)


def one(text: str, called: Mapping[str, str] | None = None) -> tuple[str, str, str, str | None]:
    (problem,) = refused(text, called)
    assert called is not None or problem.line is not None
    return problem.code, problem.path, problem.message, problem.hint


SET = "{uses: data.value, with: {value: 1}"


# -- needs and routes ----------------------------------------------------------------------------


def test_an_unknown_route_is_refused_with_the_nearest() -> None:
    text = f"nodes: {{r: {{branch: {{high: 'true', low: else}}}}, a: {SET}, needs: [r.%s]}}}}"
    assert one(text % "hihg") == (
        "UNKNOWN_REFERENCE",
        "nodes.a.needs[0]",
        "'r' has no route 'hihg'",
        "did you mean 'high'?",
    )
    assert one(text % "zzz")[3] == "its routes: high, low"


def test_a_route_of_what_is_no_branch_is_refused() -> None:
    assert one(f"nodes: {{x: {SET}}}, a: {SET}, needs: [x.high]}}}}") == (
        "UNKNOWN_REFERENCE",
        "nodes.a.needs[0]",
        "'x' is not a branch, so it has no route 'high'",
        "write 'x' or 'x.error'",
    )


def test_a_node_to_be_needed_must_exist() -> None:
    text = f"nodes: {{read: {SET}}}, a: {SET}, needs: [raed]}}, b: {SET}, needs: [raed.error]}}}}"
    assert [(problem.path, problem.message, problem.hint) for problem in refused(text)] == [
        ("nodes.a.needs[0]", "there is no node or value 'raed'", "did you mean 'read'?"),
        ("nodes.b.needs[0]", "there is no node or value 'raed.error'", None),
    ]


def test_on_error_beside_an_error_route_is_refused() -> None:
    text = f"nodes: {{x: {SET}, on_error: continue}}, a: {SET}, needs: [x.error]}}}}"
    assert one(text) == (
        "INVALID_BLUEPRINT",
        "nodes.x.on_error",
        "'x' has both 'on_error' and a node that needs its error",
        "remove one",
    )


def test_an_error_route_out_of_a_group_counts_too() -> None:
    text = f"""
        nodes:
          x: {SET}, on_error: {{value: 1}}}}
          g: {{nodes: {{a: {SET}, needs: [x.error]}}}}}}
    """
    assert one(text)[1] == "nodes.x.on_error"


@pytest.mark.parametrize(
    ("needs", "what"),
    [
        ("needs: [x, y], join: {at_least: 3}", "waits for 3 nodes, but depends on 2"),
        ("join: {at_least: 1}", "waits for 1 nodes, but depends on 0"),
        ("join: first", "waits for 1 nodes, but depends on 0"),
        ("if: nodes.x.status == 'failed', join: first", "waits for 1 nodes, but depends on 0"),
    ],
)
def test_more_nodes_than_there_are_cannot_be_waited_for(needs: str, what: str) -> None:
    text = f"nodes: {{x: {SET}}}, y: {SET}}}, a: {SET}, {needs}}}}}"
    assert one(text)[:3] == ("INVALID_BLUEPRINT", "nodes.a.join", f"'a' {what}")


def test_references_count_as_dependencies() -> None:
    text = f"nodes: {{x: {SET}}}, a: {SET}, if: x == 1, join: first}}}}"
    assert compiled(text).root.nodes[1].least == 1


# -- cycles and scopes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "cycle", "path"),
    [
        (f"g: {{nodes: {{x: {SET}, needs: b}}}}}}, b: {SET}, needs: g}}", "g -> b -> g", "nodes.g"),
        (
            f"a: {SET}, needs: g}}, g: {{nodes: {{h: {{nodes: {{x: {SET}, if: a == 1}}}}}}}}}}",
            "a -> g -> a",
            "nodes.a",
        ),
        (f"g: {{nodes: {{x: {SET}, needs: g}}}}}}", "g -> g", "nodes.g"),
        (
            f"g: {{nodes: {{x: {SET}, needs: y}}, y: {SET}, needs: x}}}}}}",
            "x -> y -> x",
            "nodes.g.nodes.x",
        ),
        (f"g: {{nodes: {{x: {SET}}}}}, output: '${{{{ g }}}}'}}", "g -> g", "nodes.g"),
    ],
)
def test_a_cycle_through_groups_is_refused_with_its_path(nodes: str, cycle: str, path: str) -> None:
    found = one(f"nodes: {{{nodes}}}")
    assert found[:3] == ("CIRCULAR_DEPENDENCY", path, f"nodes wait for each other: {cycle}")


@pytest.mark.parametrize(
    ("nodes", "path"),
    [
        (f"a: {SET}, if: inputs.s}}", "nodes.a.if"),
        (f"a: {SET}, if: '${{{{ lg.message }}}}'}}", "nodes.a.if"),
        ("a: {branch: {x: lg.message, y: else}}", "nodes.a.branch.x"),
        (f"a: {SET}, loop: {{while: inputs.s, max: 2}}}}", "nodes.a.loop.while"),
    ],
)
def test_a_condition_that_is_known_to_be_no_boolean_is_refused(nodes: str, path: str) -> None:
    lg = "lg: {uses: flow.log, with: {message: x}}"
    code, at, message, _ = one(
        f"inputs: {{s: string, b: boolean, n: any}}\nnodes: {{{lg}, {nodes}}}"
    )
    assert (code, at) == ("TYPE_MISMATCH", path)
    assert message.endswith(" gives text, but a condition takes boolean")


def test_a_condition_that_may_be_a_boolean_is_taken() -> None:
    nodes = ", ".join(f"{name}: {SET}, if: inputs.{name}}}" for name in ("b", "n", "o"))
    compiled(f"inputs: {{b: boolean, n: any, o: {{default: true}}}}\nnodes: {{{nodes}}}")


def test_every_cycle_is_told_and_none_twice() -> None:
    needs = {"a": "b", "b": "a", "c": "[d, a]", "d": "c", "j": "j", "k": "j", "free": "[]"}
    nodes = ", ".join(f"{name}: {SET}, needs: {of}}}" for name, of in needs.items())
    found = [(problem.path, problem.message) for problem in refused(f"nodes: {{{nodes}}}")]
    assert found == [
        ("nodes.a", "nodes wait for each other: a -> b -> a"),
        ("nodes.c", "nodes wait for each other: c -> d -> c"),
        ("nodes.j", "nodes wait for each other: j -> j"),
    ]


def test_no_more_cycles_are_told_than_people_read() -> None:
    nodes = ", ".join(f"n{number}: {SET}, needs: n{number}}}" for number in range(30))
    assert len(refused(f"nodes: {{{nodes}}}")) == 20


def test_a_reference_into_a_group_from_outside_is_refused() -> None:
    group = f"g: {{nodes: {{inner: {SET}}}}}}}"
    for rest, path in (
        (f"a: {SET}, needs: inner}}", "nodes.a.needs[0]"),
        (f"a: {SET}, if: inner == 1}}", "nodes.a.if"),
        (f"a: {SET}, if: nodes.inner.status == 'x'}}", "nodes.a.if"),
        (f"h: {{nodes: {{a: {SET}, needs: inner}}}}}}", "nodes.h.nodes.a.needs[0]"),
    ):
        found = one(f"nodes: {{{group}, {rest}}}")
        assert found[:3] == ("UNKNOWN_REFERENCE", path, "there is no node or value 'inner'")


def test_nodes_alone_is_refused() -> None:
    found = one(f"nodes: {{a: {SET}}}}}\noutput: ${{{{ nodes }}}}")
    assert found[2] == "'nodes' needs the id of a node: nodes.ID.status"


@pytest.mark.parametrize(
    ("node", "path", "name"),
    [
        ("uses: data.value, with: {value: '${{ item }}'}", "with.value", "item"),
        ("uses: data.value, with: {value: '${{ index }}'}", "with.value", "index"),
        ("uses: data.value, with: {value: '${{ acc }}'}", "with.value", "acc"),
        ("map: '${{ item }}', uses: data.value, with: {value: 1}", "map", "item"),
        ("map: [1], as: o, uses: data.value, with: {value: '${{ item }}'}", "with.value", "item"),
        ("map: [1], as: o, uses: data.value, with: {value: 1}, if: o == 1", "if", "o"),
        ("map: [1], uses: data.value, with: {value: '${{ acc }}'}", "with.value", "acc"),
        ("loop: {times: 1}, uses: data.value, with: {value: '${{ item }}'}", "with.value", "item"),
        ("loop: {times: acc}, uses: data.value, with: {value: 1}", "loop.times", "acc"),
        (
            "loop: {times: 1, start: '${{ index }}'}, uses: data.value, with: {value: 1}",
            "loop.start",
            "index",
        ),
        ("uses: data.filter, with: {items: [1], where: payload > 1}", "with.where", "payload"),
        ("wait: {for: '${{ payload }}'}", "wait.for", "payload"),
    ],
)
def test_names_of_items_mean_nothing_outside_of_their_repeat(
    node: str, path: str, name: str
) -> None:
    found = one(f"nodes: {{a: {{{node}}}}}")
    place = f"nodes.a.{path}"
    assert found[:3] == ("UNKNOWN_REFERENCE", place, f"there is no node or value '{name}'")


def test_the_name_of_an_item_is_no_node_that_the_repeat_can_see() -> None:
    found = one(f"nodes: {{order: {SET}}}, a: {{map: [1], as: order, uses: data.value}}}}")
    assert found[1:] == (
        "nodes.a.as",
        "'order' is the id of a node, so it cannot be the name of an item",
        "such as 'order_item'",
    )
    text = f"nodes: {{a: {{map: [1], as: order, nodes: {{order: {SET}}}}}}}}}"
    assert one(text)[1] == "nodes.a.nodes.order"


def test_names_of_items_are_known_all_the_way_in() -> None:
    text = f"""
        nodes:
          a:
            map: [[1]]
            as: row
            nodes:
              b:
                loop: {{times: row.size()}}
                nodes:
                  c:
                    map: "${{{{ row }}}}"
                    uses: data.value
                    with: {{value: "${{{{ [row, item, acc] }}}}"}}
                  d: {SET}, if: index > 0 && acc != row}}
    """
    assert len(compiled(text).uses) == 2


# -- with ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        f"nodes: {{x: {SET}}}}}",
        "branch: {a: 'true'}",
        "wait: {for: 1s}",
        f"map: [1], nodes: {{x: {SET}}}}}",
    ],
)
def test_with_on_what_takes_no_parameters_is_refused(kind: str) -> None:
    assert one(f"nodes: {{a: {{{kind}, with: {{value: 1}}}}}}")[:3] == (
        "INVALID_BLUEPRINT",
        "nodes.a.with",
        "'with' gives parameters to a node type or to a call",
    )


def test_text_into_a_port_for_numbers_is_refused_and_both_are_named() -> None:
    text = """
        inputs: {some: {type: object, properties: {name: string}}}
        nodes:
          a: {uses: file.read, with: {path: x}}
          b: {uses: data.slice, with: {items: [1], start: "${{ a.path }}"}}
          c: {uses: data.slice, with: {items: "${{ inputs.some }}", start: 1}}
          d: {uses: data.slice, with: {items: [1], start: "${{ inputs.some.name }}"}}
    """
    assert [(problem.path, problem.message) for problem in refused(text)] == [
        ("nodes.b.with.start", "nodes.a.path gives text, but parameter 'start' takes integer"),
        ("nodes.c.with.items", "inputs.some gives object, but parameter 'items' takes array"),
        ("nodes.d.with.start", "inputs.some.name gives text, but parameter 'start' takes integer"),
    ]


def test_what_is_mapped_must_be_a_list_or_an_object_as_far_as_is_known() -> None:
    text = f"inputs: {{n: integer}}\nnodes: {{m: {SET}, map: '${{{{ inputs.n }}}}'}}}}"
    assert one(text)[:3] == (
        "TYPE_MISMATCH",
        "nodes.m.map",
        "inputs.n gives integer, but 'map' takes array or object",
    )


def test_parameters_are_those_of_the_type() -> None:
    text = "nodes: {a: {uses: data.slice, with: {itmes: [1], start: x}}}"
    assert [(problem.code, problem.path, problem.hint) for problem in refused(text)] == [
        ("INVALID_INPUT", "nodes.a", "add 'items:' under 'with:'"),
        ("INVALID_INPUT", "nodes.a.with.itmes", "did you mean 'items'?"),
        ("TYPE_MISMATCH", "nodes.a.with.start", None),
    ]


# -- calls ---------------------------------------------------------------------------------------

CHILD = f"inputs: {{n: integer, s: {{type: string, default: x}}}}\nnodes: {{a: {SET}}}}}"


def test_a_call_where_nothing_can_be_called_is_refused() -> None:
    assert one("nodes: {c: {call: child}}") == (
        "NOT_FOUND",
        "nodes.c.call",
        "there is no blueprint 'child' here",
        None,
    )


def test_a_call_of_what_does_not_exist_is_refused() -> None:
    assert one("nodes: {c: {call: ./gone.yaml}}", {}) == (
        "NOT_FOUND",
        "nodes.c.call",
        "there is no blueprint './gone.yaml'",
        None,
    )


def test_a_call_of_what_is_broken_tells_everything_that_is_wrong_with_it() -> None:
    broken = "nodes: {a: {uses: data.valeu}, b: {wait: {for: 1s}, needs: c}}"
    found = refused("nodes: {c: {call: ./x.yaml}}", {"./x.yaml": broken})
    assert [(problem.path, problem.message) for problem in found] == [
        ("nodes.c.call", "in ./x.yaml at nodes.a.uses: there is no node type 'data.valeu'"),
        ("nodes.c.call", "in ./x.yaml at nodes.b.needs[0]: there is no node or value 'c'"),
    ]
    assert "data.value" in str(found[0].hint)


def test_a_call_of_what_is_no_blueprint_tells_where_it_is_wrong() -> None:
    found = refused("nodes: {c: {call: x}}", {"x": "nodes: {a: {usse: data.value}}"})
    assert [problem.message for problem in found] == [
        "in x:3:9 at nodes.a: 'a' does not say what it is",
        "in x:3:13 at nodes.a.usse: a node has no key 'usse'",
    ]


def test_what_is_broken_is_told_where_it_is_called_first() -> None:
    text = "nodes: {c: {call: x}, d: {call: x}}"
    assert len(refused(text, {"x": "nodes: {a: {uses: data.valeu}}"})) == 1


@pytest.mark.parametrize(
    ("called", "circle"),
    [
        ({"a": "nodes: {x: {call: a}}"}, "a -> a"),
        ({"a": "nodes: {x: {call: b}}", "b": "nodes: {y: {nodes: {z: {call: a}}}}"}, "a -> b -> a"),
    ],
)
def test_calls_in_a_circle_are_refused_with_its_path(called: dict[str, str], circle: str) -> None:
    code, path, message, _ = one("nodes: {c: {call: a}}", called)
    assert (code, path) == ("CIRCULAR_DEPENDENCY", "nodes.c.call")
    assert message.endswith(f"blueprints call each other in a circle: {circle}")


def test_two_may_call_the_same() -> None:
    called = {
        "a": "nodes: {x: {call: c}}",
        "b": "nodes: {x: {call: c}}",
        "c": f"nodes: {{x: {SET}}}}}",
    }
    plan = compiled("nodes: {one: {call: a}, two: {call: b}}", called)
    assert len(plan.uses) == 1, "it is compiled once"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("{}", ("INVALID_INPUT", "nodes.c", "'child' needs the input 'n' (integer)",
                "add 'n:' under 'with:'")),
        ("{n: x}", ("TYPE_MISMATCH", "nodes.c.with.n",
                    "input 'n': expected integer, got text 'x'", None)),
        ("{n: 1, S: x}", ("INVALID_INPUT", "nodes.c.with.S", "'child' has no input 'S'",
                          "its inputs: n, s")),
        ("{n: 1, ss: x}", ("INVALID_INPUT", "nodes.c.with.ss", "'child' has no input 'ss'",
                           "did you mean 's'?")),
        ("{n: '${{ inputs.t }}'}", ("TYPE_MISMATCH", "nodes.c.with.n",
                                    "inputs.t gives text, but input 'n' takes integer", None)),
        ("{n: '${{ secrets.KEY }}'}", ("UNKNOWN_REFERENCE", "nodes.c.with.n",
                                       "secrets can only be used in the parameters of a node",
                                       None)),
        ("{n: '${{ gone }}'}", ("UNKNOWN_REFERENCE", "nodes.c.with.n",
                                "there is no node or value 'gone'", None)),
    ],
)  # fmt: skip
def test_wrong_inputs_of_a_call_are_refused(given: str, problem: tuple[object, ...]) -> None:
    text = f"inputs: {{t: string}}\nsecrets: [KEY]\nnodes: {{c: {{call: child, with: {given}}}}}"
    assert one(text, {"child": CHILD}) == problem


def test_what_a_call_that_cannot_be_made_is_given_is_checked_all_the_same() -> None:
    found = refused("nodes: {c: {call: gone, with: {n: '${{ x }}'}}}", {})
    assert [problem.path for problem in found] == ["nodes.c.call", "nodes.c.with.n"]


def test_a_type_that_does_not_exist_hides_nothing_else() -> None:
    found = refused("nodes: {a: {uses: gone, with: {n: '${{ x }}'}}}")
    assert [problem.path for problem in found] == ["nodes.a.uses", "nodes.a.with.n"]


# -- the plan ------------------------------------------------------------------------------------


def test_who_calls_another_is_another_when_that_changes() -> None:
    text = "nodes: {c: {call: x}}"
    one_ = compiled(text, {"x": f"nodes: {{a: {SET}}}}}"})
    other = compiled(text, {"x": f"nodes: {{b: {SET}}}}}"})
    assert one_.hash != other.hash
    assert one_.hash == compiled(text, {"x": f"nodes: {{a: {SET}}}}}"}).hash


def test_the_secrets_of_a_plan_are_those_of_all_its_blueprints() -> None:
    plan = compiled(
        "secrets: [A]\nnodes: {c: {call: x}}",
        {"x": f"secrets: [B, A]\nnodes: {{a: {SET}}}}}"},
    )
    assert plan.secrets == ("A", "B")
