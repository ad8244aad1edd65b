"""Registering hooks: what is taken, what is refused, and which nodes of a plan they fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_document
from atomiton.blueprint.plan import Plan
from atomiton.conductor.hooks import Hooks
from atomiton.conductor.hooks_of_plan import FittingHooks, HookTable, all_nodes
from atomiton.errors import NodeError
from atomiton.nodes.registry import Registry

DOCUMENT = {
    "atomiton": 1,
    "id": "test",
    "nodes": {
        "a": {"uses": "data.value", "with": {"value": 1}},
        "group": {
            "nodes": {
                "a": {"uses": "data.value", "with": {"value": 1}},
                "b": {
                    "map": [1],
                    "uses": "flow.log",
                    "with": {"message": "x"},
                    "compensate": {"uses": "flow.fail", "with": {"message": "x"}},
                },
            }
        },
        "keep": {"uses": "data.filter", "with": {"items": [1], "where": "item > 0"}},
    },
    "on": {"always": {"uses": "flow.log", "with": {"message": "x"}}},
}


def plan() -> Plan:
    return compile_blueprint(read_document(DOCUMENT), Registry.builtin())


def fitting(hooks: Hooks, of: Plan | None = None) -> FittingHooks:
    return FittingHooks(of or plan(), hooks.registered)


def nothing(_event: object) -> None:
    """A hook."""


def wrapped(hooks: Hooks) -> list[str]:
    of = plan()
    return [of.uses[step].id for step in sorted(fitting(hooks, of).steps)]


def test_every_node_of_a_plan_is_found_once() -> None:
    names = sorted(node.id for node in all_nodes(plan()))
    assert names == ["a", "a", "b", "b", "b:compensate", "group", "keep", "on:always"]


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        ({}, ["a", "a", "b", "b:compensate", "keep", "on:always"]),
        ({"node": "a"}, ["a", "a"]),
        ({"node": ["keep", "group.b"]}, ["b", "keep"]),
        ({"node": "b:compensate"}, ["b:compensate"]),
        ({"node": "on:always"}, ["on:always"]),
        ({"type": "flow.log"}, ["b", "on:always"]),
        ({"type": ("flow.log", "flow.fail")}, ["b", "b:compensate", "on:always"]),
        ({"type": "flow.log", "node": "a"}, []),
        ({"node": "other"}, []),
    ],
)
def test_hooks_fit_by_id_path_and_type(selection: dict[str, object], ids: list[str]) -> None:
    hooks = Hooks()
    hooks.before(nothing, **selection)  # type: ignore[call-overload]
    assert sorted(wrapped(hooks)) == ids


def test_a_path_means_one_node_and_an_id_all_of_that_name() -> None:
    hooks, of = Hooks(), plan()
    hooks.before(nothing, node="group.a")
    chosen = fitting(hooks, of)
    outer, inner = (node for node in all_nodes(of) if node.id == "a")
    for node in (outer, inner):
        assert chosen.of_node("before", node, "a") == []
        assert len(chosen.of_node("before", node, "group.a")) == 1
    by_id = Hooks()
    by_id.before(nothing, node="b")
    mapped = next(node for node in all_nodes(of) if node.id == "b" and node.step >= 0)
    assert len(fitting(by_id, of).of_node("before", mapped, "group.b[12]")) == 1


def test_what_fits_nothing_costs_nothing() -> None:
    hooks = Hooks()
    hooks.before(nothing, type="http.request")
    hooks.error(nothing, node="other")
    assert not fitting(hooks)
    undoing = Hooks()
    undoing.compensation_end(nothing)
    assert fitting(undoing)
    plain = compile_blueprint(
        read_document({**DOCUMENT, "nodes": {"a": DOCUMENT["nodes"]["a"]}, "on": {}}),  # type: ignore[index]
        Registry.builtin(),
    )
    assert not fitting(undoing, plain)


@pytest.mark.parametrize(
    ("moment", "selection", "notices"),
    [
        ("before", {"type": "flow.log"}, False),
        ("before", {"node": "a"}, False),
        ("before", {"node": "group"}, True),
        ("output", {}, False),
        ("error", {"node": "a"}, True),
        ("run_always", {}, False),
        ("compensation_step", {}, True),
    ],
)
def test_the_machine_is_asked_for_notices_only_if_a_hook_needs_them(
    moment: str, selection: dict[str, object], notices: bool
) -> None:
    hooks = Hooks()
    getattr(hooks, moment)(nothing, **selection)
    assert fitting(hooks).notices is notices


def test_a_table_finds_again_until_there_are_more_hooks() -> None:
    table, of, hooks, others = HookTable(), plan(), Hooks(), Hooks()
    assert table.of(of, [hooks, others]) is None
    hooks.before(nothing)
    first = table.of(of, [hooks, others])
    assert first is not None
    assert table.of(of, [hooks, others]) is first
    others.before(nothing)
    assert table.of(of, [hooks, others]) is not first


def test_hooks_are_in_the_order_of_registration_wherever_they_were_registered() -> None:
    one, other, of = Hooks(), Hooks(), plan()
    called = [lambda _event, n=n: n for n in range(4)]
    for number, function in enumerate(called):
        (one, other)[number % 2].after(function)
    table = HookTable().of(of, [other, one])
    assert table is not None
    assert [hook.function for hook in table.of_node("after", of.uses[0], "a")] == called


def test_a_decorator_gives_the_function_back() -> None:
    hooks = Hooks()

    @hooks.before
    def first(event: object) -> int:
        return 1

    @hooks.run_start(strict=True)
    async def second(event: object) -> None: ...

    assert first(None) == 1
    assert len(hooks) == 2
    assert [item.hook.strict for item in hooks.registered] == [False, True]


@pytest.mark.parametrize(
    ("register", "words"),
    [
        (lambda hooks: hooks.before(1), "hooks.before: 1 is no function that takes one event"),
        (lambda hooks: hooks.before(lambda: None), "takes one event"),
        (lambda hooks: hooks.before(lambda a, b: None), "takes one event"),
        (lambda hooks: hooks.error(nothing, strict=True), "cannot be strict"),
        (lambda hooks: hooks.retry(strict=True)(nothing), "hooks.retry: .*cannot be strict"),
        (lambda hooks: hooks.run_always(nothing, strict=True), "cannot be strict"),
        (lambda hooks: hooks.compensation_end(nothing, strict=True), "cannot be strict"),
        (lambda hooks: hooks.before(nothing, node=[]), "leave it out for all"),
        (lambda hooks: hooks.before(nothing, node=1), "a name or several"),
        (lambda hooks: hooks.before(nothing, node="A b"), "node='A b' can be none"),
        (lambda hooks: hooks.before(nothing, node="mapped[0]"), "without a number"),
        (lambda hooks: hooks.before(nothing, type="a b"), "type='a b' can be none"),
        (lambda hooks: hooks.before(nothing, type="a.b@1"), "all of its versions"),
        (lambda hooks: hooks.before(nothing, type=[1]), "type=1 can be none"),
    ],
)
def test_what_can_be_no_hook_is_refused(register: Callable[[Hooks], object], words: str) -> None:
    hooks = Hooks()
    with pytest.raises(TypeError, match=words):
        register(hooks)
    assert not hooks


def test_a_run_hook_takes_no_nodes() -> None:
    with pytest.raises(TypeError):
        Hooks().run_start(nothing, node="a")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "it returned list, not parameters by name"),
        ({"value": 1, "more": 2}, "'a' has no parameter 'more'; it has value"),
        ({1: 2}, "'a' has no parameter 1"),
        ({}, "'a' needs the parameter 'value'; return all of them"),
        ({"value": object()}, "no JSON form"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(given: object, words: str) -> None:
    of = plan()
    node = next(node for node in of.uses if node.id == "a")
    with pytest.raises(NodeError, match=words):
        fitting(Hooks(), of).parameters(node, given)


def test_expressions_cannot_be_changed() -> None:
    of = plan()
    node = next(node for node in of.uses if node.id == "keep")
    chosen = fitting(Hooks(), of)
    assert chosen.parameters(node, {"items": (1, 2)}) == {"items": [1, 2]}
    with pytest.raises(NodeError, match="'where' is an expression"):
        chosen.parameters(node, {"items": [], "where": "item > 1"})


def test_an_output_may_become_null() -> None:
    assert fitting(Hooks()).output(Hooks.NULL) is None
    assert fitting(Hooks()).output((1,)) == [1]
    assert repr(Hooks.NULL) == "Hooks.NULL"


def test_a_time_bound_may_be_text() -> None:
    hooks = Hooks(timeout="1m")
    hooks.run_start(nothing)
    assert hooks.registered[0].hook.timeout == 60.0
