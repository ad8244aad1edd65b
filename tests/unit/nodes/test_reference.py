"""The reference page is current, and its examples fit the node types."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from atomiton.nodes.reference import builtin, type_name
from atomiton.nodes.registry import BUILTIN, Registry

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "nodes.md"


def test_the_page_is_current() -> None:
    """If this fails: ``uv run python -m atomiton.nodes.reference > docs/reference/nodes.md``."""
    assert PAGE.read_text(encoding="utf-8") == builtin()


@pytest.mark.parametrize("name", BUILTIN)
def test_an_example_gives_each_node_what_it_needs(name) -> None:
    registry = Registry.builtin()
    document = yaml.safe_load(registry.get(name).example)
    for node in document["nodes"].values():
        type_ = registry.get(node["uses"])
        given = set(node["with"])
        assert given <= {parameter.name for parameter in type_.parameters}
        assert given >= {parameter.name for parameter in type_.parameters if parameter.required}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "anything"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object of text"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or null"),
        ({"enum": ["a", "b"]}, "`a` or `b`"),
        ({"type": ["string", "number"]}, "text or number"),
        ({"type": "string", "contentEncoding": "base64"}, "bytes"),
    ],
)
def test_types_in_words(schema, words) -> None:
    assert type_name(schema) == words
