"""A run's inputs: checked, and values that nobody else holds."""

from __future__ import annotations

from collections.abc import Mapping

from atomiton.blueprint.inputs import check_inputs
from atomiton.blueprint.model import Blueprint
from atomiton.errors import InputError, NodeError, Problem
from atomiton.nodes.values import to_value


def own_inputs(blueprint: Blueprint, given: Mapping[str, object]) -> dict[str, object]:
    """Check inputs, fill in defaults, and copy what the caller may still change.

    Raises:
        InputError: With every input that does not fit, or that could not be put on record.
    """
    inputs = check_inputs(blueprint, given)
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
