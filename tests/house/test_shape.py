"""The limits of the house: sizes everywhere, purity in the machine, no unexplained catch-all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from tests.house.purity import impurities
from tests.house.reading import PACKAGE, ROOT, Module, body_lines, modules

FILE_LINES = 500
BODY_LINES = 60
BODY_LINES_MACHINE = 40
BROAD = {"Exception", "BaseException"}


def everything() -> list[Module]:
    """The package, its tests and what else is written in Python here."""
    folders = (PACKAGE, *(ROOT / name for name in ("tests", "examples", "benchmarks", "scripts")))
    return [module for folder in folders if folder.is_dir() for module in modules(folder)]


def machine() -> list[Module]:
    return [module for module in modules() if module.section == "machine"]


def too_long(source: list[Module]) -> Iterator[str]:
    for module in source:
        lines = module.text.count("\n")
        if lines > FILE_LINES:
            yield f"{module.name}: {lines} lines, at most {FILE_LINES}"
        limit = BODY_LINES_MACHINE if module.name.startswith("atomiton.machine") else BODY_LINES
        for function in module.functions():
            if (lines := body_lines(function)) > limit:
                place = f"{module.name}:{function.lineno} {function.name}"
                yield f"{place}: {lines} lines, at most {limit}"


def unexplained_catches(source: list[Module]) -> Iterator[str]:
    for module in source:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ExceptHandler) or _raises_again(node):
                continue
            if _is_broad(node.type):
                near = (module.comments.get(line, "") for line in (node.lineno - 1, node.lineno))
                if not any(_reason(comment) for comment in near):
                    yield f"{module.name}:{node.lineno} catches everything and does not say why"


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether it only tidies up: nothing is swallowed, so there is nothing to explain."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    parts = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(ast.unparse(part).removeprefix("builtins.") in BROAD for part in parts)


def _reason(comment: str) -> bool:
    words = re.sub(r"noqa(: *[A-Z0-9, ]+)?|type: ignore\S*|pragma: \S+( \S+)?", "", comment)
    return len(re.findall(r"[A-Za-z]{2,}", words)) >= 2


def test_no_function_or_file_is_too_long() -> None:
    assert list(too_long(everything())) == []


def test_every_catch_all_says_why() -> None:
    assert list(unexplained_catches(everything())) == []


def test_the_machine_is_pure() -> None:
    assert [found for module in machine() for found in impurities(module)] == []


def function_of(lines: int) -> str:
    return 'def f():\n    """Doc.\n\n    More.\n    """\n' + "    x = 1\n" * lines


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("atomiton.store.a", function_of(60), 0),
        ("atomiton.store.a", function_of(61), 1),
        ("atomiton.machine.a", function_of(40), 0),
        ("atomiton.machine.a", function_of(41), 1),
        ("atomiton.store.a", "x = 1\n" * 500, 0),
        ("atomiton.store.a", "x = 1\n" * 501, 1),
        ("atomiton.store.a", "class A:\n    async def f():\n" + "        x = 1\n" * 61, 1),
    ],
)
def test_the_limits_are_where_they_are_said_to_be(name: str, text: str, found: int) -> None:
    assert len(list(too_long([Module(name, text)]))) == found


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("except:", 1),
        ("except Exception:", 1),
        ("except (ValueError, BaseException) as e:", 1),
        ("except Exception:  # noqa: BLE001", 1),
        ("except Exception:  # noqa: BLE001 - a node may raise anything", 0),
        ("except Exception:  # a node may raise anything", 0),
        ("# A node may raise anything.\nexcept Exception:", 0),
        ("except ValueError:", 0),
    ],
)
def test_an_unexplained_catch_all_is_found(clause: str, found: int) -> None:
    module = Module("atomiton.store.a", f"try:\n    f()\n{clause}\n    pass\n")
    assert len(list(unexplained_catches([module]))) == found


def test_a_catch_all_that_raises_again_explains_itself() -> None:
    again = Module("atomiton.store.a", "try:\n    f()\nexcept BaseException:\n    g()\n    raise\n")
    other = Module(again.name, again.text.replace("    raise", "    raise ValueError"))
    assert list(unexplained_catches([again])) == []
    assert len(list(unexplained_catches([other]))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio",
        "from time import monotonic",
        "import os.path",
        "import aiohttp",
        "def f():\n    import random",
        "from datetime import datetime\nx = datetime.now()",
        "open('a')",
        "x = hash('a')",
        "from typing import Any\n",
        "import typing\nx: typing.Any",
        "for x in {1, 2}: pass",
        "x = [y for y in set(z)]",
        "x = list({y for y in z})",
        "def f():\n    ready = set()\n    for x in ready: pass",
        "def f(ready: set[int]):\n    return [*ready]",
        "class A:\n    ready: set[int]\n    def f(self):\n        for x in self.ready: pass",
        "x = ','.join({'a', 'b'})",
        "ready = set()\nx = ready.pop()",
    ],
)
def test_an_impurity_is_found(text: str) -> None:
    assert len(impurities(Module("atomiton.machine.a", text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import heapq\nfrom collections.abc import Mapping\nimport msgspec",
        "from atomiton.errors import IllegalEvent",
        "for x in sorted({1, 2}): pass",
        "ready = set()\nif 1 in ready or len(ready) > 2: ready.add(1)",
        "for x in [1, 2]: pass",
        "def f(ready: set[int]): pass\ndef g(ready: list[int]):\n    for x in ready: pass",
        "from datetime import datetime\nx = datetime.fromisoformat('2026-01-01')",
    ],
)
def test_what_is_pure_is_left_alone(text: str) -> None:
    assert impurities(Module("atomiton.machine.a", text)) == []
