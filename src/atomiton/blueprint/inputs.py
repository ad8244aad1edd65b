"""Checking a run's inputs against what its blueprint declares."""

from __future__ import annotations

from collections.abc import Mapping

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.problems import nearest
from atomiton.blueprint.types import check_value
from atomiton.errors import InputError, Problem

_EXACT: Mapping[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}
_PLAIN = frozenset({"type", "description", "title", "default"})


def check_inputs(blueprint: Blueprint, given: Mapping[str, object]) -> dict[str, object]:
    """Check inputs and fill in defaults.

    Returns:
        Every declared input, in the order of the blueprint.

    Raises:
        InputError: With every input that is unknown, missing or of a wrong type.
    """
    declared = blueprint.inputs
    problems: list[Problem] = []
    for name in given:
        if name not in declared:
            hint = nearest(name, declared) or f"its inputs: {', '.join(declared) or 'none'}"
            problems.append(_problem(f"there is no input '{name}'", name, hint))
    inputs: dict[str, object] = {}
    for name, schema in declared.items():
        if name in given:
            value = inputs[name] = given[name]
            wanted = schema.get("type")  # without one, everything will do
            fits = wanted is None or _EXACT.get(type(value)) == wanted
            if fits and schema.keys() <= _PLAIN:
                continue  # the common case, made short
            for place, message in check_value(value, schema, name, strict=True):
                problems.append(_problem(f"input '{place}': {message}", name))
        elif "default" in schema:
            inputs[name] = schema["default"]
        else:
            hint = f"give it with --input {name}=..."
            problems.append(_problem(f"the input '{name}' is missing", name, hint))
    if problems:
        raise InputError(problems)
    return inputs


def _problem(message: str, name: str, hint: str | None = None) -> Problem:
    return Problem("INVALID_INPUT", message, f"inputs.{name}", hint=hint)
