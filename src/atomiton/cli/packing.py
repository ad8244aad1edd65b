"""A package of node types to begin with: what `atomiton new node-pack` writes."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from atomiton.cli.new import write_files
from atomiton.cli.version import own_version
from atomiton.errors import AtomitonError

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")

_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
description = "Node types for Atomiton."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["{needs}"]

# What makes its node types known wherever the package is installed.
[project.entry-points."atomiton.nodes"]
{module} = "{module}"

[dependency-groups]
dev = ["pytest>=8"]

[tool.hatch.build.targets.wheel]
packages = ["src/{module}"]
"""
_MODULE = '''\
"""Node types of the family ``{module}``."""

from __future__ import annotations

from typing import TypedDict

from atomiton import NodeError, node


class Split(TypedDict):
    """An amount, shared."""

    shares: list[float]
    rest: float


@node(
    "{module}.split",
    effect="pure",
    title="Split an amount",
    example="""
    atomiton: 1
    id: split-example
    nodes:
      bill:
        uses: {module}.split
        with: {{amount: 100, among: 3}}
    output: ${{{{ bill.shares }}}}
    """,
)
def split(amount: float, among: int = 2) -> Split:
    """Share an amount equally, to the cent; what cannot be shared is the rest.

    Args:
        amount: What is shared.
        among: How many share it.
    """
    if among < 1:
        raise NodeError(f"among is 1 or more, not {{among}}", code="INVALID_INPUT", retryable=False)
    share = int(amount * 100) // among
    return {{"shares": [share / 100] * among, "rest": round(amount - share * among / 100, 2)}}
'''
_TEST = '''\
"""The node types by themselves, and in a run of their examples."""

from __future__ import annotations

from pathlib import Path

import pytest

import atomiton
from atomiton import NodeError
from {module} import split


def test_an_amount_is_shared_to_the_cent() -> None:
    assert split(100, among=3) == {{"shares": [33.33, 33.33, 33.33], "rest": 0.01}}


def test_nobody_to_share_with_is_refused() -> None:
    with pytest.raises(NodeError, match="1 or more"):
        split(100, among=0)


def test_the_example_runs(tmp_path: Path) -> None:
    blueprint = tmp_path / "example.yaml"
    blueprint.write_text(split.type.example)
    # Found by its name alone, as wherever the package is installed.
    result = atomiton.run(blueprint, store="memory:")
    assert (result.status, result.output) == ("completed", [33.33, 33.33, 33.33])
'''
_README = """\
# {name}

Node types for Atomiton.

    uv venv && uv pip install -e . pytest     # or python -m venv .venv and its pip
    .venv/bin/pytest                          # its tests
    .venv/bin/atomiton nodes list {module}    # it is there, and in the studio

Each function in `src/{module}/__init__.py` under `@node` is a node type: its parameters are the
inputs, its result is the output, its docstring the help. The entry point in `pyproject.toml` makes
them known wherever the package is installed.

A change that would break blueprints gets a new major version, beside the old one:
`@node("{module}.split", version=2)`. Blueprints that say `uses: {module}.split@1` keep the first,
which may tell what to use instead: `@node(..., deprecated="use {module}.split@2")`.
"""


def make_pack(name: str, folder: Path) -> list[Path]:
    """Write a package of node types into a new folder of its name.

    Args:
        name: Name of the package, such as ``my-nodes``.
        folder: Where the new folder is made.

    Returns:
        The files.

    Raises:
        AtomitonError: The name cannot be that of a package, or a file is there already.
    """
    module = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(module) or module == "atomiton":
        message = f"{name!r} cannot be the name of a package: small letters, digits and -"
        raise AtomitonError(message, code="INVALID_INPUT")
    texts = {
        "pyproject.toml": _PROJECT,
        "README.md": _README,
        f"src/{module}/__init__.py": _MODULE,
        f"src/{module}/py.typed": "",
        "tests/test_nodes.py": _TEST,
    }
    version = own_version()
    needs = "atomiton" if version == "unknown" else f"atomiton>={version}"
    values = {"name": name, "module": module, "needs": needs}
    contents = {path: text.format(**values).encode() for path, text in texts.items()}
    return write_files(folder / name, contents)
