"""A parsed expression and how it is bound to where its values come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar, cast

from atomiton.blueprint.expressions.access import select
from atomiton.blueprint.expressions.analysis import (
    Mention,
    Reference,
    may_be_absent,
    mentions_of,
    needs_meter,
    path_of,
    references_of,
)
from atomiton.blueprint.expressions.compile import Code, Compiler
from atomiton.blueprint.expressions.limits import DEFAULT_STEPS, LIMIT, Failure, Frame
from atomiton.blueprint.expressions.parser import parse_tree
from atomiton.blueprint.expressions.syntax import Node, Select
from atomiton.blueprint.expressions.values import settle
from atomiton.errors import ExpressionError

S = TypeVar("S")

NEVER: Mapping[str, Callable[..., bool]] = MappingProxyType({})
"""No name is ever without a value."""


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
        self.references = tuple(references_of(tree))
        self.path = path_of(tree)

    def __repr__(self) -> str:
        return f"parse({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def mentions(self, *path: str) -> list[Mention]:
        """Where a free name, or the field at the end of a path from one, stands in the text.

        Args:
            path: The name and the fields read from it: ``"nodes", "read"`` finds the ``read`` of
                ``nodes.read.status`` and of ``nodes["read"]``.

        Raises:
            ExpressionError: It stands there in another spelling, with escapes.

        Example:
            >>> [(m.start, m.end) for m in parse("read.rows.map(x, x + read.min)").mentions("read")]
            [(0, 4), (21, 25)]
        """
        return mentions_of(self._tree, self.source, path)

    def bind(
        self,
        loaders: Mapping[str, Callable[[S], object]],
        *,
        steps: int = DEFAULT_STEPS,
        missing: Mapping[str, Callable[[S], bool]] = NEVER,
    ) -> Callable[[S], object]:
        """Compile for a kind of scope.

        Args:
            loaders: For each name in scope, what gives its value from a scope.
            steps: Work one evaluation may do; about a million a second.
            missing: For names whose null may mean that there is no value at all, what tells. Then
                a path into it is null too, and not an error.

        Returns:
            The evaluator: takes a scope, gives the value, may be called from several threads. It
            raises ``ExpressionError`` (code ``LIMIT_EXCEEDED`` when the steps run out).

        Raises:
            ExpressionError: A name is not in scope (code ``UNKNOWN_REFERENCE``).
        """
        return self.bind_in(loaders, missing, steps, self.source, 0)

    def bind_in(
        self,
        loaders: Mapping[str, Callable[[S], object]],
        missing: Mapping[str, Callable[[S], bool]],
        steps: int,
        source: str,
        shift: int,
    ) -> Callable[[S], object]:
        """Bind an expression that stands at ``shift`` in ``source``, where errors then point."""
        tree = self._tree
        path = self.path
        if path is not None and path[0] in loaders:
            loader, nowhere = loaders[path[0]], missing.get(path[0])
            if len(path) == 1:
                return loader
            if len(path) == 2:
                return _field(loader, nowhere, cast("Select", tree), source, shift)
        metered = needs_meter(tree)
        compiler = Compiler(self.source, loaders, missing, metered=metered)
        try:
            code = compiler.compile(tree)
        except ExpressionError as error:
            raise ExpressionError(
                error.message, source=source, offset=error.offset + shift, code=error.code
            ) from None
        except RecursionError:
            raise _too_deep(source, shift) from None
        if may_be_absent(tree):
            code = _settled(code)
        if metered:
            return _metered(code, steps, compiler.slots, source, shift)
        return _plain(code, source, shift)


def _field(
    loader: Callable[[S], object],
    nowhere: Callable[[S], bool] | None,
    tree: Select,
    source: str,
    shift: int,
) -> Callable[[S], object]:
    """The most common expression of all, in one closure: ``node.field``."""
    load = cast("Callable[[S], dict[str, object] | None]", loader)
    field = tree.field

    def evaluate(scope: S) -> object:
        # Said to be a map for the type checker, and looked at before it is used as one.
        value = load(scope)
        if type(value) is dict:
            try:
                return value[field]
            except KeyError:
                pass
        elif value is None and nowhere is not None and nowhere(scope):
            return None
        try:
            return select(value, tree)
        except Failure as failure:
            raise _error(failure, source, shift) from None

    return evaluate


def _settled(code: Code) -> Code:
    return lambda e: settle(code(e))


def _plain(code: Code, source: str, shift: int) -> Callable[[object], object]:
    # Unmetered code hands what it is given to the loaders and never looks at it.
    run = cast("Callable[[object], object]", code)

    def evaluate(scope: object) -> object:
        try:
            return run(scope)
        except Failure as failure:
            raise _error(failure, source, shift) from None
        except RecursionError:
            raise _too_deep(source, shift) from None

    return evaluate


def _metered(
    code: Code, steps: int, slots: int, source: str, shift: int
) -> Callable[[object], object]:
    def evaluate(scope: object) -> object:
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
