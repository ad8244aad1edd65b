"""Imports point one way, and never around a circle."""

from __future__ import annotations

import graphlib

import pytest
from tests.house.reading import Import, Module, imports, modules

INNER = {"errors", "blueprint", "machine", "ports"}
RING = {"store", "events", "nodes", "runtimes", "drivers"}

#: Section of the house to what it may import of ours, besides itself. A dotted name is one module.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "blueprint": {"errors"},
    "machine": {"errors", "blueprint.model", "blueprint.plan"},
    "ports": {"errors", "blueprint", "machine"},
    **dict.fromkeys(RING, INNER),
    "conductor": INNER | RING,
    "interop": {"errors", "blueprint", "nodes"},
    "builder": {"errors", "blueprint", "nodes", "conductor"},
    "testing": INNER | RING | {"conductor", "builder"},
    "client": INNER | RING | {"conductor"},
    "server": INNER | RING | {"conductor"},
    "cli": INNER | RING | {"conductor", "builder", "interop", "testing", "client", "server"},
    "__main__": {"cli"},
    "atomiton": INNER | RING | {"conductor", "builder", "client"},  # the public names, re-exported
}


def wrong_arrows(source: list[Module]) -> list[str]:
    """Every import that points the wrong way, also inside functions and for types only."""
    known = {module.name for module in source}
    found = []
    for module in source:
        if module.section not in MAY_IMPORT:
            found.append(f"{module.name}: no rule says what {module.section} may import")
            continue
        wrong = (i for i in imports(module, known) if not _allowed(module.section, i))
        found.extend(f"{module.name}:{item.line} imports {item.target}" for item in wrong)
    return found


def _allowed(section: str, item: Import) -> bool:
    first, _, rest = item.target.partition(".")
    if first != "atomiton":
        return True
    target_section = rest.split(".")[0]
    if target_section == section or target_section in MAY_IMPORT[section]:
        return True
    return any(f"{rest}.".startswith(f"{name}.") for name in MAY_IMPORT[section])


def circle(source: list[Module]) -> list[str]:
    """One import cycle among what is imported eagerly; empty if there is none."""
    known = {module.name for module in source}
    graph = {
        module.name: {
            item.target
            for item in imports(module, known)
            if item.eager and item.target in known and item.target != module.name
        }
        for module in source
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_every_import_points_inward() -> None:
    assert wrong_arrows(modules()) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(modules()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("atomiton.errors", "import atomiton.blueprint.model"),
        ("atomiton.blueprint.plan", "from atomiton.ports import journal"),
        ("atomiton.machine.state", "from atomiton.blueprint import yaml"),
        ("atomiton.machine.state", "from atomiton import ports"),
        ("atomiton.machine.state", "from ..ports.journal import Journal"),
        ("atomiton.ports.journal", "import atomiton.store.memory"),
        ("atomiton.store.sqlite", "from atomiton.nodes.spec import node"),
        ("atomiton.drivers.local", "def f():\n    import atomiton.runtimes.inline"),
        ("atomiton.nodes.a", "if TYPE_CHECKING:\n    from atomiton.drivers import local"),
        ("atomiton.conductor", "from atomiton.cli import main"),
        ("atomiton.conductor.library", "from atomiton.builder import each"),
        ("atomiton.nodes.spec", "from atomiton.builder.tracer import Tracer"),
        ("atomiton.builder.built", "from atomiton.drivers.local import Driver"),
        ("atomiton.client.http", "import atomiton.server.app"),
        ("atomiton.attic.old", "import json"),
        ("atomiton", "from atomiton.server import app"),
    ],
)
def test_a_wrong_arrow_is_found(name: str, text: str) -> None:
    known = ["blueprint.model", "blueprint.yaml", "ports", "ports.journal", "nodes.spec", "cli"]
    others = [Module(f"atomiton.{other}", "") for other in known if f"atomiton.{other}" != name]
    assert len(wrong_arrows([Module(name, text), *others])) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("atomiton.machine.state", "from atomiton.machine.events import Event"),
        ("atomiton.machine.state", "from atomiton.blueprint.plan import Plan"),
        ("atomiton.store.sqlite", "from atomiton.ports import journal"),
        ("atomiton.store.sqlite", "from . import memory"),
        ("atomiton.conductor", "from atomiton.drivers.local import Driver"),
        ("atomiton.cli.run", "from atomiton.conductor import Conductor"),
        ("atomiton.builder.built", "from atomiton.conductor.synchronous import run"),
    ],
)
def test_a_right_arrow_is_left_alone(name: str, text: str) -> None:
    assert wrong_arrows([Module(name, text)]) == []


def test_a_circle_is_found_and_named() -> None:
    a = Module("atomiton.store.a", "from atomiton.store import b")
    b = Module("atomiton.store.b", "from .a import x")
    assert set(circle([a, b])) == {"atomiton.store.a", "atomiton.store.b"}


def test_an_import_inside_a_function_or_for_types_makes_no_circle() -> None:
    a = Module("atomiton.store.a", "import atomiton.store.b")
    lazy = Module("atomiton.store.b", "def f():\n    import atomiton.store.a")
    typing = Module("atomiton.store.b", "if TYPE_CHECKING:\n    import atomiton.store.a")
    assert circle([a, lazy]) == []
    assert circle([a, typing]) == []
