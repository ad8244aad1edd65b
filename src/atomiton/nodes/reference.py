"""Writes the reference page of all built-in node types, from the types themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby
from typing import cast

from atomiton.blueprint.durations import format_duration
from atomiton.nodes.registry import BUILTIN, Registry
from atomiton.nodes.spec import NodeType, Parameter

_HEAD = """\
# Node types

Every node type that comes with Atomiton. This page is written from the types themselves, by
`python -m atomiton.nodes.reference`; do not edit it. `atomiton nodes show NAME` prints the same.

*Effect* says whether a node may be repeated: `pure` (same inputs, same result), `idempotent` (may
be repeated) or `once` (not unasked). An *expression* parameter holds a bare expression over
`item`, `index` and, in `data.reduce`, `acc`. What a parameter that is not given defaults to stands
in parentheses.
"""
_WORDS = {"string": "text", "array": "list", "object": "object"}


def reference(types: Iterable[NodeType]) -> str:
    """The page as Markdown.

    Args:
        types: Node types, in any order.

    Returns:
        Its text, which ends with a line end.
    """
    ordered = sorted(types, key=lambda type_: (type_.category, type_.name))
    parts = [_HEAD]
    for category, members in groupby(ordered, key=lambda type_: type_.category):
        parts.append(f"## {category}\n")
        parts += [_section(type_) for type_ in members]
    return "\n".join(parts)


def builtin() -> str:
    """The page of the built-in node types."""
    registry = Registry.builtin()
    return reference(registry.get(name) for name in BUILTIN)


def type_name(schema: object) -> str:
    """A schema in a few words: ``text``, ``list of integer``, ``text or null``."""
    if not isinstance(schema, dict) or not schema:
        return "anything"
    whole = cast("dict[str, object]", schema)
    options = whole.get("anyOf")
    if isinstance(options, list):
        return " or ".join(dict.fromkeys(map(type_name, cast("list[object]", options))))
    allowed = whole.get("enum")
    if isinstance(allowed, list):
        return " or ".join(f"`{value}`" for value in cast("list[object]", allowed))
    kind = whole.get("type")
    if isinstance(kind, list):
        return " or ".join(_WORDS.get(str(one), str(one)) for one in cast("list[object]", kind))
    if kind == "string" and whole.get("contentEncoding") == "base64":
        return "bytes"
    name = _WORDS.get(str(kind), str(kind))
    inner = whole.get("items") or whole.get("additionalProperties")
    return f"{name} of {type_name(inner)}" if inner else name


def _section(type_: NodeType) -> str:
    facts = [f"*Effect:* {type_.effect}"]
    if type_.capabilities:
        facts.append(f"*reaches:* {', '.join(sorted(set(type_.capabilities.values())))}")
    if type_.timeout is not None:
        facts.append(f"*timeout:* {format_duration(type_.timeout)}")
    lines = [
        f"### {type_.name}\n",
        f"{type_.details or type_.description}\n",
        f"{' · '.join(facts)}\n",
    ]
    if type_.parameters:
        lines += ["| parameter | type | meaning |", "|---|---|---|"]
        lines += [_parameter(parameter) for parameter in type_.parameters]
        lines.append("")
    lines += _output(type_.result)
    if type_.example:
        lines.append(f"```yaml\n{type_.example}```\n")
    return "\n".join(lines)


def _parameter(parameter: Parameter) -> str:
    kind = "expression" if parameter.expression else type_name(parameter.schema)
    if not parameter.required and not parameter.variadic:
        kind += f" ({_default(parameter.default)})"
    return f"| `{parameter.name}` | {_cell(kind)} | {_cell(parameter.description)} |"


def _default(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _output(result: dict[str, object]) -> list[str]:
    """The output in one line, or in a table of its fields where more is said of them."""
    properties = result.get("properties")
    if not isinstance(properties, dict):
        return [f"*Output:* {type_name(result)}.\n"]
    fields = cast("dict[str, dict[str, object]]", properties).items()
    if not any("description" in schema for _, schema in fields):
        told = ", ".join(f"`{name}` {type_name(schema)}" for name, schema in fields)
        return [f"*Output:* {told}.\n"]
    rows = [
        f"| `{name}` | {_cell(type_name(schema))} | {_cell(str(schema.get('description', '')))} |"
        for name, schema in fields
    ]
    return ["| output | type | meaning |", "|---|---|---|", *rows, ""]


if __name__ == "__main__":
    sys.stdout.write(builtin())
