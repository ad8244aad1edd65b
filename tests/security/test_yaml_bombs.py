"""Texts made to exhaust time, memory or the stack are refused at once, with their place."""

import itertools
import subprocess
import sys
import time

import pytest

from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.yaml import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_NODES, load
from atomiton.errors import BlueprintError

LEVELS = "abcdefghi"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{here}: &{here} [{', '.join(['*' + before] * 9)}]\n"
    for before, here in itertools.pairwise(LEVELS)
)


def fill(unit, start=""):
    return start + unit * ((MAX_BYTES - len(start)) // len(unit))


BOMBS = {
    "laughs": LAUGHS,
    "laughs in mappings": LAUGHS.replace("[", "{k: [").replace("]", "]}"),
    "3000 brackets": "[" * 3000,
    "3000 brackets below a key": "a: " + "[" * 3000,
    "deep json": '{"a":' * 3000 + "1" + "}" * 3000,
    "brackets": fill("[", "a: "),
    "braces": fill("{", "a: "),
    "json objects": fill('{"a":'),
    "dashes": fill("- ", "a:\n  "),
    "questions": fill("? "),
    "list in list": fill("[a,", "a: "),
    "mapping in mapping": fill("{a: ", "a: "),
    "many items": fill("- a\n", "a:\n"),
    "many items in brackets": fill("a,", "a: ["),
    "many empty lists": fill("[],", "a: ["),
    "one key again": fill("a: 1\n"),
    "many keys": "".join(f"k{i}: 1\n" for i in range(80_000)),
    "many bad numbers": "".join(f"k{i}: .inf\n" for i in range(60_000)),
    "many documents": fill("--- a\n"),
    "many anchors": fill("&a ", "a: "),
    "many tags": fill("- !x a\n", "a:\n"),
    "quotes": fill('"', "a: "),
    "open quote": fill("b", 'a: "'),
    "a long line with colons": fill("b: ", "a: "),
    "digits": fill("1", "a: "),
    "dots": fill(".", "a: .inf"),
    "a long key": fill("a") + ": 1",
    "percent": fill("%"),
    "tabs": fill("\t"),
    "blank lines": fill("\n"),
    "comments": fill("#\n"),
    "indentation": "\n".join(" " * i + "a:" for i in range(1400)),
    "too large": "a: " + "b" * MAX_BYTES,
    "wide characters": "a: " + "é" * (MAX_BYTES // 2),
    "aliases": "a: &a x\nb: [" + "*a, " * (MAX_ALIASES + 1) + "]",
    "an alias to itself": "a: &a [*a]",
    "python objects": "a: !!python/object/apply:os.system [id]",
    "unknown keys": "".join(f"unknown{i}: x\n" for i in range(20_000)),
    "unknown node keys": "nodes:\n" + "".join(f"  n{i}: {{ues: x}}\n" for i in range(8_000)),
}


@pytest.mark.timed
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_quickly_and_with_its_place(name):
    started = time.process_time()
    with pytest.raises(BlueprintError) as caught:
        read_blueprint(BOMBS[name])
    assert time.process_time() - started < 1
    assert all(problem.line and problem.column for problem in caught.value.problems)
    assert all(len(problem.message) < 1000 for problem in caught.value.problems)


def test_the_limits_themselves_are_allowed():
    deep = "a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert load(deep)
    with pytest.raises(BlueprintError, match="deeper than 50"):
        load(deep.replace("[]", "[[]]"))
    items = MAX_NODES - 3  # the mapping, its key, the list
    assert load("a: [" + "1," * items + "]")
    with pytest.raises(BlueprintError, match="more than 100,000"):
        load("a: [" + "1," * (items + 1) + "]")
    assert load("a: &a x\nb: [" + "*a, " * MAX_ALIASES + "]")


def test_nodes_and_depth_are_counted_behind_aliases():
    half = "a: &a [" + "1," * (MAX_NODES // 2) + "]\n"
    with pytest.raises(BlueprintError, match="more than 100,000"):
        load(half + "b: *a\n")
    deep = "a: &a " + "[" * 30 + "]" * 30 + "\nb: "
    assert load(deep + "[" * 19 + "*a" + "]" * 19)
    with pytest.raises(BlueprintError, match="deeper than 50"):
        load(deep + "[" * 20 + "*a" + "]" * 20)


def test_no_tag_runs_code(tmp_path):
    target = tmp_path / "made"
    for tag in ("!!python/object/apply:pathlib.Path.touch", "!!python/name:os.system", "!x"):
        with pytest.raises(BlueprintError, match="tag"):
            load(f"a: {tag} [{target}]")
    assert not target.exists()


def test_reading_a_document_needs_no_yaml_library():
    code = "import atomiton.blueprint.document, sys; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
