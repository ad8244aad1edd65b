"""The inputs of a blueprint: the parameters of its function."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Final, cast

from atomiton.blueprint.model import Json
from atomiton.blueprint.properties import FORMATS, KEYWORDS
from atomiton.builder.literals import as_document
from atomiton.builder.places import local_names
from atomiton.nodes.schema import Schema, argument_notes, schema_of
from atomiton.nodes.signature import nullable

_KINDS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def names_around(function: Callable[..., object]) -> dict[str, object]:
    """What a function's annotations may name beside globals: locals of the code that defines it.

    To be called while that code runs; empty when globals are enough.
    """
    try:
        typing.get_type_hints(function)
    except NameError:
        return local_names()
    return {}


def signature_of(
    function: Callable[..., object], around: Mapping[str, object]
) -> inspect.Signature:
    """The signature of a blueprint's function, with its annotations resolved.

    Args:
        function: The function.
        around: What ``names_around`` gave when it was defined.

    Raises:
        TypeError: An annotation cannot be resolved, or the function takes more than names.
    """
    try:
        hints = typing.get_type_hints(function, localns=dict(around) or None, include_extras=True)
    except NameError as error:
        message = f"blueprint {function.__name__!r}: an annotation cannot be read: {error}"
        raise TypeError(message) from None
    signature = inspect.signature(function)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.kind not in _KINDS:
            raise TypeError(
                f"blueprint {function.__name__!r}: the parameter {parameter.name!r} has no name "
                "that an input could have"
            )
        parameters.append(parameter.replace(annotation=hints.get(parameter.name, object)))
    returned = hints.get("return", object)
    return signature.replace(parameters=parameters, return_annotation=returned)


def declared_inputs(function: Callable[..., object], signature: inspect.Signature) -> Json:
    """The ``inputs`` of a document: a declaration for each parameter.

    Raises:
        TypeError: A type has no JSON form.
    """
    notes = argument_notes(inspect.getdoc(function) or "")
    found: dict[str, Json] = {}
    for name, parameter in signature.parameters.items():
        try:
            schema = schema_of(parameter.annotation)
        except TypeError as error:
            raise TypeError(f"blueprint {function.__name__!r}: input {name!r}: {error}") from None
        if parameter.default is not parameter.empty:
            if parameter.default is None and schema:
                schema = nullable(schema)
            schema = {**schema, "default": as_document(parameter.default)}
        if notes.get(name):
            schema["description"] = notes[name]
        found[name] = _declaration(schema)
    return found


def property_of(type_: object) -> Json:
    """A declaration of a Python type, or of what is a declaration already."""
    if isinstance(type_, str | dict):
        return cast("Json", type_)
    return _declaration(schema_of(type_))


def _declaration(schema: Schema) -> Json:
    """A JSON Schema in the words of the format, the short way where there is one."""
    if "contentEncoding" in schema:  # bytes travel as they are, not as text
        schema = {key: schema[key] for key in ("default", "description") if key in schema}
    kept = {key: _part(key, value) for key, value in schema.items() if key in KEYWORDS}
    name = kept.get("format") if kept.get("format") in FORMATS else kept.get("type")
    short = kept.keys() <= {"type", "format"} and isinstance(name, str)
    if short and ("format" not in kept or name == kept["format"]):
        return cast("str", name)
    if not kept:
        return "any"
    return kept


def _part(key: str, value: object) -> Json:
    if key == "properties":
        named = cast("Mapping[str, Schema]", value)
        return {name: _declaration(dict(part)) for name, part in named.items()}
    if key == "anyOf":
        return [_declaration(dict(part)) for part in cast("list[Schema]", value)]
    if key in ("items", "additionalProperties") and isinstance(value, dict):
        return _declaration(dict(cast("Schema", value)))
    return cast("Json", value)
