"""What can be said of an expression before it is run."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from atomiton.blueprint.expressions import functions
from atomiton.blueprint.expressions.syntax import (
    Call,
    Chain,
    Compare,
    Conditional,
    Index,
    ListLiteral,
    Literal,
    Logic,
    Macro,
    MapLiteral,
    Name,
    Node,
    Select,
    Unary,
)
from atomiton.errors import ExpressionError

#: An expression of more parts than this is metered whatever it does.
_SMALL: Final = 64
#: What may stand between the place of a name and the name: a quote.
_BEFORE_NAME: Final = re.compile(r"`|[rR]?(?:\"\"\"|'''|[\"'])")
_ABSENT_CALLS: Final = frozenset(
    {"optional.of", "optional.none", "optional.ofNonZeroValue", "or", "dyn", "first", "last"}
)


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


class Mention(msgspec.Struct, frozen=True):
    """A place in the text of an expression that names something.

    Attributes:
        start: Index of the first character of the name, from 0.
        end: Index behind its last character.
        bound: The variables of the macros around it: a name among them would mean those.
    """

    start: int
    end: int
    bound: frozenset[str]


def needs_meter(node: Node) -> bool:
    """Whether the work of an expression can exceed what its text suggests."""
    if node.size > _SMALL:
        return True
    pending = [node]
    growing = 0
    while pending:
        part = pending.pop()
        if isinstance(part, Macro):
            return True
        if isinstance(part, Call) and functions.FUNCTIONS[part.function].metered:
            return True
        if isinstance(part, Chain):
            growing += len(part.rest)
            if growing > 16:
                return True
        pending.extend(children(part))
    return False


def children(node: Node) -> list[Node]:
    """The parts right below a node, in the order of the text."""
    match node:
        case Select() | Unary():
            return [node.operand]
        case Index():
            return [node.operand, node.index]
        case Logic():
            return list(node.operands)
        case Chain():
            return [node.first, *(step[2] for step in node.rest)]
        case Compare():
            return [node.left, node.right]
        case Conditional():
            return [node.test, node.then, node.other]
        case ListLiteral():
            return [item for item, _ in node.items]
        case MapLiteral():
            return [part for entry in node.entries for part in entry[:2]]
        case Call():
            return list(node.arguments)
        case Macro():
            bodies = (node.test, node.body)
            return [node.target, *(body for body in bodies if body is not None)]
        case _:
            return []


def may_be_absent(node: Node) -> bool:
    """Whether a part can give an optional value, which must not leave the evaluation."""
    match node:
        case Select():
            return not node.test and (node.optional or may_be_absent(node.operand))
        case Index():
            return node.optional or may_be_absent(node.operand)
        case Conditional():
            return may_be_absent(node.then) or may_be_absent(node.other)
        case Call():
            # x.orValue(y) is y, whatever that is, when x is absent.
            given = node.function == "orValue" and may_be_absent(node.arguments[1])
            return given or node.function in _ABSENT_CALLS
        case Macro():
            return node.kind in ("optMap", "optFlatMap")
        case Name():
            # The variable of optFlatMap and its kin never is; names from outside neither.
            return False
        case _:
            return False


def references_of(tree: Node) -> list[Reference]:
    """The free names of an expression, in the order of its text."""
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


def mentions_of(tree: Node, source: str, path: tuple[str, ...]) -> list[Mention]:
    r"""Where the last name of a path from a free name stands, in the order of the text.

    Raises:
        ExpressionError: The name stands there in another spelling, as in ``nodes["\x61"]``.
    """
    found: list[Mention] = []
    pending: list[tuple[Node, frozenset[str]]] = [(tree, frozenset())]
    while pending:
        node, bound = pending.pop()
        if _is_path(node, path, bound):
            start = _name_at(node, source, path[-1])
            found.append(Mention(start, start + len(path[-1]), bound))
        if isinstance(node, Macro):
            pending.append((node.target, bound))
            inner = bound | frozenset(node.names)
            pending.extend((body, inner) for body in (node.test, node.body) if body is not None)
        else:
            pending.extend((part, bound) for part in children(node))
    return sorted(found, key=_start)


def _start(mention: Mention) -> int:
    return mention.start


def _is_path(node: Node, path: tuple[str, ...], bound: frozenset[str]) -> bool:
    *above, last = path
    if not above:
        return isinstance(node, Name) and node.name == last and last not in bound
    if isinstance(node, Index):
        named = isinstance(node.index, Literal) and node.index.value == last
    else:
        named = isinstance(node, Select) and node.field == last
    return (
        named and isinstance(node, Select | Index) and _is_path(node.operand, tuple(above), bound)
    )


def _name_at(node: Node, source: str, name: str) -> int:
    at = node.index.offset if isinstance(node, Index) else node.offset
    sign = _BEFORE_NAME.match(source, at)
    start = at if sign is None else sign.end()
    if not source.startswith(name, start):
        message = f"'{name}' is written with escapes here"
        raise ExpressionError(message, source=source, offset=at, code="NOT_SUPPORTED")
    return start


def path_of(node: Node) -> tuple[str, ...] | None:
    """The names of a plain dotted path; None when the expression is anything else."""
    fields: list[str] = []
    while isinstance(node, Select):
        if node.optional or node.test or node.quoted:
            return None
        fields.append(node.field)
        node = node.operand
    return (node.name, *reversed(fields)) if isinstance(node, Name) else None
