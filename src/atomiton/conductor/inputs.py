"""What a caller gives a run: checked, and values that nobody else holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from atomiton.blueprint.inputs import check_inputs
from atomiton.blueprint.model import Blueprint, Durability
from atomiton.blueprint.types import describe
from atomiton.errors import AtomitonError, InputError, NodeError, Problem
from atomiton.machine.events import Event
from atomiton.machine.records import encode
from atomiton.nodes.values import to_value

#: Priorities are between minus this and this.
_PRIORITIES = 2**31
_KINDS: Mapping[object, type[object]] = {"string": str, "integer": int, "boolean": bool}
_PLAIN = frozenset({"type", "description", "title", "default"})


class Inputs:
    """Checks and copies the inputs of one blueprint's runs; made once, used for every run.

    Args:
        blueprint: What declares them.

    Example:
        >>> from atomiton.blueprint.document import read_document
        >>> nodes = {"a": {"wait": {"for": 1}}}
        >>> given = {"atomiton": 1, "id": "a", "inputs": {"x": "integer"}, "nodes": nodes}
        >>> Inputs(read_document(given))({"x": 1})
        {'x': 1}
    """

    __slots__ = ("_blueprint", "_simple")

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        #: What each must be, when all ask for a simple type and nothing else.
        self._simple: dict[str, type[object]] | None = None
        schemas = blueprint.inputs
        if all(s.keys() <= _PLAIN and s.get("type") in _KINDS for s in schemas.values()):
            self._simple = {name: _KINDS[schema["type"]] for name, schema in schemas.items()}

    def __call__(self, given: dict[str, object] | Mapping[str, object] | None) -> dict[str, object]:
        """Check inputs, fill in defaults, and copy what the caller may still change.

        Raises:
            InputError: With every input that does not fit, or that could not be put on record.
        """
        simple = self._simple
        if simple is None or not isinstance(given, dict) or len(given) != len(simple):
            return own_inputs(self._blueprint, given)
        inputs: dict[str, object] = {}
        for name, kind in simple.items():
            value = given.get(name)
            if type(value) is not kind or not _is_safe(value):
                return own_inputs(self._blueprint, given)
            inputs[name] = value
        return inputs


def _is_safe(value: object) -> bool:
    """Whether a number, a text or a truth can be put on record as it is, seen at a glance."""
    if type(value) is int:
        return -(1 << 63) <= value < 1 << 63
    return type(value) is bool or (type(value) is str and value.isascii())


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


def own_value(value: object, what: str) -> object:
    """A copy of a plain value that nobody else holds.

    Args:
        value: What came from outside.
        what: What to call it in a message, such as ``the payload``.

    Raises:
        InputError: If it could not be put on record.
    """
    try:
        return to_value(value)
    except NodeError as error:
        said = error.message.replace("the result", what, 1).replace("at result", f"in {what}", 1)
        raise InputError([Problem("INVALID_INPUT", said, "")]) from error


def refuse_unfit(event: Event) -> None:
    """Refuse a wish that could not be put on record: the run would be lost with it.

    Raises:
        InputError: It holds text that is not valid Unicode, or an integer of more than 64 bits.
    """
    try:
        encode(event)
    except UnicodeEncodeError:
        said = "what is said to the run holds text that is not valid Unicode"
    except OverflowError:
        said = "what is said to the run holds an integer of more than 64 bits"
    else:
        return
    raise InputError([Problem("INVALID_INPUT", said, "")])


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


def check_turn(priority: int, lane: str, delay: float) -> None:
    """Refuse a turn that makes no sense; ``AtomitonError`` says which."""
    problem = None
    if not -_PRIORITIES < priority < _PRIORITIES:
        problem = f"a priority is between -2**31 and 2**31, not {priority}"
    elif len(lane) > 255:
        problem = "the name of a lane has at most 255 characters"
    elif not 0 <= delay < 1e10:
        problem = f"a delay is a number of seconds from 0 on, not {delay}"
    if problem is not None:
        raise AtomitonError(problem, code="INVALID_INPUT")
