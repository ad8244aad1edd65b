"""What is said in the words of the format: whole nodes, values, routes, and outputs left out."""

from __future__ import annotations

import pytest
from tests.unit.builder.making import note as node

from atomiton import Limits, Retry, blueprint, call
from atomiton.builder import (
    each,
    ends,
    from_yaml,
    group,
    repeat,
    routes,
    step,
    use,
    verbatim,
)
from atomiton.errors import BlueprintError, TracingError
from atomiton.nodes.spec import node as make_node


def test_a_node_stands_as_it_is_written() -> None:
    @blueprint(id="x")
    def built() -> object:
        made = step({"wait": {"for": "1s"}, "name": "${{ not escaped }}"}, id="a")
        return [made.at, verbatim("${{ a }}"), "${{ a }}"]

    assert built.blueprint.document["nodes"] == {
        "a": {"wait": {"for": "1s"}, "name": "${{ not escaped }}"}
    }
    assert built.blueprint.output == ["${{ a.at }}", "${{ a }}", "$${{ a }}"]
    with pytest.raises(TracingError, match="not for a part"):
        blueprint(id="y")(lambda: group(lambda: [node(1), verbatim("x")][1])).to_yaml()
    with pytest.raises(TracingError, match="only in a blueprint"):
        step({"wait": {"for": 1}})


def test_a_body_may_name_no_output() -> None:
    @blueprint(id="x")
    def built(x: int) -> object:
        def inner() -> object:
            use.with_(id="one")("a.b", x=x)
            use.with_(id="two")("a.b")
            return ends()

        group(inner, id="group", retry=Retry(attempts=2), on_error="continue")
        each([1], lambda item: [use("a.c", y=item), ends()][1], id="each")
        return ends()

    document = built.blueprint.document
    assert "output" not in document
    assert not built.blueprint.has_output
    made = built.blueprint.nodes["group"]
    assert list(made.nodes or ()) == ["one", "two"]
    assert (made.output, made.on_error) == (None, {"continue": True})
    assert made.retry is not None
    assert "output" not in document["nodes"]["each"]  # type: ignore[index,operator,call-overload]
    assert from_yaml(built.to_yaml()).blueprint.document == document


def test_routes_are_named_by_the_id_of_their_branch() -> None:
    @blueprint(id="x")
    def built(x: int) -> object:
        route = routes({"high": x > 80, "low": "else"}, id="route", mode="all", name="Which?")
        use.with_(id="tell", needs=["route.high"])("a.b")
        return route.routes

    nodes = built.blueprint.nodes
    assert nodes["route"].branch == {"high": "inputs.x > 80", "low": "else"}
    assert (nodes["route"].mode, nodes["tell"].needs) == ("all", ("route.high",))
    with pytest.raises(TracingError, match="branch or switch"):
        routes({"a": True})


def test_calls_and_uses_take_every_policy() -> None:
    @blueprint(id="child")
    def child(x: int) -> object:
        return node(x)

    @blueprint(id="x")
    def built() -> object:
        use.with_(id="a", join="any", weight=2, runtime="thread", enabled=False)("a.b")
        call.with_(id="b", timeout="5s", compensate=lambda b: use("a.undo", id=b.id))("other", x=1)
        return call.with_(id="c", retry=Retry(attempts=2))(child, 7)

    nodes = built.blueprint.nodes
    assert (nodes["a"].join, nodes["a"].weight, nodes["a"].runtime) == ("any", 2, "thread")
    assert nodes["a"].enabled is False
    assert nodes["b"].compensate is not None
    assert nodes["b"].compensate.node.with_ == {"id": "${{ b.id }}"}
    assert (nodes["b"].call, nodes["b"].timeout) == ("other", 5.0)
    assert (nodes["c"].call, nodes["c"].with_) == ("child", {"x": 7})
    assert list(built.children) == ["child"]


def test_nodes_that_cannot_see_each_other_may_have_one_id() -> None:
    @blueprint(id="x")
    def built() -> object:
        one = group(lambda: use.with_(id="a")("a.b"), id="one")
        two = group(lambda: use.with_(id="a")("a.c", x=one), id="two")
        return use.with_(id="a")("a.d", x=two)

    nodes = built.blueprint.nodes
    assert list(nodes) == ["one", "two", "a"]
    assert list(nodes["one"].nodes or ()) == list(nodes["two"].nodes or ()) == ["a"]
    with pytest.raises(TracingError, match="there is a node 'a' already"):
        blueprint(id="y")(
            lambda: [use.with_(id="a")("a.b"), group(lambda: use.with_(id="a")("a.b"))]
        ).to_yaml()


def test_declarations_and_last_nodes_in_the_words_of_the_format() -> None:
    inputs = {"name": {"type": "string", "enum": ["a"]}, "my-name": "string"}
    on = {"failure": {"uses": "flow.log", "with": {"message": "${{ run.error.message }}"}}}

    @blueprint(id="x", inputs=inputs, on=on, name="", description="")
    def built(name: object, size: int) -> object:
        """Not said."""
        return repeat(lambda acc: use("a.b", x=[acc, name, size]), None, times=3, id="a")

    read = built.blueprint
    assert read.inputs["name"]["enum"] == ["a"]
    assert list(read.inputs) == ["name", "size", "my-name"]
    assert read.on["failure"].uses == "flow.log"
    assert (read.name, read.description) == ("", "")
    assert read.nodes["a"].loop == {"times": 3}


@pytest.mark.parametrize("limits", [Limits(timeout="1h", steps=5), Limits(timeout=3600, steps=5)])  # type: ignore[arg-type]
def test_limits_take_text_and_numbers(limits: Limits) -> None:
    made = blueprint(id="x", limits=limits)(lambda: node(1)).blueprint
    assert made.document["limits"] == {"timeout": "1h", "steps": 5}


def test_policies_are_taken_as_dicts_in_the_words_of_the_format() -> None:
    rule = {"attempts": 3, "delay": "10ms"}
    made = blueprint(
        id="x", limits={"timeout": "1h"}, defaults={"retry": rule, "timeout": "5s"}
    )(lambda: node.with_(retry=rule)(1)).blueprint  # fmt: skip
    assert made.limits.timeout == 3600
    assert made.defaults.timeout == 5
    assert made.nodes["note"].retry == Retry(attempts=3, delay=0.01)
    assert made.defaults.retry == Retry(attempts=3, delay=0.01)


def test_policies_that_are_wrong_are_told_with_their_place() -> None:
    def wrong(**head: object) -> None:
        _ = blueprint(id="x", **head)(lambda: node(1)).blueprint  # type: ignore[call-overload]

    with pytest.raises(BlueprintError, match=r"limits.*tiemout|tiemout.*limits"):
        wrong(limits={"tiemout": "1h"})
    with pytest.raises(BlueprintError, match="timeout"):
        wrong(limits=Limits(timeout="soon"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"limits is given as Limits\(...\) or as a dict"):
        wrong(limits=5)
    with pytest.raises(TypeError, match=r"defaults is given as Defaults\(...\) or as a dict"):
        wrong(defaults=5)
    with pytest.raises(BlueprintError, match="atempts"):
        _ = blueprint(id="x")(lambda: node.with_(retry={"atempts": 3})(1)).blueprint
    with pytest.raises(TypeError, match=r"retry is given as Retry\(...\) or as a dict"):
        _ = blueprint(id="x")(lambda: node.with_(retry=3)(1)).blueprint  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="retry is given as Retry"):
        make_node(retry={"attempts": 3})(lambda: None)  # type: ignore[call-overload]
