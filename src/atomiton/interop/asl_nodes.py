"""Nodes that states of Amazon States Language become."""

from __future__ import annotations

from atomiton.interop.data import is_list, is_map, mapping
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced, plain_text
from atomiton.interop.expressions.tree import Untranslatable


def steps_of(path: object) -> list[str]:
    """The fields of a path that a result is put at."""
    if not isinstance(path, str) or not path.startswith("$.") or "[" in path:
        raise Untranslatable(f"a result cannot be put at {path!r}")
    return path[2:].split(".")


def constant(value: object) -> Node:
    """A node that gives a value."""
    return {"uses": "data.value", "with": {"value": value}}


def node_of(nodes: Node, result: object) -> Node:
    """A node that gives a result of inner nodes: the simplest there is."""
    if not nodes:
        return constant(result)
    if list(nodes) == ["edit"] and result == braced("edit"):
        only = nodes["edit"]
        return dict(mapping(only))
    if list(nodes) == ["call"] and result == braced("call"):
        return dict(mapping(nodes["call"]))
    return {"nodes": nodes, "output": result}


def escaped(value: object) -> object:
    """A value in which no text is an expression."""
    if isinstance(value, str):
        return plain_text(value)
    if is_list(value):
        return [escaped(part) for part in value]
    if is_map(value):
        return {key: escaped(part) for key, part in value.items()}
    return value


def why_not(resource: str) -> str:
    """Why a task is not mapped."""
    if not resource:
        return "it does not say what it runs ('Resource')"
    if ":lambda:" in resource or ":states:::lambda" in resource:
        return "the code of the function is not in the file; write it as a node type of your own"
    if ":activity:" in resource:
        return "an activity is a worker of theirs; write it as a node type of your own"
    if ":states:::states:" in resource or "startExecution" in resource:
        return "it runs another state machine: import that one as well, and call it with 'call'"
    return f"there is no node type for {resource[:120]}"
