"""Compiling ``cache``: for how long a node's results count, and what they are kept under."""

from __future__ import annotations

from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.model import Node
from atomiton.blueprint.narrow import as_object
from atomiton.blueprint.plan import Caching, NodeKind
from atomiton.blueprint.problems import Path, Problems
from atomiton.blueprint.values import Values


def compile_caching(node: Node, kind: NodeKind, values: Values, path: Path) -> Caching:
    """The rule for the results of a node that stands at ``path`` and runs a type."""
    asked, place, problems = node.cache, (*path, "cache"), values.problems
    if node.compensate is not None:
        message = "a node that has a 'compensate' cannot have its results kept"
        hint = "a kept result is given without the act that would be undone"
        problems.add("INVALID_BLUEPRINT", message, place, hint)
    body = as_object(asked) or ({} if asked is True else {"ttl": asked})
    key = None
    if "key" in body:
        key = values.value(body["key"], (*place, "key"))
    else:
        _check_parameters(node, kind, problems, place)
    seconds = parse_duration(body["ttl"]) if "ttl" in body else None
    return Caching(seconds, key)


def _check_parameters(node: Node, kind: NodeKind, problems: Problems, place: Path) -> None:
    """What a node evaluates itself sees more than its parameters: it needs a key."""
    bare = [port.name for port in kind.parameters if port.expression and port.name in node.with_]
    if bare:
        message = f"'{bare[0]}' is evaluated within the node, so its parameters are not all it sees"
        problems.add(
            "INVALID_BLUEPRINT", message, place, "say what they are kept under: {key: ...}"
        )
