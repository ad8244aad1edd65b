"""``atomiton.blueprint`` is the decorator and the folder, in whatever order they are imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

DECORATOR = "from atomiton import blueprint"
TOP = "import atomiton; blueprint = atomiton.blueprint"
FOLDER = "import atomiton.blueprint.model"
MODULE = "from atomiton.blueprint.model import Blueprint"
ALIAS = "import atomiton.blueprint.durations as durations; durations.parse_duration('1s')"
INNER = "from atomiton.blueprint import durations; durations.parse_duration('1s')"
EVERYTHING = "import atomiton.builder, atomiton.conductor.conductor, atomiton.cli"

USE = """
from atomiton import node
@node
def twice(n: int) -> int:
    return n * 2
@blueprint
def first(n: int) -> int:
    return twice(n)
@blueprint(id="second")
def other(n: int) -> int:
    return twice(n) + 1
assert first.run(4) == 8
assert (other.id, other.run(4)) == ("second", 9)
import atomiton, sys
assert atomiton.blueprint is sys.modules["atomiton.blueprint"] is blueprint
assert atomiton.blueprint.model.Blueprint is atomiton.Blueprint
assert "blueprint" in dir(atomiton)
"""


@pytest.mark.parametrize(
    "imports",
    [
        (DECORATOR,),
        (TOP,),
        (DECORATOR, FOLDER),
        (FOLDER, DECORATOR),
        (MODULE, DECORATOR),
        (DECORATOR, MODULE),
        (ALIAS, INNER, DECORATOR),
        (DECORATOR, ALIAS, INNER),
        (EVERYTHING, TOP),
    ],
    ids=" ; ".join,
)
def test_the_name_is_both_in_every_order(imports: tuple[str, ...]) -> None:
    program = "\n".join([*imports, USE])
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_asking_for_the_decorator_loads_neither_builder_nor_engine() -> None:
    program = "import sys; from atomiton import blueprint, node\nprint(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = ended.stdout.split()
    assert "atomiton.blueprint" in loaded
    assert not {"atomiton.builder", "atomiton.conductor", "asyncio", "yaml"} & set(loaded)
