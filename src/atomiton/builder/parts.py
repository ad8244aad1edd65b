"""Parts of expressions: their text, how tightly it binds, and what it refers to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, cast

if TYPE_CHECKING:
    from atomiton.builder.scopes import Scope

TERNARY: Final = 0
OR: Final = 1
AND: Final = 2
COMPARE: Final = 3
ADD: Final = 4
MULTIPLY: Final = 5
UNARY: Final = 6
PRIMARY: Final = 7

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Root(NamedTuple):
    """A name that an expression uses.

    Attributes:
        name: The name.
        scope: What gives it its meaning.
        late: Whether it is used by a compensation only, and so is nothing to wait for.
    """

    name: str
    scope: Scope
    late: bool = False


class Part(NamedTuple):
    """A part of an expression.

    Attributes:
        source: Its text.
        level: How tightly its outermost operator binds, from ``TERNARY`` to ``PRIMARY``.
        roots: The names it uses.
        operand: Of ``operand.field`` the first half, which may turn out to be a method's target.
        field: Its second half.
        text: Whether the value is known to be text.
        schema: JSON Schema of its values, as far as the annotations of Python say.
    """

    source: str
    level: int = PRIMARY
    roots: frozenset[Root] = frozenset()
    operand: Part | None = None
    field: str = ""
    text: bool = False
    schema: Mapping[str, object] = MappingProxyType({})

    @property
    def type(self) -> str:
        """The type of its values in JSON Schema; empty where nothing says."""
        found = self.schema.get("type", "")
        return found if isinstance(found, str) else ""

    def at(self, level: int) -> str:
        """The text, in parentheses unless it binds at least as tightly as ``level``."""
        return self.source if self.level >= level else f"({self.source})"


def infix(left: Part, operator: str, right: Part, level: int) -> Part:
    """``left operator right``; operators of one level group from the left.

    Example:
        >>> sum_ = infix(Part("a"), "+", Part("b"), ADD)
        >>> infix(Part("c"), "*", sum_, MULTIPLY).source
        'c * (a + b)'
    """
    # Comparisons are not chained, whatever the grammar allows: nobody reads `a < b == c`.
    first = level + 1 if level == COMPARE else level
    source = f"{left.at(first)} {operator} {right.at(level + 1)}"
    return Part(source, level, left.roots | right.roots)


def prefix(operator: str, part: Part) -> Part:
    """``-part`` or ``!part``."""
    return Part(f"{operator}{part.at(PRIMARY)}", UNARY, part.roots)


def called(function: str, *arguments: Part) -> Part:
    """``function(arguments)``."""
    roots = frozenset[Root]().union(*(part.roots for part in arguments))
    return Part(f"{function}({', '.join(part.source for part in arguments)})", PRIMARY, roots)


def method(target: Part, name: str, *arguments: Part) -> Part:
    """``target.name(arguments)``."""
    return called(f"{target.at(PRIMARY)}.{name}", *arguments)._replace(
        roots=target.roots.union(*(part.roots for part in arguments))
    )


def select(part: Part, field: str, quoted: str) -> Part:
    """``part.field``, or ``part[quoted]`` where the field is no name.

    Args:
        part: What is read from.
        field: Name of the field.
        quoted: The name as a literal.
    """
    schema = _inner(_inner(part.schema, "properties"), field)
    schema = schema or _inner(part.schema, "additionalProperties")
    if not _FIELD.fullmatch(field):
        return Part(f"{part.at(PRIMARY)}[{quoted}]", PRIMARY, part.roots, schema=schema)
    return Part(f"{part.at(PRIMARY)}.{field}", PRIMARY, part.roots, part, field, schema=schema)


def index(part: Part, place: Part) -> Part:
    """``part[place]``."""
    inner = _inner(part.schema, "items") or _inner(part.schema, "additionalProperties")
    source = f"{part.at(PRIMARY)}[{place.source}]"
    return Part(source, PRIMARY, part.roots | place.roots, schema=inner)


def _inner(schema: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = schema.get(name)
    return cast("Mapping[str, object]", found) if isinstance(found, dict) else {}


def conditional(test: Part, then: Part, other: Part) -> Part:
    """``test ? then : other``."""
    source = f"{test.at(OR)} ? {then.at(OR)} : {other.at(TERNARY)}"
    return Part(source, TERNARY, test.roots | then.roots | other.roots)
