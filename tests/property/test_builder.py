"""What is true of every blueprint built in Python, and of every blueprint written as YAML."""

from __future__ import annotations

import operator

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.property.test_yaml import ATOM, CHARACTERS, JSON, same

from atomiton.blueprint.compile import content_hash
from atomiton.blueprint.document import read_document
from atomiton.blueprint.emit import in_order, to_yaml
from atomiton.blueprint.expressions import parse, parse_template, value_to_text
from atomiton.blueprint.model import Retry
from atomiton.blueprint.yaml import load
from atomiton.builder import (
    approval,
    blueprint,
    branch,
    each,
    from_yaml,
    group,
    race,
    repeat,
    switch,
    use,
    wait_for,
)
from atomiton.nodes.spec import node

NAME = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
INTEGER = st.integers(-20, 20)


@node("p.step", effect="pure")
async def step(value: object) -> int:
    return 1


def evaluated(text: str, **scope: object) -> object:
    loaders = {name: (lambda _, value=value: value) for name, value in scope.items()}
    return parse_template(text).bind(loaders)(None)


# --- values and expressions -------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(JSON)
@example({"\ue000": "\ue000 1 \ue001"})
def test_a_constant_reaches_the_node_as_it_is(value: object) -> None:
    @blueprint(id="x")
    def built() -> object:
        return step(value)

    written = built.blueprint.nodes["step"].with_["value"]
    assert same(_evaluated_everywhere(written), value)


def _evaluated_everywhere(value: object) -> object:
    if isinstance(value, str):
        return evaluated(value)
    if isinstance(value, dict):
        return {key: _evaluated_everywhere(part) for key, part in value.items()}
    return [_evaluated_everywhere(part) for part in value] if isinstance(value, list) else value


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_a_constant_in_an_expression_is_itself(value: object) -> None:
    @blueprint(id="x")
    def built(x: object) -> object:
        return step(each([1], lambda _: [x, value]))  # type: ignore[arg-type]

    text = built.blueprint.nodes["step"].with_["value"]
    assert isinstance(text, str)
    assert same(evaluated(text, inputs={"x": 0}), [[0, value]])


TEXTS = st.lists(st.one_of(st.text(CHARACTERS, max_size=5), st.sampled_from(["$", "${{", "$${{"])))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.one_of(ATOM.filter(lambda atom: not isinstance(atom, float))))
def test_text_around_a_value_is_the_text_of_python(texts: list[str], value: object) -> None:
    @blueprint(id="x")
    def built(x: object) -> object:
        return step(f"{x}".join(["", *texts, "!"]))

    text = built.blueprint.nodes["step"].with_["value"]
    assert isinstance(text, str)
    shown = value if isinstance(value, str) else value_to_text(value)
    assert evaluated(text, inputs={"x": value}) == shown.join(["", *texts, "!"])


