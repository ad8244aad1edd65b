"""The tree of a parsed expression."""

from __future__ import annotations

import msgspec


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an expression.

    Attributes:
        offset: Where errors of this part point: its operator, its field, its name.
        depth: Levels of the tree below and including this one.
        size: Parts below and including this one, as a measure of its work.
    """

    offset: int
    depth: int = 1
    size: int = 1


class Literal(Node, frozen=True):
    """A constant."""

    value: object


class Name(Node, frozen=True):
    """A free name, or the variable of a macro around it."""

    name: str


class Select(Node, frozen=True):
    """``operand.field``, ``operand.?field`` or, as a test, ``has(operand.field)``."""

    operand: Node
    field: str
    optional: bool = False
    test: bool = False
    quoted: bool = False


class Index(Node, frozen=True):
    """``operand[index]`` or ``operand[?index]``."""

    operand: Node
    index: Node
    optional: bool = False


class Unary(Node, frozen=True):
    """``!operand`` or ``-operand``."""

    operator: str
    operand: Node


class Logic(Node, frozen=True):
    """``a && b && c`` or ``a || b || c``: one part, however long the chain is."""

    operator: str
    operands: tuple[Node, ...]


class Chain(Node, frozen=True):
    """``a + b - c`` or ``a * b / c``: one part; each step has its operator and its place."""

    first: Node
    rest: tuple[tuple[str, int, Node], ...]


class Compare(Node, frozen=True):
    """``left < right`` and its kin, and ``left in right``."""

    operator: str
    left: Node
    right: Node


class Conditional(Node, frozen=True):
    """``test ? then : other``."""

    test: Node
    then: Node
    other: Node


class ListLiteral(Node, frozen=True):
    """``[a, b, ?c]``: each item, and whether it is left out when absent."""

    items: tuple[tuple[Node, bool], ...]


class MapLiteral(Node, frozen=True):
    """``{key: value, ?key: value}``: each entry, and whether it is left out when absent."""

    entries: tuple[tuple[Node, Node, bool], ...]


class Call(Node, frozen=True):
    """A function; the target of a method is its first argument."""

    function: str
    arguments: tuple[Node, ...]


class Macro(Node, frozen=True):
    """A comprehension: ``target.map(name, body)`` and its kin.

    Attributes:
        kind: Name of the macro.
        target: What is walked through.
        names: The one or two variables.
        test: Which items count; None for all.
        body: What each gives; None when the items themselves are wanted.
    """

    kind: str
    target: Node
    names: tuple[str, ...]
    test: Node | None
    body: Node | None
