"""What an expression of another language says: a tree that no language owns."""

from __future__ import annotations

from dataclasses import dataclass


class Untranslatable(Exception):
    """There is no expression here that gives the same; the text says why."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: text, a number, a boolean or null."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Root:
    """Where a reference begins: a name as it is written, such as ``$json``, or ``.``."""

    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, by its name."""

    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """An item of a list, or a field whose name is computed."""

    base: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or a method of what it is called on."""

    base: Node | None
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """``!`` or ``-`` before a value."""

    operator: str
    value: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Two values and an operator, by its name in CEL; ``//``, ``|`` and ``&`` are no CEL."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Choice:
    """One of two values."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list that is written out."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object that is written out."""

    pairs: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """Text with values in it."""

    parts: tuple[Node, ...]


Node = Literal | Root | Field | Index | Call | Unary | Binary | Choice | ListOf | MapOf | Parts
"""Any part of an expression."""