ARITHMETIC = (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
NUMBERS = st.recursive(
    st.one_of(INTEGER.map(lambda n: lambda _, n=n: n), st.just(lambda x: x)),
    lambda part: st.one_of(
        st.tuples(st.sampled_from(ARITHMETIC), part, part).map(
            lambda t: lambda x: t[0](t[1](x), t[2](x))
        ),
        part.map(lambda p: lambda x: -p(x)),
        part.map(lambda p: lambda x: abs(p(x))),
    ),
    max_leaves=6,
)
CONDITIONS = st.recursive(
    st.tuples(st.sampled_from(COMPARISONS), NUMBERS, NUMBERS).map(
        lambda t: lambda x: t[0](t[1](x), t[2](x))
    ),
    lambda part: st.one_of(
        st.tuples(st.sampled_from([operator.and_, operator.or_]), part, part).map(
            lambda t: lambda x: t[0](t[1](x), t[2](x))
        ),
        st.tuples(part, NUMBERS, NUMBERS).map(
            lambda t: (
                lambda x: branch(t[0](x), then=lambda: t[1](x) > 0, otherwise=lambda: t[2](x) > 0)
            )
        ),
    ),
    max_leaves=4,
)


@settings(max_examples=500, deadline=None)
@given(st.one_of(NUMBERS, CONDITIONS), INTEGER)
def test_an_expression_gives_what_python_gives(function, number: int) -> None:
    try:
        expected = function(number)
    except ZeroDivisionError:
        return

    @blueprint(id="x")
    def built(x: int) -> object:
        return step(function(x))

    try:
        text = built.blueprint.nodes["step"].with_["value"]
    except ZeroDivisionError:
        return  # of two constants, which Python divides at once also in the route not taken
    found = evaluated(text, inputs={"x": number}) if isinstance(text, str) else text
    assert same(found, expected)


# --- programs ---------------------------------------------------------------------------------


def _leaf(value: object) -> object:
    return step(value)


#: A program takes a traced value and gives one.
PROGRAMS = st.recursive(
    st.one_of(
        st.just(_leaf),
        ATOM.map(lambda atom: lambda x: use("any.type", a=x, b=atom).field),
        st.just(lambda x: x.total * 2 + 1),
        st.just(lambda x: step(f"text {x} and {x}")),  # the text itself is a plain one
        st.just(lambda x: step.with_(retry=Retry(attempts=2), timeout="5s", if_=x == 1)(x)),
        st.just(lambda x: step.with_(compensate=lambda done: step(done.id))(x)),
        st.just(lambda x: wait_for(signal="paid", match=lambda p: p.amount > x, timeout=60)),
        st.just(lambda x: approval("Sure?", fields={"amount": float}).fields),
    ),
    lambda part: st.one_of(
        st.tuples(part, part).map(lambda t: lambda x: t[1](t[0](x))),
        st.tuples(part, part).map(lambda t: lambda x: [t[0](x), {"b": t[1](x)}][1]["b"]),
        part.map(lambda p: lambda x: each(x, lambda item: p(item))),
        part.map(lambda p: lambda x: each(x, step, concurrency=2)),
        part.map(lambda p: lambda x: repeat(lambda acc: p(acc), x, until=lambda acc: acc == 1)),
        st.tuples(part, part).map(
            lambda t: lambda x: branch(x > 1, then=lambda: t[0](x), otherwise=lambda: t[1](step(x)))
        ),
        st.tuples(part, part).map(
            lambda t: lambda x: switch({"a": (x > 1, lambda: t[0](x)), "b": (x, lambda: t[1](x))})
        ),
        part.map(lambda p: lambda x: group(lambda: p(step(x)))),
        st.tuples(part, part).map(
            lambda t: lambda x: race(lambda: t[0](step(x)), lambda: t[1](step(x)))
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(PROGRAMS)
def test_what_is_built_is_the_same_in_yaml(program) -> None:
    @blueprint(id="x")
    def built(x: object) -> object:
        return step(program(x))

    document = built.blueprint.document
    text = built.to_yaml()
    read = from_yaml(text)
    assert same(read.blueprint.document, document)
    assert content_hash(read.blueprint.document) == content_hash(document)
    assert msgspec.json.encode(read.blueprint) == msgspec.json.encode(built.blueprint)
    assert read.to_yaml() == text
    _refers_to_what_is_there(document["nodes"], {"inputs"})


def _refers_to_what_is_there(nodes, known: set[str]) -> None:
    """Every name in an expression is an input, or a node of a body around it made before it."""
    seen = set(known)
    for name, body in nodes.items():
        inner = seen | {"index", "acc", "payload", "item", body.get("as", "item"), name}
        for text in _texts({key: part for key, part in body.items() if key != "nodes"}):
            for _, expression in parse_template(text).expressions:
                names = {reference.name for reference in expression.references} - {"nodes"}
                allowed = inner | set(body.get("nodes", ()))
                assert names <= allowed, (name, text, names - allowed)
        for text in [body.get("if"), *body.get("branch", {}).values()]:
            if text not in (None, "else"):
                assert {reference.name for reference in parse(text).references} <= inner
        if "nodes" in body:
            _refers_to_what_is_there(body["nodes"], inner - {name})
        for need in body.get("needs", ()):
            assert need.partition(".")[0] in seen
        assert name not in seen
        seen.add(name)


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


# --- documents --------------------------------------------------------------------------------

DURATION = st.sampled_from(["250ms", "5s", "1m30s", 2, 0.5])
CONDITION = st.sampled_from(["a.b > 1", "true", "size(x) == 2"])
RETRY = st.fixed_dictionaries({"attempts": st.integers(1, 9)}, optional={"delay": DURATION})
COMMON = {
    "name": st.text(CHARACTERS, max_size=9),
    "if": CONDITION,
    "needs": st.lists(NAME, max_size=2),
    "join": st.sampled_from(["all", "any", {"at_least": 2}]),
    "enabled": st.booleans(),
    "retry": RETRY,
    "timeout": DURATION,
    "on_error": st.one_of(st.just("continue"), st.fixed_dictionaries({"value": JSON})),
    "cache": st.sampled_from([True, "1h", {"ttl": "1h"}]),
    "weight": st.integers(0, 5),
    "with": st.dictionaries(NAME, JSON, max_size=3),
}
REPEAT = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"map": st.just("${{ x }}")}, optional={"concurrency": st.just(3)}),
    st.fixed_dictionaries({"loop": st.fixed_dictionaries({"times": st.just(3), "start": JSON})}),
)
LEAF = st.one_of(
    st.fixed_dictionaries({"uses": st.sampled_from(["a.b", "a@2"])}, optional=COMMON),
    st.fixed_dictionaries({"call": st.sampled_from(["a", "./a.yaml"])}, optional=COMMON),
    st.fixed_dictionaries({"wait": st.fixed_dictionaries({"for": DURATION})}, optional=COMMON),
    st.fixed_dictionaries({"branch": st.just({"high": "x > 1", "low": "else"})}, optional=COMMON),
)
UNDO = st.fixed_dictionaries(
    {"uses": st.sampled_from(["a.b", "a@2"])},
    optional={key: COMMON[key] for key in ("retry", "timeout", "with", "weight")}
    | {"when_failed": st.booleans()},
)
IDS = NAME.map(lambda name: f"n_{name}")
NODE = st.recursive(
    LEAF,
    lambda part: st.tuples(
        st.fixed_dictionaries(
            {"nodes": st.dictionaries(IDS, part, min_size=1, max_size=2)},
            optional={**COMMON, "output": JSON, "compensate": UNDO},
        ),
        REPEAT,
    ).map(lambda pair: pair[0] | pair[1]),
    max_leaves=4,
)
DOCUMENT = st.fixed_dictionaries(
    {"nodes": st.dictionaries(IDS, NODE, min_size=1, max_size=3), "id": st.just("x")},
    optional={
        "inputs": st.dictionaries(NAME, st.sampled_from(["string", {"type": "number"}])),
        "variables": st.dictionaries(NAME, JSON, max_size=2),
        "output": JSON,
        "metadata": st.dictionaries(NAME, JSON, max_size=2),
        "limits": st.just({"timeout": "5m"}),
    },
).map(lambda document: {**document, "atomiton": 1})


@settings(max_examples=300, deadline=None)
@given(DOCUMENT)
def test_a_blueprint_is_the_same_after_yaml(document) -> None:
    blueprint_ = read_document(document)
    read = from_yaml(to_yaml(document))
    assert same(read.blueprint.document, document)
    assert msgspec.json.encode(read.blueprint) != b""
    ordered = in_order(document)
    assert same(ordered, document)
    assert content_hash(read.blueprint.document) == content_hash(ordered)
    assert content_hash(load(read.to_yaml()).data) == content_hash(ordered)
    plain = msgspec.structs.replace(blueprint_, document={})
    assert same(
        msgspec.to_builtins(plain),
        msgspec.to_builtins(msgspec.structs.replace(read.blueprint, document={})),
    )
