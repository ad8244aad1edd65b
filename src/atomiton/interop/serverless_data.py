"""Runtime expressions and durations of Serverless Workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from atomiton.interop.data import is_list, is_map, listing, mapping
from atomiton.interop.expressions import cel
from atomiton.interop.expressions.cel import Cel, braced, field, plain_text
from atomiton.interop.expressions.parser import JQ
from atomiton.interop.expressions.translate import Translator
from atomiton.interop.expressions.tree import Field, Node, Root, Untranslatable

_WRAPPED = re.compile(r"\s*\$\{(.*)\}\s*", re.DOTALL)
_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]*)\}")
_UNITS: Final = {
    "milliseconds": 0.001,
    "seconds": 1.0,
    "minutes": 60.0,
    "hours": 3600.0,
    "days": 86400.0,
}
_WORKFLOW: Final = {
    "$workflow.id": "run.id",
    "$workflow.definition.document.name": "run.blueprint",
    "$workflow.definition.document.version": "run.version",
}


class Expressions:
    """Translates the expressions of one place.

    Args:
        value: Expression of what ``.`` stands for.
        names: Expressions of variables, by name with their ``$``.
    """

    def __init__(self, value: str, names: Mapping[str, str]) -> None:
        self.value = value
        self.names = dict(names)

    def seeing(self, value: str, **names: str) -> Expressions:
        """The same names and more, with another value of ``.``."""
        more = {f"${name}": text for name, text in names.items()}
        return Expressions(value, {**self.names, **more})

    def expression(self, source: str) -> Cel:
        """An expression, with or without ``${ }`` around it."""
        return self._translator().expression(_bare(source))

    def condition(self, source: object) -> str:
        """A condition."""
        if isinstance(source, bool):
            return "true" if source else "false"
        if not isinstance(source, str):
            raise Untranslatable("a condition is no expression")
        return self._translator().condition(_bare(source))

    def data(self, value: object, *, bare: bool = False) -> object:
        """Any value in which texts in ``${ }`` are expressions.

        Args:
            value: As the file has it.
            bare: Whether a text without ``${ }`` is an expression too.
        """
        if is_list(value):
            return [self.data(part) for part in listing(value)]
        if is_map(value):
            return {key: self.data(part) for key, part in mapping(value).items()}
        if not isinstance(value, str):
            return value
        if bare or _WRAPPED.fullmatch(value):
            return braced(self.expression(value).whole)
        return plain_text(value)

    def text(self, value: object) -> str:
        """The same, as an expression."""
        if isinstance(value, str):
            return self.expression(value).closed
        return self._literal(value)

    def _literal(self, value: object) -> str:
        if is_map(value):
            pairs = mapping(value).items()
            return f"{{{', '.join(f'{cel.quoted(k)}: {self._literal(v)}' for k, v in pairs)}}}"
        if is_list(value):
            return f"[{', '.join(self._literal(part) for part in listing(value))}]"
        if isinstance(value, str) and _WRAPPED.fullmatch(value):
            return self.expression(value).closed
        return cel.literal(value).closed

    def address(self, value: object) -> str:
        """An address, whose ``{name}`` are fields of the data that comes in, encoded.

        What is not there is empty, and a list or an object an error.
        """
        if not isinstance(value, str):
            raise Untranslatable("an endpoint has no address")
        if _WRAPPED.fullmatch(value):
            return braced(self.expression(value).whole)
        if "${" in value:
            raise Untranslatable("an address is an expression in part")

        def hole(found: re.Match[str]) -> str:
            named = field(Cel(self.value), found[1], missing_is_null=True).whole
            there = f'type({self.value}) == "map" && {named} != null'
            return braced(f'{there} ? string({named}).urlEncode() : ""')

        return _HOLE.sub(hole, value)

    def _translator(self) -> Translator:
        return Translator(JQ, self._resolve, missing_is_null=True)

    def _resolve(self, node: Node) -> Cel | None:
        if node == Root("."):
            return Cel(self.value)
        written = _written(node)
        if written in _WORKFLOW:
            return Cel(_WORKFLOW[written], "text")
        if written == "$workflow.input" or written in self.names:
            found = self.names.get(written, "")
            if not found:
                raise Untranslatable(f"what '{written}' is cannot be said here")
            return Cel(found)
        match node:
            case Field(Root("$secrets"), name):
                return Cel(f"secrets.{name}", "text")
            case Root(name) if name not in ("$workflow", "$secrets"):
                raise Untranslatable(f"'{name}' is not known here")
            case _:
                return None


def _bare(source: str) -> str:
    found = _WRAPPED.fullmatch(source)
    return found[1] if found else source


def _written(node: Node) -> str:
    parts: list[str] = []
    while isinstance(node, Field):
        parts.append(node.name)
        node = node.base
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, Root) else ""


def secrets_in(value: object) -> list[str]:
    """Names of the secrets that expressions of a document read."""
    found: dict[str, None] = {}
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            found.update(dict.fromkeys(re.findall(r"\$secrets\.([A-Za-z_]\w*)", one)))
        left += [*mapping(one).values(), *listing(one)]
    return list(found)


def duration(value: object) -> object:
    """A duration as blueprints write it: ISO 8601 as it is, or seconds.

    Example:
        >>> duration({"minutes": 1, "seconds": 30}), duration("PT5S")
        (90, 'PT5S')
    """
    if isinstance(value, str) and value.startswith("P"):
        return value
    said = mapping(value)
    if not said or any(key not in _UNITS for key in said):
        raise Untranslatable("a duration is computed, or no duration")
    total = 0.0
    for key, number in said.items():
        if not isinstance(number, int | float) or isinstance(number, bool):
            raise Untranslatable(f"'{key}' of a duration is no number")
        total += number * _UNITS[key]
    total = round(total, 6)
    return int(total) if total.is_integer() else total
