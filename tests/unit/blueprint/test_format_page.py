"""The page of the format shows blueprints that are right, and names every key."""

import re
from pathlib import Path

import pytest

from atomiton.blueprint import document, nodes, properties, triggers
from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_blueprint, read_document
from atomiton.blueprint.model import Blueprint
from atomiton.nodes.registry import Registry

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "format.md").read_text("utf-8")
EXAMPLES = [
    block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "atomiton: 1" in block
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_a_blueprint(text):
    assert read_blueprint(text)[0].nodes


def anything(_caller: Blueprint, name: str) -> Blueprint:
    """What the examples call."""
    nodes = {"a": {"uses": "data.value", "with": {"value": 1}}}
    return read_document(
        {"atomiton": 1, "id": "order", "inputs": {"number": "any"}, "nodes": nodes}
    )


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_can_be_run(text):
    assert compile_blueprint(read_blueprint(text)[0], Registry.builtin(), None, anything)


@pytest.mark.parametrize(
    "words",
    [
        document.FIELDS,
        nodes.FIELDS,
        nodes.RESERVED,
        properties.KEYWORDS,
        properties.TYPES,
        properties.FORMATS,
        triggers.TRIGGERS,
    ],
)
def test_every_key_is_on_the_page(words):
    assert [word for word in words if not re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", PAGE)] == []
