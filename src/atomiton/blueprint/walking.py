"""Every expression of a document that sees the nodes of one body, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from atomiton.blueprint.expressions import Expression, parse, parse_template
from atomiton.blueprint.problems import Path
from atomiton.blueprint.reading import as_list, as_mapping

IsExpression = Callable[[str, str], bool]
"""Whether a parameter (second) of a node type (first) takes a bare expression; may raise
``NotFound``."""

_BARE = frozenset({"if", "while", "until", "match", "times"})


class Written(NamedTuple):
    """A text in a document that may name nodes.

    Attributes:
        path: Where it stands.
        text: The text.
        kind: ``value`` with expressions in ``${{ }}``; ``expression`` where all of it is one,
            or may be; ``needs`` for the id of a node, its route or its error.
    """

    path: Path
    text: str
    kind: Literal["value", "expression", "needs"]

    def expressions(self) -> list[tuple[int, Expression]]:
        """The expressions in it, each with the index of its first character.

        Raises:
            ExpressionError: One is malformed.
        """
        if self.kind == "needs":
            return []
        if self.kind == "expression" and "${{" not in self.text:
            return [(0, parse(self.text))]
        return list(parse_template(self.text).expressions)


def body_texts(
    owner: Mapping[str, object], path: Path, is_expression: IsExpression, name: str
) -> Iterator[Written]:
    """Every text that sees a node of a body: in its nodes, in bodies inside, in its output.

    Args:
        owner: The document or group whose ``nodes`` are the body.
        path: Where the owner stands; empty for the document.
        is_expression: Which parameters take bare expressions.
        name: Id of the node; bodies inside that have one of the same id do not see it.
    """
    for id_, node in (as_mapping(owner.get("nodes")) or {}).items():
        yield from _node(as_mapping(node) or {}, (*path, "nodes", id_), is_expression, name)
    yield from _value(owner.get("output"), (*path, "output"))
    if not path:
        for event, node in (as_mapping(owner.get("on")) or {}).items():
            yield from _node(as_mapping(node) or {}, ("on", event), is_expression, name)


def _node(
    node: Mapping[str, object], path: Path, is_expression: IsExpression, name: str
) -> Iterator[Written]:
    yield from node_texts(node, path, is_expression)
    inner = as_mapping(node.get("nodes"))
    if inner is not None and name not in inner:
        yield from body_texts(node, path, is_expression, name)
    undo = as_mapping(node.get("compensate"))
    if undo is not None:
        yield from _node(undo, (*path, "compensate"), is_expression, name)


def node_texts(
    node: Mapping[str, object], path: Path, is_expression: IsExpression
) -> Iterator[Written]:
    """The texts of one node that name nodes around it; not those of its body or compensation."""
    uses = node.get("uses")
    for key, value in (as_mapping(node.get("with")) or {}).items():
        place = (*path, "with", key)
        if isinstance(uses, str) and isinstance(value, str) and is_expression(uses, key):
            yield Written(place, value, "expression")
        else:
            yield from _value(value, place)
    for key in ("map", "cache"):
        yield from _value(node.get(key), (*path, key))
    yield from _conditions(node, path, ("if",))
    for route, when in (as_mapping(node.get("branch")) or {}).items():
        if isinstance(when, str) and when != "else":
            yield Written((*path, "branch", route), when, "expression")
    yield from _conditions(node, path, ("loop", "wait"))
    needs = node.get("needs")
    if isinstance(needs, str):
        yield Written((*path, "needs"), needs, "needs")
    for index, need in enumerate(as_list(needs) or ()):
        if isinstance(need, str):
            yield Written((*path, "needs", index), need, "needs")


def _conditions(
    holder: Mapping[str, object], path: Path, keys: tuple[str, ...]
) -> Iterator[Written]:
    """Values, of which those under certain keys are expressions as they stand."""
    for key in keys:
        value, place = holder.get(key), (*path, key)
        entries = as_mapping(value)
        if entries is not None and key in ("loop", "wait"):
            yield from _conditions(entries, place, tuple(entries))
        elif key in _BARE and isinstance(value, str):
            yield Written(place, value, "expression")
        else:
            yield from _value(value, place)


def _value(value: object, path: Path) -> Iterator[Written]:
    if isinstance(value, str):
        if "${{" in value:
            yield Written(path, value, "value")
        return
    for key, part in (as_mapping(value) or {}).items():
        yield from _value(part, (*path, key))
    for index, part in enumerate(as_list(value) or ()):
        yield from _value(part, (*path, index))
