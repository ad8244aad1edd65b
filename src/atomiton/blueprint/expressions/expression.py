"""A parsed expression and how it is bound to where its values come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import msgspec

from atomiton.blueprint.expressions.compile import (
    Code,
    Compiler,
    children,
    may_be_absent,
    needs_meter,
)
from atomiton.blueprint.expressions.limits import DEFAULT_STEPS, LIMIT, Failure, Frame
from atomiton.blueprint.expressions.parser import parse_tree
from atomiton.blueprint.expressions.syntax import Index, Literal, Macro, Name, Node, Select
from atomiton.blueprint.expressions.values import settle
from atomiton.errors import ExpressionError

S = TypeVar("S")


class Reference(msgspec.Struct, frozen=True):
    """A free name of an expression, and the constant fields read from it.

    Attributes:
        name: The name.
        path: The fields that must be there: ``("rows",)`` of ``read.rows[0].id``. Those that may
            be missing, in ``has(...)`` or after ``.?``, are not among them.
        offset: Index of the name in the text of the expression, from 0.
    """

    name: str
    path: tuple[str, ...]
    offset: int


class Expression:
    """A parsed expression; immutable, and safe to share between threads.

    Attributes:
        source: Its text.
        references: Its free names in the order of the text, each time they stand there.
        path: ``("read", "rows")`` when all of it is a dotted path of names, else None.

    Example:
        >>> check = parse("item.total > 100").bind({"item": lambda scope: scope})
        >>> check({"total": 120})
        True
    """

    __slots__ = ("_tree", "path", "references", "source")

    source: str
    references: tuple[Reference, ...]
    path: tuple[str, ...] | None

    def __init__(self, source: str, tree: Node) -> None:
        self.source = source
        self._tree = tree
        self.references = tuple(_references(tree))
        self.path = _path(tree)

    def __repr__(self) -> str:
        return f"parse({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def bind(
        self, loaders: Mapping[str, Callable[[S], object]], *, steps: int = DEFAULT_STEPS
    ) -> Callable[[S], object]:
        """Compile for a kind of scope.

        Args:
            loaders: For each name in scope, what gives its value from a scope.
            steps: Work one evaluation may do; about a million a second.

        Returns:
            The evaluator: takes a scope, gives the value, may be called from several threads. It
            raises ``ExpressionError`` (code ``LIMIT_EXCEEDED`` when the steps run out).

        Raises:
            ExpressionError: A name is not in scope (code ``UNKNOWN_REFERENCE``).
        """
        return self.bind_in(loaders, steps, self.source, 0)

    def bind_in(
        self, loaders: Mapping[str, Callable[[S], object]], steps: int, source: str, shift: int
    ) -> Callable[[S], object]:
        """Bind an expression that stands at ``shift`` in ``source``, where errors then point."""
        tree = self._tree
        metered = needs_meter(tree)
        compiler = Compiler(self.source, loaders, metered=metered)
        try:
            code = compiler.compile(tree)
        except ExpressionError as error:
            raise ExpressionError(
                error.message, source=source, offset=error.offset + shift, code=error.code
            ) from None
        except RecursionError:
            raise _too_deep(source, shift) from None
        if may_be_absent(tree):
            inner = code
            code = cast("Code", lambda e: settle(inner(e)))  # type: ignore[misc] # pyright: ignore
        if metered:
            return _metered(code, steps, compiler.slots, source, shift)
        return _plain(code, source, shift)


def _plain(code: Code, source: str, shift: int) -> Callable[[S], object]:
    # Unmetered code hands what it is given to the loaders and never looks at it.
    run = cast("Callable[[S], object]", code)

    def evaluate(scope: S) -> object:
        try:
            return run(scope)
        except Failure as failure:
            raise _error(failure, source, shift) from None
        except RecursionError:
            raise _too_deep(source, shift) from None

    return evaluate


def _metered(code: Code, steps: int, slots: int, source: str, shift: int) -> Callable[[S], object]:
    def evaluate(scope: S) -> object:
        try:
            return code(Frame(scope, steps, slots))
        except Failure as failure:
            raise _error(failure, source, shift) from None
        except RecursionError:
            raise _too_deep(source, shift) from None

    return evaluate


def _error(failure: Failure, source: str, shift: int) -> ExpressionError:
    return ExpressionError(
        failure.text(), source=source, offset=failure.at + shift, code=failure.code
    )


def _too_deep(source: str, shift: int) -> ExpressionError:
    return ExpressionError("nested too deeply", source=source, offset=shift, code=LIMIT)


def parse(source: str) -> Expression:
    """Parse one expression.

    Args:
        source: Its text, without ``${{ }}``.

    Raises:
        ExpressionError: It is malformed, too long or nested too deeply; ``offset`` says where.

    Example:
        >>> parse("read.rows.size() > 0").references
        (Reference(name='read', path=('rows',), offset=0),)
    """
    return Expression(source, parse_tree(source))


def _references(tree: Node) -> list[Reference]:
    found: list[Reference] = []
    _collect(tree, (), frozenset(), found)
    return sorted(found, key=_offset)


def _offset(reference: Reference) -> int:
    return reference.offset


def _collect(
    node: Node, path: tuple[str, ...], bound: frozenset[str], found: list[Reference]
) -> None:
    """Gather the free names below ``node``, from which ``path`` is read."""
    if isinstance(node, Name):
        if node.name not in bound:
            found.append(Reference(node.name, path, node.offset))
    elif isinstance(node, Select):
        sure = not (node.optional or node.test)
        _collect(node.operand, (node.field, *path) if sure else (), bound, found)
    elif isinstance(node, Index):
        key = node.index.value if isinstance(node.index, Literal) else None
        sure = isinstance(key, str) and not node.optional
        _collect(node.operand, (str(key), *path) if sure else (), bound, found)
        _collect(node.index, (), bound, found)
    elif isinstance(node, Macro):
        _collect(node.target, (), bound, found)
        inner = bound | frozenset(node.names)
        for body in (node.test, node.body):
            if body is not None:
                _collect(body, (), inner, found)
    else:
        for part in children(node):
            _collect(part, (), bound, found)


def _path(node: Node) -> tuple[str, ...] | None:
    fields: list[str] = []
    while isinstance(node, Select):
        if node.optional or node.test or node.quoted:
            return None
        fields.append(node.field)
        node = node.operand
    return (node.name, *reversed(fields)) if isinstance(node, Name) else None
