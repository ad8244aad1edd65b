"""Text with ``${{ expressions }}`` in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeVar

from atomiton.blueprint.expressions.expression import NEVER, Expression, parse
from atomiton.blueprint.expressions.lexer import tokenize
from atomiton.blueprint.expressions.limits import (
    DEFAULT_STEPS,
    LIMIT,
    MAX_EXPRESSIONS,
    MAX_TEXT,
)
from atomiton.blueprint.expressions.values import value_to_text
from atomiton.errors import ExpressionError

S = TypeVar("S")

#: What begins an expression, to what makes a plain text of it when it stands before.
_MARKS: Final = {"${{": "$", "{{": "\\"}


class Template:
    """A parsed template; immutable.

    Attributes:
        source: Its text.
        expressions: Each expression, with the index of its text in ``source``.
        whole: The text is one expression and nothing else, so the result keeps its type.
        constant: The text, when no expression is in it; else None.

    Example:
        >>> parse_template("Hello ${{ name }}").bind({"name": lambda scope: scope})("Ada")
        'Hello Ada'
    """

    __slots__ = ("_parts", "constant", "expressions", "source", "whole")

    source: str
    expressions: tuple[tuple[int, Expression], ...]
    whole: bool
    constant: str | None

    def __init__(self, source: str, parts: tuple[str | tuple[int, Expression], ...]) -> None:
        self.source = source
        self._parts = parts
        self.expressions = tuple(part for part in parts if not isinstance(part, str))
        self.whole = len(parts) == 1 and len(self.expressions) == 1
        texts = [part for part in parts if isinstance(part, str)]
        self.constant = None if self.expressions else "".join(texts)

    def __repr__(self) -> str:
        return f"parse_template({self.source!r})"

    def bind(
        self,
        loaders: Mapping[str, Callable[[S], object]],
        *,
        steps: int = DEFAULT_STEPS,
        missing: Mapping[str, Callable[[S], bool]] = NEVER,
    ) -> Callable[[S], object]:
        """Compile for a kind of scope, as ``Expression.bind`` does.

        Args:
            loaders: For each name in scope, what gives its value from a scope.
            steps: Work the evaluation of each expression may do.
            missing: For names whose null may mean that there is no value at all, what tells.

        Returns:
            What gives the text from a scope, or the value as it is when ``whole``. It raises
            ``ExpressionError`` with the place in the template.

        Raises:
            ExpressionError: A name is not in scope (code ``UNKNOWN_REFERENCE``).
        """
        if self.constant is not None:
            constant = self.constant
            return lambda _: constant
        if self.whole:
            offset, expression = self.expressions[0]
            return expression.bind_in(loaders, missing, steps, self.source, offset)
        return self.bind_text(loaders, steps=steps, missing=missing)

    def bind_text(
        self,
        loaders: Mapping[str, Callable[[S], object]],
        *,
        steps: int = DEFAULT_STEPS,
        missing: Mapping[str, Callable[[S], bool]] = NEVER,
        escape: Callable[[str], str] | None = None,
    ) -> Callable[[S], str]:
        """Compile to what always gives text, also of a template that is one expression.

        Args:
            loaders: For each name in scope, what gives its value from a scope.
            steps: Work the evaluation of each expression may do.
            missing: For names whose null may mean that there is no value at all, what tells.
            escape: What is done to the text of each expression before it is put in.

        Returns:
            What gives the text from a scope; raises as that of ``bind`` does.

        Raises:
            ExpressionError: A name is not in scope (code ``UNKNOWN_REFERENCE``).

        Example:
            >>> parse_template("<b>{{ x }}</b>", "{{").bind_text(
            ...     {"x": lambda scope: scope}, escape=lambda text: text.replace("<", "&lt;")
            ... )("a<b")
            '<b>a&lt;b</b>'
        """
        source = self.source
        parts = [
            (part, 0, None)
            if isinstance(part, str)
            else ("", part[0], part[1].bind_in(loaders, missing, steps, source, part[0]))
            for part in self._parts
        ]

        def fill(scope: S) -> str:
            texts: list[str] = []
            length = 0
            for text, offset, evaluate in parts:
                shown = text
                if evaluate is not None:
                    shown = _shown(evaluate(scope), source, offset)
                    shown = shown if escape is None else escape(shown)
                texts.append(shown)
                length += len(shown)
                if length > MAX_TEXT:
                    message = f"a text may have at most {MAX_TEXT} characters"
                    raise ExpressionError(message, source=source, offset=offset, code=LIMIT)
            return "".join(texts)

        return fill


def _shown(value: object, source: str, offset: int) -> str:
    if type(value) is str:
        return value
    try:
        return value_to_text(value)
    except (TypeError, ValueError) as error:
        raise ExpressionError(
            f"the value cannot be shown as text: {error}", source=source, offset=offset
        ) from None


def parse_template(text: str, opening: Literal["${{", "{{"] = "${{") -> Template:
    r"""Parse a text with ``${{ }}`` parts; ``$${{`` stands for a plain ``${{``.

    Args:
        text: The text.
        opening: What an expression begins with; of ``{{`` the plain form is ``\{{``.

    Raises:
        ExpressionError: An expression is malformed or not closed, or there are too many of them;
            ``offset`` is that in ``text``.

    Example:
        >>> parse_template("${{ 1 + 1 }}").whole, parse_template("costs $${{").constant
        (True, 'costs ${{')
    """
    parts: list[str | tuple[int, Expression]] = []
    plain = ""
    guard = _MARKS[opening]
    position = count = 0
    while (found := text.find(opening, position)) >= 0:
        if found > position and text[found - 1] == guard:
            plain += text[position : found - 1] + opening
            position = found + len(opening)
            continue
        plain += text[position:found]
        count += 1
        if count > MAX_EXPRESSIONS:
            message = f"a text may hold at most {MAX_EXPRESSIONS} expressions"
            raise ExpressionError(message, source=text, offset=found, code=LIMIT)
        start = found + len(opening)
        end = tokenize(text, start, embedded=True)[-1].offset
        inner = text[start:end]
        stripped = inner.strip()
        start += inner.find(stripped)
        if plain:
            parts.append(plain)
        plain = ""
        parts.append((start, _inner(text, stripped, start)))
        position = end + 2
    plain += text[position:]
    if plain:
        parts.append(plain)
    return Template(text, tuple(parts))


def _inner(text: str, source: str, shift: int) -> Expression:
    try:
        return parse(source)
    except ExpressionError as error:
        raise ExpressionError(
            error.message, source=text, offset=error.offset + shift, code=error.code
        ) from None
