"""Reading a blueprint: plain data to the model, or everything that is wrong with it at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from atomiton.blueprint.model import Blueprint, Defaults, Limits
from atomiton.blueprint.nodes import read_body, read_node, read_retry
from atomiton.blueprint.plain import find_not_plain
from atomiton.blueprint.positions import Places
from atomiton.blueprint.problems import Path
from atomiton.blueprint.properties import read_property
from atomiton.blueprint.reading import (
    ABSENT,
    Reader,
    Table,
    anything,
    as_list,
    as_mapping,
    choice,
    duration,
    integer,
    make,
    mapping,
    number,
    some_text,
    text,
    texts,
)
from atomiton.blueprint.triggers import read_triggers
from atomiton.blueprint.types import describe

if TYPE_CHECKING:
    from atomiton.blueprint.yaml import Document

FORMAT: Final = 1
"""The version of the format that this package reads."""

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_INPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_SYNONYMS: Final = {
    "steps": "nodes",
    "jobs": "nodes",
    "tasks": "nodes",
    "params": "inputs",
    "parameters": "inputs",
    "vars": "variables",
    "outputs": "output",
    "title": "name",
    "tags": "metadata",
    "author": "metadata",
}


def read_document(
    data: object, positions: Places | None = None, key_positions: Places | None = None
) -> Blueprint:
    """Read plain data as a blueprint.

    Args:
        data: What a YAML or JSON text holds, or the same made in Python; kept, not copied.
        positions: Path to line and column of every value, for the problems.
        key_positions: Path to line and column of every key.

    Raises:
        BlueprintError: The data is not a blueprint; carries every problem in document order.

    Example:
        >>> data = {"atomiton": 1, "id": "hi", "nodes": {"a": {"uses": "data.set"}}}
        >>> read_document(data).nodes["a"].uses
        'data.set'
    """
    reader = Reader(positions, key_positions)
    for path, message in find_not_plain(data):
        reader.wrong(path, message)
    reader.raise_any()
    document = as_mapping(data)
    if document is None:
        message = f"a blueprint must hold keys and values, got {describe(data)}"
        reader.wrong((), message, "it begins with `atomiton: 1`")
        reader.raise_any()
    document = document or {}
    read = _read_keys(reader, document)
    reader.raise_any()
    read["document"] = document
    read["has_output"] = "output" in document
    return make(Blueprint, read)


def read_blueprint(text: str | bytes, filename: str = "<blueprint>") -> tuple[Blueprint, Document]:
    """Read the text of a blueprint, YAML or JSON.

    Args:
        text: The text, or its UTF-8 bytes.
        filename: Name of the text in messages.

    Returns:
        The blueprint, and the document with the place of every value.

    Raises:
        BlueprintError: The text is not a blueprint; carries every problem with its place.
    """
    # Here, because blueprints made in Python need no YAML and should not wait for its import.
    from atomiton.blueprint.yaml import load

    document = load(text, filename=filename)
    blueprint = read_document(document.data, document.positions, document.key_positions)
    return blueprint, document


def _read_keys(reader: Reader, document: dict[str, object]) -> dict[str, object]:
    read: dict[str, object] = {}
    for key, value in document.items():
        field = FIELDS.get(key)
        if field is None:
            reader.unknown((key,), FIELDS, "a blueprint", _SYNONYMS)
            continue
        result = field[1](reader, value, (key,))
        if result is not ABSENT:
            read[field[0]] = result
    for key, hint in (
        ("atomiton", "add 'atomiton: 1'"),
        ("id", "add 'id: my-blueprint'"),
        ("nodes", "add 'nodes:' with at least one node"),
    ):
        if key not in document:
            reader.wrong((), f"a blueprint needs the key '{key}'", hint)
    read.pop("atomiton", None)
    return read


def _format(reader: Reader, value: object, path: Path) -> object:
    if type(value) is int and value == FORMAT:
        return value
    message = f"'atomiton' is the version of the format, which is {FORMAT}, got {describe(value)}"
    return reader.wrong(path, message, f"write 'atomiton: {FORMAT}'")


def _id(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    hint = "small letters, digits and -, at most 64"
    if isinstance(value, str):
        better = re.sub(r"[^a-z0-9]+", "-", value[:200].lower()).strip("-")[:64]
        hint = f"write '{better}': {hint}" if better else hint
    return reader.wrong(path, f"'id' cannot be {describe(value)}", hint)


def _names(reader: Reader, value: object, path: Path) -> dict[str, object] | None:
    """A mapping whose keys can be named in expressions."""
    found = as_mapping(value)
    if found is None:
        mapping(reader, value, path)
        return None
    for name in found:
        if not _INPUT.fullmatch(name):
            message = f"'{name[:60]}' cannot be a name here"
            hint = "a letter or _, then letters, digits, _ and -, at most 64"
            reader.wrong((*path, name), message, hint, at_key=True)
    return found


def _inputs(reader: Reader, value: object, path: Path) -> object:
    found = _names(reader, value, path)
    if found is None:
        return ABSENT
    return {name: read_property(reader, part, (*path, name)) for name, part in found.items()}


def _variables(reader: Reader, value: object, path: Path) -> object:
    found = _names(reader, value, path)
    return ABSENT if found is None else found


_DEFAULTS: Final[Table] = {
    "retry": ("retry", read_retry),
    "timeout": ("timeout", duration),
    "runtime": ("runtime", some_text),
}


def _defaults(reader: Reader, value: object, path: Path) -> object:
    read = reader.fields(value, path, _DEFAULTS, "'defaults'")
    if read is None:
        return ABSENT
    return make(Defaults, read)


_LIMITS: Final[Table] = {
    "concurrency": ("concurrency", integer(1)),
    "timeout": ("timeout", duration),
    "steps": ("steps", integer(1)),
    "cost": ("cost", number(0, above=True)),
}


def _limits(reader: Reader, value: object, path: Path) -> object:
    read = reader.fields(value, path, _LIMITS, "'limits'")
    if read is None:
        return ABSENT
    return make(Limits, read)


_LIFECYCLE: Final = ("success", "failure", "cancel", "always")
_NOT_AT_THE_END: Final = ("needs", "join", "on_error", "compensate")


def _on(reader: Reader, value: object, path: Path) -> object:
    found = as_mapping(value)
    if found is None:
        return mapping(reader, value, path)
    read: dict[str, object] = {}
    for key, node in found.items():
        if key in _LIFECYCLE:
            read[key] = read_node(reader, node, (*path, key))
            for name in _NOT_AT_THE_END:
                if name in (as_mapping(node) or {}):
                    message = f"a node that runs at the end cannot have '{name}'"
                    reader.wrong((*path, key, name), message, at_key=True)
        else:
            reader.unknown((*path, key), _LIFECYCLE, "'on'")
    return read


def _layout(reader: Reader, value: object, path: Path) -> object:
    found = as_mapping(value)
    if found is None:
        return mapping(reader, value, path)
    for name, place in found.items():
        pair = as_list(place)
        if pair is None or len(pair) != 2 or not all(map(_is_number, pair)):
            message = f"the place of a node is [x, y], got {describe(place)}"
            reader.wrong((*path, name), message)
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


FIELDS: Final[Table] = {
    "atomiton": ("atomiton", _format),
    "id": ("id", _id),
    "name": ("name", text),
    "version": ("version", some_text),
    "description": ("description", text),
    "metadata": ("metadata", mapping),
    "inputs": ("inputs", _inputs),
    "variables": ("variables", _variables),
    "secrets": ("secrets", texts(_SECRET, "the name of a secret", "API_KEY")),
    "nodes": ("nodes", read_body),
    "output": ("output", anything),
    "defaults": ("defaults", _defaults),
    "limits": ("limits", _limits),
    "durability": ("durability", choice("sync", "async", "none")),
    "compensate_on": (
        "compensate_on",
        texts(re.compile("failure|cancel"), "failure or cancel", "failure"),
    ),
    "on": ("on", _on),
    "triggers": ("triggers", read_triggers),
    "layout": ("layout", _layout),
}
"""Keys of a blueprint: the field of the model, and what reads it."""
