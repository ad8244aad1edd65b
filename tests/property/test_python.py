"""What is written as Python builds the same blueprint: of every example, and of any document."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.test_builder import CONDITION, DOCUMENT, DURATION, IDS, NAME, RETRY
from tests.property.test_yaml import CHARACTERS, JSON, same

from atomiton.blueprint.document import read_blueprint, read_document
from atomiton.blueprint.expressions import parse_template
from atomiton.blueprint.model import Blueprint, Retry
from atomiton.blueprint.python import to_python
from atomiton.builder import BuiltBlueprint
from atomiton.errors import AtomitonError, ExpressionError
from atomiton.nodes.functions import function_of

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(
    path
    for folder in ("examples", "tests/acceptance")
    for path in (ROOT / folder).rglob("*.yaml")
    if re.search(r"^atomiton:", path.read_text("utf-8"), re.MULTILINE)
)


def built(code: str) -> Blueprint:
    """Run the code, as its reader would."""
    names: dict[str, Any] = {"__name__": "written"}
    exec(compile(code, "written.py", "exec"), names)
    [made] = [value for value in names.values() if isinstance(value, BuiltBlueprint)]
    return made.blueprint


def meaning(blueprint: Blueprint) -> object:
    """All of a blueprint but for where its nodes stand, and blanks inside of ``${{ }}``."""
    plain = msgspec.structs.replace(blueprint, document={}, layout={})
    data = msgspec.to_builtins(plain)
    _settle_retry(data.get("defaults", {}))
    for nodes in (data["nodes"], data.get("on", {})):
        for node in nodes.values():
            _settle(node)
    return _spaced(data)


def _settle_retry(of: Any) -> None:
    """A rule that says what is so anyway says nothing more."""
    if "retry" in of:
        rule = msgspec.convert(of["retry"], Retry)
        of["retry"] = {name: getattr(rule, name) for name in rule.__struct_fields__}


def _settle(node: Any) -> None:
    """Loops begin with null where they do not say otherwise."""
    _settle_retry(node)
    if node.get("loop", {}).get("start", 0) is None:
        del node["loop"]["start"]
    for inner in node.get("nodes", {}).values():
        _settle(inner)
    if "compensate" in node:
        _settle(node["compensate"]["node"])


def _spaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spaced(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_spaced(part) for part in value]
    if not isinstance(value, str) or "${{" not in value:
        return value
    try:
        template = parse_template(value)
    except ExpressionError:
        return value
    for offset, expression in reversed(template.expressions):
        start = value.rindex("${{", 0, offset)
        end = value.index("}}", offset + len(expression.source))
        value = f"{value[:start]}${{{{ {expression.source} {value[end:]}"
    return value


def order(blueprint: Blueprint) -> list[object]:
    """Ids and routes in their order, which has a meaning."""

    def of(nodes: Any) -> list[object]:
        return [
            [name, list(node.branch or ()), of(node.nodes or {})] for name, node in nodes.items()
        ]

    return of(blueprint.nodes)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_built_again(path: Path) -> None:
    try:
        blueprint, _ = read_blueprint(path.read_bytes())
    except AtomitonError:
        pytest.skip("an example of what is wrong")
    code = to_python(blueprint, function_of)
    again = built(code)
    assert same(meaning(again), meaning(blueprint)), code
    assert order(again) == order(blueprint)


REFERENCE = st.sampled_from(
    [
        "n_a",
        "n_a.rows",
        "n_a.rows[0].id",
        "inputs.x",
        "inputs.x.total * 2 + 1",
        "nodes.n_a.status == 'completed'",
        "error_of(x)",
        "n_a.filter(o, o.total > 5)",
        "n_a['my key'] + \"it's\"",
        "{}",
        "size(n_a) > 3 && !(n_a.b == null)",
        "n_b in [1, 2]",
        "2 < n_a",
        "n_a.text.startsWith('A') || false",
        "secrets.KEY",
        "vars.v",
        "item.id",
        "index",
        "acc + item",
        "run.id",
    ]
)
TEXT = st.one_of(
    st.builds(lambda source: f"${{{{ {source} }}}}", REFERENCE),
    st.builds(
        lambda before, source, after: f"{before}${{{{{source}}}}}{after}",
        st.text(CHARACTERS, max_size=6).map(lambda text: text.replace("$", "")),
        REFERENCE,
        st.sampled_from(["", "!", '"', "'", "\\", "{", " }} ", "$${{ x", "\n", "\ue0001\ue001"]),
    ),
    st.sampled_from(["$${{ plain }}", "<traced x>", "${{ broken", "true"]),
)
VALUE = st.recursive(
    st.one_of(TEXT, JSON),
    lambda part: st.one_of(st.lists(part, max_size=2), st.dictionaries(NAME, part, max_size=2)),
    max_leaves=3,
)
KNOWN = st.one_of(
    st.fixed_dictionaries(
        {"uses": st.just("data.value"), "with": st.builds(lambda v: {"value": v}, VALUE)}
    ),
    st.fixed_dictionaries(
        {
            "uses": st.sampled_from(["data.filter", "data.filter@1"]),
            "with": st.fixed_dictionaries(
                {
                    "items": VALUE,
                    "where": st.sampled_from(["item.a > 1", "item.a>1", True, "index == acc"]),
                }
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "uses": st.just("file.read"),
            "with": st.fixed_dictionaries(
                {"path": TEXT}, optional={"as": st.just("text"), "x_": JSON}
            ),
        }
    ),
)
UNDO = st.one_of(
    st.fixed_dictionaries(
        {"uses": st.just("data.value"), "with": st.builds(lambda v: {"value": v}, VALUE)},
        optional={"when_failed": st.booleans(), "retry": RETRY},
    ),
    st.just({"wait": {"for": "1s"}}),
)
MORE = {
    "if": st.one_of(CONDITION, REFERENCE, st.booleans()),
    "needs": st.lists(
        st.sampled_from(["n_a", "n_b", "n_a.error", "n_r.high"]), max_size=2, unique=True
    ),
    "retry": RETRY,
    "timeout": DURATION,
    "on_error": st.one_of(st.just("continue"), st.fixed_dictionaries({"value": VALUE})),
    "compensate": UNDO,
    "name": st.text(CHARACTERS, max_size=6),
    "description": st.text(CHARACTERS, max_size=6),
}
WAITS = st.one_of(
    st.fixed_dictionaries({"for": st.one_of(DURATION, TEXT)}),
    st.fixed_dictionaries(
        {
            "until": st.sampled_from(
                ["2030-01-01T00:00:00Z", "n_a.at", "timestamp('2030-01-01T00:00:00Z')"]
            )
        }
    ),
    st.fixed_dictionaries(
        {"signal": NAME},
        optional={
            "match": st.sampled_from(["payload.a > 1", "payload.a > n_a"]),
            "timeout": DURATION,
        },
    ),
    st.fixed_dictionaries(
        {
            "approval": st.fixed_dictionaries(
                {"title": TEXT},
                optional={
                    "description": TEXT,
                    "fields": st.dictionaries(NAME, st.just("string"), max_size=1),
                },
            )
        },
        optional={"timeout": DURATION},
    ),
)
SIMPLE = st.one_of(
    st.tuples(KNOWN, st.fixed_dictionaries({}, optional=MORE)).map(lambda t: t[0] | t[1]),
    st.tuples(
        st.fixed_dictionaries(
            {"call": st.sampled_from(["other", "./a-b.yaml"])},
            optional={
                "with": st.dictionaries(
                    st.sampled_from(["x", "my-name", "class"]), VALUE, max_size=2
                )
            },
        ),
        st.fixed_dictionaries({}, optional=MORE),
    ).map(lambda t: t[0] | t[1]),
    st.fixed_dictionaries({"wait": WAITS}, optional={"needs": MORE["needs"], "name": MORE["name"]}),
    st.fixed_dictionaries(
        {"branch": st.fixed_dictionaries({"high": REFERENCE, "low": st.just("else")})},
        optional={
            "mode": st.sampled_from(["first", "all"]),
            "needs": MORE["needs"],
            "if": MORE["if"],
        },
    ),
)
REPEAT = st.one_of(
    st.fixed_dictionaries(
        {"map": TEXT},
        optional={
            "as": st.sampled_from(["order", "index_of", "class"]),
            "concurrency": st.just(3),
            "on_item_error": st.just("skip"),
            "needs": MORE["needs"],
        },
    ),
    st.fixed_dictionaries(
        {
            "loop": st.one_of(
                st.fixed_dictionaries(
                    {"times": st.sampled_from([3, "inputs.x + 1"])}, optional={"start": VALUE}
                ),
                st.fixed_dictionaries(
                    {"until": st.sampled_from(["acc > 3", "index == 2"])},
                    optional={"start": VALUE, "max": st.just(9), "delay": DURATION},
                ),
                st.fixed_dictionaries(
                    {"while": st.just("acc.next != null && n_a > 1")}, optional={"start": VALUE}
                ),
            )
        }
    ),
)
MANY = st.tuples(
    st.one_of(KNOWN, st.just({"call": "other", "with": {"x": "${{ order.id }} ${{ item }}"}})),
    REPEAT,
    st.fixed_dictionaries(
        {}, optional={"retry": RETRY, "timeout": DURATION, "name": MORE["name"], "if": MORE["if"]}
    ),
).map(lambda t: t[0] | t[1] | t[2])
ID = st.one_of(
    st.sampled_from(["n_a", "n_b", "n_r", "order", "value", "class", "data", "use", "a_"]), IDS
)
NODES = st.recursive(
    st.one_of(SIMPLE, MANY),
    lambda part: st.tuples(
        st.fixed_dictionaries(
            {"nodes": st.dictionaries(ID, part, min_size=1, max_size=3)},
            optional={**MORE, "output": VALUE, "race": st.just(True)},
        ),
        st.one_of(st.just({}), REPEAT),
    ).map(lambda t: t[0] | t[1]),
    max_leaves=5,
)
HEAD = {
    "inputs": st.dictionaries(
        st.sampled_from(["x", "y", "my-name", "data", "class"]),
        st.sampled_from(
            [
                "string",
                {"type": "number", "default": 1},
                {"type": "string", "enum": ["a"], "default": "a"},
                "any",
                {"type": "integer", "default": None},
                "path",
                {"type": "boolean", "default": True},
            ]
        ),
        max_size=3,
    ),
    "variables": st.dictionaries(NAME, st.one_of(JSON, st.just("${{ x }}")), max_size=1),
    "secrets": st.just(["KEY"]),
    "metadata": st.fixed_dictionaries({"notes": st.just([{"text": 'a\n"b"', "at": [1, 2]}])}),
    "output": VALUE,
    "name": st.text(CHARACTERS, max_size=5),
    "version": st.just("1.0"),
    "defaults": st.just({"retry": {"attempts": 2, "on": ["A"]}, "timeout": "5s"}),
    "limits": st.just({"timeout": "5m", "concurrency": 2}),
    "durability": st.sampled_from(["sync", "none"]),
    "compensate_on": st.sampled_from([[], ["failure"]]),
    "triggers": st.just([{"schedule": {"cron": "* * * * *"}}]),
    "on": st.just(
        {"failure": {"uses": "flow.log", "with": {"message": "${{ run.error.message }}"}}}
    ),
    "layout": st.just({"n_a": [1, 2]}),
}
WHOLE = st.fixed_dictionaries(
    {
        "nodes": st.dictionaries(ID, NODES, min_size=1, max_size=5),
        "id": st.sampled_from(["x", "7-days", "class"]),
    },
    optional=HEAD,
).map(lambda document: {**document, "atomiton": 1})


@settings(max_examples=50, deadline=None)
@given(st.one_of(WHOLE, DOCUMENT))
def test_any_blueprint_is_built_again(document: dict[str, Any]) -> None:
    is_built_again(document)


@pytest.mark.slow
@pytest.mark.timeout(400)  # many examples, each of them compiled twice
@settings(max_examples=1500, deadline=None)
@given(st.one_of(WHOLE, DOCUMENT))
def test_every_blueprint_is_built_again(document: dict[str, Any]) -> None:
    is_built_again(document)


def is_built_again(document: dict[str, Any]) -> None:
    """Write it, run what is written, and compare; what is no blueprint is left out."""
    try:
        blueprint = read_document(document)
    except AtomitonError:
        return
    code = to_python(blueprint, function_of)
    again = built(code)
    assert same(meaning(again), meaning(blueprint)), code
    assert order(again) == order(blueprint), code
