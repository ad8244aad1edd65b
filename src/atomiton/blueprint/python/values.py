"""Values of a document, which may hold expressions, as Python."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import Final, cast

from atomiton.blueprint.expressions import parse_template
from atomiton.blueprint.model import Json, Retry
from atomiton.blueprint.python.expressions import Writer, is_expression
from atomiton.blueprint.python.layout import Code, Group, behind, quoted
from atomiton.blueprint.python.names import Imports, Scope
from atomiton.errors import ExpressionError

_OPEN: Final = "${{"
#: What means something else to the builder when it stands in a text.
_SPECIAL = re.compile("\ue000|<traced ")
#: What cannot stand in an f-string of Python 3.11.
_NOT_IN_F = re.compile(r"[\"'\\{}\n]")


class Inexpressible(Exception):
    """The builder has no words for something; it is written in those of the format."""


class Values:
    """Writes values.

    Attributes:
        imports: What the code needs.
        expressions: Writes expressions.
    """

    def __init__(self, imports: Imports) -> None:
        self.imports = imports
        self.expressions = Writer(imports)

    def value(self, value: Json, scope: Scope) -> Code:
        """A value whose texts may hold ``${{ }}``."""
        if isinstance(value, str):
            return self._text(value, scope)
        if isinstance(value, list):
            return Group("[", tuple(self.value(part, scope) for part in value), "]")
        if isinstance(value, dict):
            if any(_SPECIAL.search(key) for key in value):
                return self.verbatim(value)
            return Group("{", tuple(self._entry(k, v, scope) for k, v in value.items()), "}")
        return repr(value)

    def _entry(self, key: str, value: Json, scope: Scope) -> Code:
        return behind(f"{quoted(key)}: ", self.value(value, scope))

    def verbatim(self, value: Json) -> Code:
        """A value as it stands, whatever is in it."""
        return Group(f"{self.imports.builder('verbatim')}(", (raw(value),), ")")

    def condition(self, source: Json, scope: Scope) -> Code:
        """A bare expression: a condition, or what is like one."""
        if isinstance(source, bool):
            return repr(source)
        if not isinstance(source, str) or _SPECIAL.search(source) or not is_expression(source):
            raise Inexpressible
        return self.expressions.code(source.strip(), scope)

    def _text(self, text: str, scope: Scope) -> Code:
        if _SPECIAL.search(text):
            return self.verbatim(text)
        if _OPEN not in text:
            return quoted(text)
        try:
            template = parse_template(text)
        except ExpressionError:
            return self.verbatim(text)
        if template.constant is not None:
            again = template.constant.replace(_OPEN, f"${_OPEN}")
            return quoted(template.constant) if again == text else self.verbatim(text)
        if template.whole:
            return self.expressions.code(template.expressions[0][1].source, scope)
        texts: list[str] = []
        codes: list[str] = []
        at = 0
        for offset, expression in template.expressions:
            texts.append(text[at : text.rindex(_OPEN, 0, offset)].replace(f"${_OPEN}", _OPEN))
            codes.append(self.expressions.code(expression.source, scope))
            at = text.index("}}", offset + len(expression.source)) + 2
        texts.append(text[at:].replace(f"${_OPEN}", _OPEN))
        if any(_NOT_IN_F.search(code) for code in codes):
            pattern = quoted(
                "{}".join(part.replace("{", "{{").replace("}", "}}") for part in texts)
            )
            return Group(f"{pattern}.format(", tuple(codes), ")")
        pieces = [f"{escaped(text)}{{{code}}}" for text, code in zip(texts, codes, strict=False)]
        return f'f"{"".join(pieces)}{escaped(texts[-1])}"'


def escaped(text: str) -> str:
    """A text as it stands inside of ``f"..."``."""
    written = repr(text)
    inner = written[1:-1]
    if written[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    return inner.replace("{", "{{").replace("}", "}}")


def raw(value: Json) -> Code:
    """A value as a constant."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return Group("[", tuple(map(raw, value)), "]")
    if isinstance(value, dict):
        return Group("{", tuple(behind(f"{quoted(k)}: ", raw(v)) for k, v in value.items()), "}")
    return repr(value)


def constant(value: Json, imports: Imports) -> Code:
    """A constant that the builder writes down again as it is, although it escapes ``${{``."""
    if _holds_special(value):
        return Group(f"{imports.builder('verbatim')}(", (raw(value),), ")")
    return raw(value)


def _holds_special(value: Json) -> bool:
    if isinstance(value, str):
        return _OPEN in value or _SPECIAL.search(value) is not None
    if isinstance(value, dict):
        return any(_holds_special(key) or _holds_special(part) for key, part in value.items())
    return isinstance(value, list) and any(map(_holds_special, value))


def retry_code(retry: Retry, imports: Imports) -> Code:
    """A retry rule."""
    given: list[Code] = []
    for name in retry.__struct_fields__:
        value: object = getattr(retry, name)
        if value != getattr(_PLAIN, name):
            given.append(f"{name}={_written(value)}")
    return Group(f"{imports.of('atomiton', 'Retry')}(", tuple(given), ")")


_PLAIN: Final = Retry()


def _written(value: object) -> str:
    if not isinstance(value, tuple):
        return repr(value)
    words = cast("tuple[str, ...]", value)
    listed = ", ".join(map(quoted, words))
    return f"({listed},)" if len(words) == 1 else f"({listed})"


def arguments(given: Mapping[str, Code]) -> list[Code]:
    """Arguments by name; those whose names Python does not take, in a mapping."""
    plain = {k: v for k, v in given.items() if k.isidentifier() and not keyword.iskeyword(k)}
    found = [behind(f"{name}=", code) for name, code in plain.items()]
    rest = {name: code for name, code in given.items() if name not in plain}
    if rest:
        entries = tuple(behind(f"{quoted(name)}: ", code) for name, code in rest.items())
        found.append(Group("**{", entries, "}"))
    return found
