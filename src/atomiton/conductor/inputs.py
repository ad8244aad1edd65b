"""What a caller gives a run: checked, and values that nobody else holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from atomiton.blueprint.inputs import check_inputs
from atomiton.blueprint.model import Blueprint, Durability
from atomiton.blueprint.types import describe
from atomiton.errors import AtomitonError, InputError, NodeError, Problem
from atomiton.nodes.values import to_value

_DURABILITIES = get_args(Durability)


def check_options(durability: object, key: object) -> None:
    """Refuse a durability that does not exist, and a key that says nothing.

    Raises:
        AtomitonError: With code INVALID_INPUT.

    Example:
        >>> check_options("sync", "order-17")
    """
    message = ""
    if durability is not None and durability not in _DURABILITIES:
        message = f"durability is sync, async or none, got {describe(durability)}"
    elif key is not None and (not isinstance(key, str) or not key):
        message = f"key is text that is not empty, got {describe(key)}"
    if message:
        raise AtomitonError(message, code="INVALID_INPUT")


def own_inputs(blueprint: Blueprint, given: Mapping[str, object] | None) -> dict[str, object]:
    """Check inputs, fill in defaults, and copy what the caller may still change.

    Raises:
        InputError: With every input that does not fit, or that could not be put on record.
    """
    inputs = check_inputs(blueprint, _mapping(given))
    problems: list[Problem] = []
    for name, value in inputs.items():
        if value is None or value is True or value is False:
            continue
        if type(value) is int and -(1 << 63) <= value < 1 << 63:
            continue
        try:
            inputs[name] = to_value(value)
        except NodeError as error:
            said = error.message.replace("the result", f"input '{name}'", 1)
            said = said.replace("at result", f"at {name}", 1)
            problems.append(Problem("INVALID_INPUT", said, f"inputs.{name}"))
    if problems:
        raise InputError(problems)
    return inputs


def _mapping(given: object) -> Mapping[str, object]:
    # Callers without a type checker give anything.
    if given is None:
        return {}
    if isinstance(given, dict | Mapping):  # the former is asked in no time
        found = cast("Mapping[object, object]", given)
        wrong = [name for name in found if not isinstance(name, str)]
        if not wrong:
            return cast("Mapping[str, object]", given)
        got = f"the name {wrong[0]!r:.60}"
    else:
        got = describe(given)
    message = f"inputs are a mapping of names to values, got {got}"
    raise InputError([Problem("INVALID_INPUT", message, "inputs")])
