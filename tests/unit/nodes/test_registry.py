"""Node types by name; nothing is loaded before it is asked for."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from atomiton.errors import BlueprintError, NotFound
from atomiton.nodes.registry import BUILTIN, Registry
from atomiton.nodes.spec import node


@node("my.step")
def step(a: int) -> int:
    return a


@node("my.step", version=2)
def step_2(a: int) -> int:
    return a


def test_every_name_of_the_table_is_there_and_complete() -> None:
    registry = Registry.builtin()
    assert {type_.name for type_ in registry} >= set(BUILTIN)
    for name in BUILTIN:
        type_ = registry.get(name)
        assert type_.name == name
        assert type_.title, name
        assert type_.description, name
        assert type_.icon, name
        assert type_.example.startswith("atomiton: 1\nid: "), name
        assert f"uses: {name}" in type_.example, name
        assert type_.plain_result, name
        assert all(p.description for p in type_.parameters), name
        if name not in ("data.value", "data.edit", "flow.fail"):
            assert type_.result["properties"], name
            assert type_.result["description"], name


def test_the_studio_has_every_icon_and_the_page_lists_them() -> None:
    root = Path(__file__).resolve().parents[3]
    pictures = (root / "studio" / "src" / "ui" / "pictures.ts").read_text(encoding="utf-8")
    names = set(re.findall(r'"?([a-z][a-z-]*)"?: [A-Z]', pictures))
    assert {type_.icon for type_ in Registry.builtin()} <= names
    page = (root / "docs" / "how-to" / "node-types.md").read_text(encoding="utf-8")
    assert (
        set(re.findall(r"`([a-z-]+)`", page.partition("## Icons")[2].partition("##")[0])) == names
    )


def test_what_fields_mean_is_told() -> None:
    """Where an output has several fields, each says what it is."""
    plain = {"data.filter", "data.flatten", "data.map", "data.slice", "data.sort", "data.unique"}
    for type_ in Registry.builtin():
        fields = cast("dict[str, dict[str, object]]", type_.result.get("properties", {}))
        if len(fields) > 1 and type_.name not in plain:
            assert all("description" in schema for schema in fields.values()), type_.name


def test_a_family_is_imported_when_it_is_asked_for() -> None:
    code = (
        "import sys\nfrom atomiton.nodes.registry import Registry\n"
        "r = Registry.builtin()\nbefore = {m for m in sys.modules if 'atomiton.nodes.' in m}\n"
        "assert not before & {'atomiton.nodes.' + n for n in ('data', 'file', 'http', 'sheet')}\n"
        "r.types()\n"
        "heavy = {'aiohttp', 'xlsxwriter', 'python_calamine', 'pydantic'}\n"
        "assert not heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_versions() -> None:
    registry = Registry()
    registry.add(step_2)
    registry.add(step.type)
    assert registry.get("my.step").version == 2
    assert registry.get("my.step@1").version == 1
    with pytest.raises(NotFound, match="has no version '3'; there is 1, 2"):
        registry.get("my.step@3")
    with pytest.raises(NotFound, match="no version 'x'"):
        registry.get("my.step@x")
    assert registry.names() == ["my.step"]
    assert "my.step" in registry


@pytest.mark.parametrize(
    ("name", "near"),
    [("data.filtr", "data.filter"), ("filter", "data.filter"), ("file.raed", "file.read")],
)
def test_what_is_missing_names_the_nearest(name, near) -> None:
    with pytest.raises(NotFound, match=f"did you mean .*{near}") as caught:
        Registry.builtin().get(name)
    assert caught.value.code == "UNKNOWN_NODE_TYPE"
    assert near in caught.value.details["nearest"]


def test_a_file_of_ones_own(tmp_path) -> None:
    path = tmp_path / "steps.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from atomiton.nodes.spec import node\n"
        "from atomiton.nodes.data import filter_\n"
        "@dataclass\nclass Order:\n    id: int\n"
        "@node\ndef load(order: Order) -> Order:\n    return order\n"
        "@node('shop.sell', version=3)\nasync def sell() -> None: ...\n"
    )
    registry = Registry.builtin()
    assert [t.name for t in registry.load_file(path)] == ["steps.load", "shop.sell"]
    assert registry.get("steps.load").parameters[0].schema["title"] == "Order"
    assert registry.get("shop.sell@3").is_async
    other = tmp_path / "other"
    other.mkdir()
    (other / "steps.py").write_text("from atomiton.nodes.spec import node\n@node\ndef b(): ...\n")
    assert [t.name for t in registry.load_file(other / "steps.py")] == ["steps.b"]
    module = sys.modules[registry.get("steps.load").function.__module__]
    assert module.__file__ == str(path)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\nx = (\n", 2, "SyntaxError"),
        ("x = 1\n\nimport no_such_module\n", 3, "no_such_module"),
        ("from atomiton.nodes.spec import node\n@node\ndef a(*x): ...\n", 2, "is a \\*list"),
        ("def f():\n    1 / 0\nf()\n", 2, "division by zero"),
    ],
)
def test_a_broken_file_names_the_line(tmp_path, text, line, said) -> None:
    path = tmp_path / "steps.py"
    path.write_text(text)
    with pytest.raises(BlueprintError, match=said) as caught:
        Registry.builtin().load_file(path)
    assert caught.value.problems[0].line == line
    assert f"steps.py:{line}" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(BlueprintError, match="no such Python file"):
        Registry().load_file(tmp_path / "none.py")
    with pytest.raises(BlueprintError, match="no such Python file"):
        Registry().load_file(tmp_path)


def test_installed_packages(monkeypatch) -> None:
    module = ModuleType("someones_nodes")
    module.step = step
    module.number = 5
    monkeypatch.setitem(sys.modules, "someones_nodes", module)
    points = EntryPoints([EntryPoint("x", "someones_nodes", "atomiton.nodes")])
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    assert Registry.builtin().get("my.step").name == "my.step"
    broken = EntryPoints([EntryPoint("x", "no_such_package", "atomiton.nodes")])
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: broken)
    with pytest.raises(BlueprintError, match="no_such_package"):
        Registry.builtin().get("my.step")
