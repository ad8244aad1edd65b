"""What an expression gives over the data of a run: for those who write one, and want to see.

Nothing is run and nothing is kept. Secrets are not known here; what the run has on record is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

import msgspec

from atomiton.blueprint.expressions import parse, parse_template
from atomiton.blueprint.expressions.values import a_type
from atomiton.blueprint.model import Blueprint, Node
from atomiton.errors import ExpressionError
from atomiton.machine.state import BODY, COMPLETED, ITEMS, Frame, RunState

#: Work that one evaluation may do: a tenth of what a run allows.
STEPS: Final = 100_000
#: Characters of a value that are given.
SHOWN: Final = 4_000

Loader = Callable[[None], object]


class Previewed(msgspec.Struct, frozen=True):
    """What an expression gives, or why it gives nothing.

    Attributes:
        ok: Whether it gives something.
        text: The value as JSON, or its beginning.
        kind: What it is, such as ``a list``.
        size: Characters that the whole text has.
        error: Why there is no value.
        offset: The character of the expression that the error is about.
    """

    ok: bool
    text: str = ""
    kind: str = ""
    size: int = 0
    error: str | None = None
    offset: int | None = None


class Seen:
    """The names that an expression sees, and their values.

    Attributes:
        values: By name.
        empty: Nodes that have ended without giving anything: paths into them are null.
        why: Name to why it has no value, for those that exist.
    """

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.empty: set[str] = set()
        self.why: dict[str, str] = {
            "secrets": "secrets are looked up when a node runs, and shown to nobody"
        }
        self._nodes: dict[str, object] = {}
        self.values["nodes"] = self._nodes

    def body(self, frame: Frame) -> None:
        """See the nodes of a body; those of its inner ones hide others."""
        for number, node in enumerate(frame.nodes):
            self._nodes[node.id] = frame.node_info(number)
            self.empty.discard(node.id)
            self.values.pop(node.id, None)
            if frame.status[number] < COMPLETED:
                self.why[node.id] = f"'{node.id}' has given nothing yet in this run"
                continue
            self.values[node.id] = frame.outputs[number]
            if frame.missing(number):
                self.empty.add(node.id)

    def turn(self, node: Node, frame: Frame, number: int) -> None:
        """See an item of a map or a turn of a loop."""
        if frame.kind == ITEMS:
            if number < len(frame.items):
                self.values[node.as_ or "item"] = frame.items[number]
        else:
            self.values["acc"] = frame.outputs[number - 1] if number else frame.items[0]
        self.values["index"] = number


def seen_in(state: RunState, blueprint: Blueprint, node: str, item: int) -> Seen:
    """What the expressions of a node see in a run.

    Args:
        state: Where the run is.
        blueprint: What it runs.
        node: Path of the node, such as ``each.inner``; empty for the output of the blueprint.
        item: Which item or turn to look at, of the repeats around it and its own.
    """
    seen = Seen()
    seen.values |= {"inputs": state.inputs, "vars": state.variables, "run": state.info()}
    frame = state.top
    nodes: Mapping[str, Node] = blueprint.nodes
    for id_ in node.split(".") if node else []:
        _look(seen, frame)
        of = nodes.get(id_)
        number = next((n for n, other in enumerate(frame.nodes) if other.id == id_), None)
        if of is None or number is None:
            return seen
        child = frame.children.get(number)
        if child is not None and child.kind != BODY:
            at = min(item, max(0, len(child.nodes) - 1))
            seen.turn(of, child, at)
            child = child.children.get(at)
        if child is None or of.nodes is None:
            return seen
        frame, nodes = child, of.nodes
    _look(seen, frame)
    return seen


def _look(seen: Seen, frame: Frame) -> None:
    if frame.kind == BODY:
        seen.body(frame)


def preview(text: str, seen: Seen, *, bare: bool, over: str | None = None) -> Previewed:
    """Evaluate an expression, or a text with expressions in it.

    Args:
        text: The text.
        seen: What it sees.
        bare: Whether all of it is an expression, without ``${{ }}``.
        over: A text that gives the list whose items it is asked for: the first is looked at.
    """
    values = dict(seen.values)
    try:
        if over is not None:
            items = _evaluated(over, values, seen, bare=False)
            listed = cast("list[object]", items) if isinstance(items, list) else []
            first = listed[0] if listed else None
            values |= {"item": first, "index": 0, "acc": None}
        value = _evaluated(text, values, seen, bare=bare)
        encoded = msgspec.json.encode(value).decode()
    except ExpressionError as error:
        return Previewed(ok=False, error=_reason(error, seen), offset=error.offset)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        return Previewed(ok=False, error=f"the value cannot be shown: {error}")
    return Previewed(ok=True, text=encoded[:SHOWN], kind=a_type(value), size=len(encoded))


def _evaluated(text: str, values: Mapping[str, object], seen: Seen, *, bare: bool) -> object:
    loaders: dict[str, Loader] = {name: _giving(value) for name, value in values.items()}
    missing: dict[str, Callable[[None], bool]] = dict.fromkeys(seen.empty, lambda _: True)
    parsed = parse(text) if bare else parse_template(text)
    return parsed.bind(loaders, steps=STEPS, missing=missing)(None)


def _giving(value: object) -> Loader:
    return lambda _: value


def _reason(error: ExpressionError, seen: Seen) -> str:
    for name, why in seen.why.items():
        if error.code == "UNKNOWN_REFERENCE" and f"'{name}'" in error.message:
            return why
    return error.message
