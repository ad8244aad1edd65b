"""Choice rules of Amazon States Language as conditions."""

from __future__ import annotations

from typing import Final

from atomiton.interop.asl_data import Paths
from atomiton.interop.data import listing, mapping
from atomiton.interop.expressions import cel
from atomiton.interop.expressions.tree import Untranslatable

_SIGNS: Final = {
    "Equals": "==",
    "LessThan": "<",
    "LessThanEquals": "<=",
    "GreaterThan": ">",
    "GreaterThanEquals": ">=",
}
_TYPES: Final = {
    "IsNull": ("null_type",),
    "IsString": ("string",),
    "IsNumeric": ("int", "double"),
    "IsBoolean": ("bool",),
}
_OF: Final = {
    "String": ("string",),
    "Numeric": ("int", "double"),
    "Boolean": ("bool",),
    "Timestamp": ("string",),
}
_KEYS: Final = ("Variable", "Next", "Comment", "Assign", "Output", "And", "Or", "Not")


def rule(paths: Paths, choice: object) -> str:
    """The condition of a rule; a value of another type than is compared with is no match.

    Raises:
        Untranslatable: No condition here is the same.
    """
    said = mapping(choice)
    for key, sign in (("And", " && "), ("Or", " || ")):
        if key in said:
            parts = [f"({rule(paths, part)})" for part in listing(said[key])]
            if not parts:
                raise Untranslatable(f"'{key}' holds no rules")
            return sign.join(parts)
    if "Not" in said:
        return f"!({rule(paths, said['Not'])})"
    tests = [key for key in said if key not in _KEYS]
    variable = said.get("Variable")
    if len(tests) != 1 or not isinstance(variable, str):
        raise Untranslatable("a choice rule has not one variable and one comparison")
    return _test(paths, variable, tests[0], said[tests[0]])


def _test(paths: Paths, variable: str, test: str, operand: object) -> str:
    if test == "IsPresent":
        there = paths.optional(variable)
        present = f"{there.text}.hasValue()" if there.optional else "true"
        return present if operand is True else f"!{present}"
    value = paths.path(variable)
    if test in _TYPES:
        found = _is(value, _TYPES[test])
        return found if operand is True else f"!({found})"
    if test == "StringMatches":
        return f"{_is(value, ('string',))} && {value}.matches({cel.quoted(_pattern(operand))})"
    for kind, types in _OF.items():
        sign = _SIGNS.get(test.removeprefix(kind).removesuffix("Path"))
        if test.startswith(kind) and sign is not None:
            other = paths.path(operand) if test.endswith("Path") else cel.literal(operand).closed
            return _compared(value, sign, other, kind, types)
    raise Untranslatable(f"the comparison '{test}' is not known")


def _compared(value: str, sign: str, other: str, kind: str, types: tuple[str, ...]) -> str:
    if kind == "Timestamp":
        return f"{_is(value, types)} && timestamp({value}) {sign} timestamp({other})"
    if kind == "Boolean" and sign != "==":
        raise Untranslatable("booleans have no order")
    return f"{_is(value, types)} && {value} {sign} {other}"


def _is(value: str, types: tuple[str, ...]) -> str:
    if len(types) == 1:
        return f"type({value}) == {cel.quoted(types[0])}"
    return f"type({value}) in [{', '.join(map(cel.quoted, types))}]"


def _pattern(operand: object) -> str:
    """A pattern with ``*`` as a regular expression."""
    if not isinstance(operand, str):
        raise Untranslatable("'StringMatches' has no text")
    made: list[str] = []
    escaped = False
    for char in operand:
        if char == "\\" and not escaped:
            escaped = True
            continue
        made.append(".*" if char == "*" and not escaped else _literally(char))
        escaped = False
    return f"(?s)^{''.join(made)}$"


def _literally(char: str) -> str:
    return f"\\{char}" if char in r"\.+*?()[]{}|^$" else char
