"""Where every key and value of a YAML text begins and ends."""

from __future__ import annotations

import re

import yaml as pyyaml

from atomiton.blueprint.problems import Path
from atomiton.blueprint.yaml import Loader
from atomiton.errors import BlueprintError, Problem

_HEADER = re.compile(r"(?:&\S+\s+)?[|>][0-9+-]*")


class Span:
    """A value in a text.

    Attributes:
        start: Offset of its first character.
        end: Offset behind its last one; comments and blank lines behind it are not its own.
        column: Column of ``start``, from 0: for a list or mapping in block style, of its entries.
        block: Whether it is a list or mapping in block style.
        header: Offset behind the sign of a block of text; None for other values.
        is_list: Whether it is a list.
        children: Its values, by key or index; None for a scalar.
        keys: Offsets of its keys.
    """

    __slots__ = ("block", "children", "column", "end", "header", "is_list", "keys", "start")

    def __init__(self, event: pyyaml.Event) -> None:
        start, end = event.start_mark, event.end_mark
        assert start is not None  # the parser marks every event
        assert end is not None
        self.start: int = start.index
        self.end: int = end.index
        self.column: int = start.column
        self.block = False
        self.header: int | None = None
        self.is_list = False
        self.children: dict[str | int, Span] | None = None
        self.keys: dict[str, tuple[int, int]] = {}

    def find(self, path: Path) -> Span | None:
        """The value at a path below this one."""
        span: Span | None = self
        for key in path:
            span = span.children.get(key) if span and span.children is not None else None
        return span


def scan(text: str) -> Span:
    """Find the spans of a text that ``load`` accepts; it has no byte order mark.

    Raises:
        BlueprintError: It is JSON that is no YAML, as it writes an emoji as two escapes.
    """
    try:
        return _scan(text)
    except pyyaml.YAMLError as error:
        message = "the text cannot be changed in place: it holds JSON that YAML does not know"
        raise BlueprintError([Problem("NOT_SUPPORTED", message)]) from error


def _scan(text: str) -> Span:
    root: Span | None = None
    stack: list[tuple[Span, str | None]] = []
    for event in pyyaml.parse(text, Loader=Loader):
        if isinstance(event, pyyaml.CollectionEndEvent):
            span = stack.pop()[0]
            _close(span, event)
            continue
        if not isinstance(event, pyyaml.NodeEvent):
            continue
        parent, key = stack[-1] if stack else (None, None)
        if parent is not None and not parent.is_list and key is None:
            assert isinstance(event, pyyaml.ScalarEvent)  # load refuses other keys
            spot = Span(event)
            parent.keys[event.value] = (spot.start, spot.end)
            stack[-1] = (parent, event.value)
            continue
        span = _open(event, text)
        if parent is None:
            root = span
        elif parent.children is not None:
            parent.children[len(parent.children) if key is None else key] = span
            stack[-1] = (parent, None)
        if isinstance(event, pyyaml.CollectionStartEvent):
            stack.append((span, None))
    assert root is not None
    return root


def _open(event: pyyaml.NodeEvent, text: str) -> Span:
    span = Span(event)
    if isinstance(event, pyyaml.CollectionStartEvent):
        span.children = {}
        span.block = not event.flow_style
        span.is_list = isinstance(event, pyyaml.SequenceStartEvent)
    elif isinstance(event, pyyaml.ScalarEvent) and event.style in ("|", ">"):
        header = _HEADER.match(text, span.start)
        assert header is not None
        span.header = header.end()
        # Blank lines at the end are its own only if its sign says that they count.
        content = text[span.start : span.end]
        kept = len(content) - 1 if content.endswith("\n") else len(content)
        if "+" not in header[0]:
            kept = len(content.rstrip())
        span.end = span.start + max(kept, header.end() - span.start)
    return span


def _close(span: Span, event: pyyaml.CollectionEndEvent) -> None:
    if not span.block:
        assert event.end_mark is not None
        span.end = event.end_mark.index
        return
    assert span.children
    last = list(span.children)[-1]
    span.end = span.children[last].end
    if isinstance(last, str):
        # A key without a value: what stands for the value may be marked further down.
        first = next(iter(span.keys.values()))
        span.end = max(span.end, span.keys[last][1], first[1])
