"""The ``yaml`` family: text to values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

from atomiton.errors import BlueprintError, NodeError
from atomiton.nodes import json
from atomiton.nodes.guard.threads import aside
from atomiton.nodes.spec import node

if TYPE_CHECKING:
    from atomiton.blueprint.model import Json


class Parsed(TypedDict):
    """What a text says."""

    value: object


class Formatted(TypedDict):
    """A value as text."""

    text: str


@node(
    "yaml.parse",
    effect="pure",
    title="Parse YAML",
    icon="braces",
    plain=True,
    example="""
    atomiton: 1
    id: yaml-parse-example
    nodes:
      settings:
        uses: yaml.parse
        with:
          text: |
            on: yes
            ports: [80, 0x1F90]
    output: ${{ settings.value }}
    """,
)
async def parse(text: str | bytes) -> Parsed:
    """The value that a YAML text stands for, as YAML 1.2 has it: `yes` and `on` are text.

    A text may have 1 MiB, 50 levels, 100,000 values and 100 aliases. Tags, merge keys, keys that
    are no text and keys that a mapping has twice are errors, with the line. An empty text is null.

    Args:
        text: One document; bytes are read as UTF-8.
    """
    from atomiton.blueprint.yaml_values import load_value

    try:
        return {"value": await aside(len(text), load_value, text)}
    except BlueprintError as error:
        raise NodeError(
            f"the text is not YAML that can be read: {error.problems[0]}",
            code="INVALID_INPUT",
            details={"problems": [str(problem) for problem in error.problems]},
        ) from None


@node(
    "yaml.format",
    effect="pure",
    title="Format YAML",
    icon="braces",
    plain=True,
    example="""
    atomiton: 1
    id: yaml-format-example
    nodes:
      text:
        uses: yaml.format
        with:
          value: {on: "yes", ports: [80, 8080]}
    output: ${{ text.text }}
    """,
)
async def format_(value: object) -> Formatted:
    """A value as YAML text, which `yaml.parse` reads as the same, as do readers of YAML 1.1.

    Bytes become base64, date-times ISO 8601.

    Args:
        value: The value to write.
    """
    from atomiton.blueprint.yaml_values import value_to_yaml

    plain = json.encode(value)

    def work() -> str:
        return value_to_yaml(cast("Json", json.decode(plain, unique=False)))

    try:
        return {"text": await aside(len(plain), work)}
    except ValueError as error:
        raise NodeError(f"the value cannot be YAML: {error}", code="TYPE_MISMATCH") from None
