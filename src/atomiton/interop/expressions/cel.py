"""Text of the expression language of blueprints, put together."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Literal

from atomiton.blueprint.expressions.parser import RESERVED
from atomiton.interop.data import is_list, is_map

Kind = Literal["any", "bool", "text", "number", "list", "map", "null"]
"""What is known of the type of a value before it is there."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOOSE = 0
_ATOM = 10


@dataclass(frozen=True, slots=True)
class Cel:
    """An expression.

    Attributes:
        text: As it is written.
        kind: What is known of its type.
        atom: Whether it can stand beside any operator without brackets.
        optional: The end of ``text`` is an optional value that is null when it is missing.
    """

    text: str
    kind: Kind = "any"
    atom: bool = True
    optional: bool = False

    @property
    def whole(self) -> str:
        """The text, with null in place of what is missing."""
        return f"{self.text}.orValue(null)" if self.optional else self.text

    @property
    def closed(self) -> str:
        """The same, so that it can stand beside any operator."""
        return self.whole if self.atom else f"({self.whole})"


def quoted(text: str) -> str:
    r"""A text as a literal.

    Example:
        >>> print(quoted('say "yes"'))
        "say \"yes\""
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def literal(value: object) -> Cel:
    """Any plain value as a literal.

    Example:
        >>> literal({"a": [1, None]}).text
        '{"a": [1, null]}'
    """
    if value is None:
        return Cel("null", "null")
    if isinstance(value, bool):
        return Cel("true" if value else "false", "bool")
    if isinstance(value, int | float):
        return Cel(repr(value), "number", value >= 0)
    if is_list(value):
        return Cel(f"[{', '.join(literal(item).whole for item in value)}]", "list")
    if is_map(value):
        pairs = (f"{quoted(str(key))}: {literal(part).whole}" for key, part in value.items())
        return Cel(f"{{{', '.join(pairs)}}}", "map")
    return Cel(quoted(str(value)), "text")


def field(base: Cel, name: str, *, missing_is_null: bool) -> Cel:
    """A field of a map: where it is missing null, or an error.

    Example:
        >>> field(field(Cel("a"), "b", missing_is_null=True), "c-d", missing_is_null=True).whole
        'a.?b[?"c-d"].orValue(null)'
    """
    plain = _NAME.fullmatch(name) is not None and name not in RESERVED
    start = base.text if base.optional else base.closed
    if not missing_is_null:
        return Cel(f"{start}.{name}" if plain else f"{start}[{quoted(name)}]")
    step = f".?{name}" if plain else f"[?{quoted(name)}]"
    return Cel(f"{start}{step}", optional=True)


def item(base: Cel, position: Cel, *, missing_is_null: bool) -> Cel:
    """An item of a list: where it is missing null, or an error."""
    start = base.text if base.optional else base.closed
    if not missing_is_null:
        return Cel(f"{start}[{position.whole}]")
    return Cel(f"{start}[?{position.whole}]", optional=True)


def braced(expression: str) -> str:
    """An expression as the whole value of a parameter."""
    return f"${{{{ {expression} }}}}"


def plain_text(text: str) -> str:
    """A text that holds no expression, even if it looks as if it did."""
    return text.replace("${{", "$${{")
