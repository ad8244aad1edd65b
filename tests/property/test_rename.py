"""Renaming a node there and back gives the same bytes; in between the blueprint means the same."""

from __future__ import annotations

import json

import pytest
import yaml as pyyaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from atomiton import run
from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.emit import to_yaml
from atomiton.blueprint.rename import rename_node
from atomiton.blueprint.yaml import load
from atomiton.nodes.registry import Registry

REGISTRY = Registry.builtin()
#: Names that stand inside escapes, words and texts of the expressions below.
NAMES = ("a", "n", "t", "x", "u", "e0", "node", "value", "status", "rows", "id", "s", "completed")
NEW = ("z", "fresh", "a_much_longer_name_than_any_other_of_these", "nn", "value_", "no", "on")
FORMS = (
    "R", "[R].map(v_, v_ == R)", "[1].map(R, R + 1)", "nodes.R.status", "nodes['R'].attempts",
    "{'R': R, \"k\": 'R'}", "has({'R': 1}.R) ? R : null", "'R' + string(nodes.R.status)",
    "R == R && 'n\\n R \\x61' != \"R\"", "{'nodes': {'R': 1}}.nodes.R", "{'R': 2}['R'] // R\n",
)  # fmt: skip
TEXTS = ("${{ E }}", "R ${{ E }} R", "it's R: \t${{ E }}\n\n R's\n", "$${{ R }} é${{ E }}${{ E }}")
BARE = ("item == R || true", "[item].exists(R, R == item)", "nodes.R.status == 'R'")


def is_expression(type_: str, parameter: str) -> bool:
    return any(p.name == parameter and p.expression for p in REGISTRY.get(type_).parameters)


@st.composite
def bodies(draw: st.DrawFn, *, groups: bool, outer: tuple[str, ...] = ()) -> dict:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    nodes: dict = {}
    for name in names:
        seen = (*outer, *nodes)
        nodes[name] = draw(one_node(seen))
        if groups and not outer and draw(st.booleans()):
            inner = draw(bodies(groups=False, outer=tuple(nodes)))
            nodes[name] = {"nodes": inner, "output": draw(values(tuple(inner)))}
        if seen and draw(st.booleans()):
            nodes[name]["needs"] = draw(st.lists(st.sampled_from(seen), unique=True))
    return nodes


@st.composite
def values(draw: st.DrawFn, seen: tuple[str, ...]) -> object:
    if not seen:
        return draw(st.sampled_from([1, "R", "$${{ R }}"]))
    text = draw(st.sampled_from(TEXTS)).replace("E", draw(st.sampled_from(FORMS)))
    value = text.replace("R", draw(st.sampled_from(seen)))
    return draw(st.sampled_from([value, [value, 1], {"R": value, seen[0]: seen[0]}]))


@st.composite
def one_node(draw: st.DrawFn, seen: tuple[str, ...]) -> dict:
    if seen and draw(st.booleans()):
        where = draw(st.sampled_from(BARE)).replace("R", draw(st.sampled_from(seen)))
        return {"uses": "data.filter", "with": {"items": [1, draw(values(seen))], "where": where}}
    return {"uses": "data.value", "with": {"value": draw(values(seen))}}


@st.composite
def texts(draw: st.DrawFn, *, groups: bool) -> tuple[str, dict]:
    nodes = draw(bodies(groups=groups))
    document = {
        "atomiton": 1,
        "id": "x",
        "nodes": nodes,
        "output": [f"${{{{ {name} }}}}" for name in nodes],
        "layout": {name: [1, 2] for name in nodes},
    }
    style = draw(st.sampled_from(["ours", "json", None, "'", '"', "|", ">"]))
    if style == "ours":
        text = to_yaml(document)
    elif style == "json":
        text = json.dumps(document, indent=draw(st.sampled_from([None, 1])), ensure_ascii=False)
    else:
        # Signs of style that do not fit a text are ignored; numbers would become text.
        width = draw(st.sampled_from([10, 40, 200]))
        flow = draw(st.sampled_from([True, False, None]))
        text = pyyaml.dump(document, width=width, default_flow_style=flow, sort_keys=False)
        if style is not None:
            text = pyyaml.dump_all([document], Dumper=styled(style), width=width, sort_keys=False)
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    assume(load(text).data == document)  # narrow lines are more than the writer can do
    return text, document


def styled(style: str) -> type[pyyaml.SafeDumper]:
    class Dumper(pyyaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    def represent(dumper: pyyaml.SafeDumper, text: str) -> pyyaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)

    Dumper.add_representer(str, represent)
    return Dumper


def paths_of(nodes: dict, prefix: str = "") -> list[str]:
    found = []
    for name, node in nodes.items():
        found.append(prefix + name)
        found += paths_of(node.get("nodes", {}), f"{prefix}{name}.")
    return found


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_there_and_back_gives_the_same_bytes(data: st.DataObject) -> None:
    text, document = data.draw(texts(groups=True))
    path = data.draw(st.sampled_from(paths_of(document["nodes"])))
    new = data.draw(st.sampled_from(NEW))
    group, dot, old = path.rpartition(".")
    there = rename_node(text, path, new, is_expression)
    assert there.text != text
    if sum(name.rpartition(".")[2] == old for name in paths_of(document["nodes"])) == 1:
        back = rename_node(there.text, group + dot + new, old, is_expression)
        assert back.text == text
        assert back.lines == there.lines


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_renamed_blueprint_means_the_same(data: st.DataObject) -> None:
    text, document = data.draw(texts(groups=False))
    old = data.draw(st.sampled_from(list(document["nodes"])))
    new = data.draw(st.sampled_from(NEW))
    before = read_blueprint(text)[0]
    after = read_blueprint(rename_node(text, old, new, is_expression).text)[0]
    one, two = (compile_blueprint(blueprint, REGISTRY).root for blueprint in (before, after))
    assert [new if node.id == old else node.id for node in one.nodes] == [n.id for n in two.nodes]
    assert [node.needs for node in one.nodes] == [node.needs for node in two.nodes]
    ran, renamed = run(before), run(after)
    assert (ran.status, ran.error and ran.error.code) == (
        renamed.status,
        renamed.error and renamed.error.code,
    )
    assert ran.output == renamed.output
