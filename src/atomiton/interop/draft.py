"""The blueprint that is being made of a workflow of another kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from atomiton.blueprint.nodes import NAME, RESERVED
from atomiton.interop import data
from atomiton.interop.expressions.cel import braced, plain_text
from atomiton.interop.report import Entry, Report

Node = dict[str, object]
"""A node as a blueprint writes it."""

INNER: Final = frozenset(
    [
        "not_mapped",
        "call",
        "result",
        "answer",
        "answers",
        "redirected",
        "edit",
        "pause",
        "pairs",
        "one",
        "x",
        "y",
        "v",
    ]
)
"""Names of nodes within the groups that importers make: no node around them has one."""

CODE: Final = "NOT_MAPPED"
"""Code with which a run ends that comes to what could not be mapped."""


@dataclass(slots=True)
class Draft:
    """A blueprint on its way, and the report of it.

    Attributes:
        report: What became of each part.
        id: Of the blueprint.
        top: Keys of the blueprint besides its nodes.
        nodes: Its nodes.
        layout: Places of nodes.
        notes: Notes on the canvas.
        originals: What the file says of that which was not mapped, by node.
        sources: What the file says of every node.
    """

    report: Report
    id: str
    top: dict[str, object] = field(default_factory=dict[str, object])
    nodes: Node = field(default_factory=dict[str, object])
    layout: dict[str, object] = field(default_factory=dict[str, object])
    notes: list[Node] = field(default_factory=list[Node])
    originals: dict[str, object] = field(default_factory=dict[str, object])
    sources: dict[str, object] = field(default_factory=dict[str, object])
    _names: set[str] = field(default_factory=lambda: set(RESERVED | INNER))

    def name(self, wanted: str) -> str:
        """An id that no other node has, made of any text.

        Example:
            >>> draft = Draft(Report("n8n"), "x")
            >>> draft.name("Get rows!"), draft.name("get_rows"), draft.name("7")
            ('get_rows', 'get_rows_2', 'node_7')
        """
        base = re.sub(r"[^a-z0-9]+", "_", _words(wanted).lower()).strip("_")[:56]
        if not NAME.fullmatch(base):
            base = f"node_{base}".rstrip("_")
        found, number = base, 1
        while found in self._names:
            number += 1
            found = f"{base}_{number}"
        self._names.add(found)
        return found

    def placeholder(self, entry: Entry, reason: str, original: object) -> Node:
        """A node in place of one that is not mapped: a run that comes to it fails, and says why."""
        entry.fails(reason)
        if not any(one is entry for one in self.report.entries):
            self.report.entries.append(entry)  # a step that the importer itself put in
        self.originals[entry.node] = data.kept(original)
        said = f"{entry.type} '{entry.source}' was not imported: {reason}"
        message = plain_text(" ".join(said.split())[:500])
        fail: Node = {"uses": "flow.fail", "with": {"message": message, "code": CODE}}
        named: Node = {} if entry.source == entry.node else {"name": entry.source[:200]}
        return {
            **named,
            "description": f"Not mapped: {plain_text(reason)[:300]}",
            "nodes": {"not_mapped": fail},
            "output": braced("dyn(not_mapped)"),
        }

    def replace(self, entry: Entry, reason: str) -> bool:
        """Put a placeholder in place of a node that was made; False if that mends nothing.

        What it waits for is kept at first; a placeholder that is not valid for that loses it.
        """
        body = _body_with(self.nodes, entry.node)
        if body is None:
            return False
        old = cast("Node", body[entry.node])
        waits = [key for key in ("needs", "if", "join") if key in old]
        again = entry.status == "not_mapped"
        if again and not waits:
            return False
        kept: Node = {} if again else {key: old[key] for key in waits}
        original = self.sources.get(entry.node, old)
        body[entry.node] = {**kept, **self.placeholder(entry, reason, original)}
        if "branch" in old:
            _without_routes(self.nodes, entry.node)
        return True

    def admit(self) -> None:
        """Say of parts whose node is not there that they went with the part around them."""
        for entry in self.report.entries:
            if entry.node and _body_with(self.nodes, entry.node) is None:
                entry.node = ""
                if entry.status != "not_mapped":
                    entry.fails("it stands within a part that is not mapped")

    def left_out(self, entry: Entry, original: object) -> None:
        """Note that a part never runs, and so has no node."""
        self.originals[entry.node] = data.kept(original)
        entry.differs("nothing leads to it, so it has no node")
        entry.node = ""

    def document(self) -> dict[str, object]:
        """The blueprint as plain data."""
        metadata: dict[str, object] = {"imported": {"from": self.report.format}}
        if self.originals:
            cast("Node", metadata["imported"])["originals"] = self.originals
        if self.notes:
            metadata["notes"] = self.notes
        nodes = self.nodes or {"nothing": {"uses": "data.value", "with": {"value": None}}}
        made: dict[str, object] = {"atomiton": 1, "id": self.id, "metadata": metadata}
        return {**made, **self.top, "nodes": nodes, **_layout(self.layout)}


def _body_with(nodes: Node, id_: str) -> Node | None:
    """The mapping of nodes in which a node stands, at any depth."""
    left = [nodes]
    while left:
        body = left.pop()
        if id_ in body:
            return body
        for node in body.values():
            inner = data.mapping(data.mapping(node).get("nodes"))
            if inner:
                left.append(inner)
    return None


def _without_routes(nodes: Node, id_: str) -> None:
    """Let what needed a route of a node need the node itself."""
    left = [nodes]
    while left:
        for node in left.pop().values():
            said = data.mapping(node)
            needs = data.listing(said.get("needs"))
            if needs:
                plain = [id_ if str(n).startswith(f"{id_}.r") else n for n in needs]
                said["needs"] = list(dict.fromkeys(plain))
            inner = data.mapping(said.get("nodes"))
            if inner:
                left.append(inner)


def _layout(places: Mapping[str, object]) -> dict[str, object]:
    return {"layout": dict(places)} if places else {}


def _words(text: str) -> str:
    """Words that were written together, as in ``getPet``, apart."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", text)


def blueprint_id(*names: object) -> str:
    """An id for a blueprint, of the first name of which one can be made.

    Example:
        >>> blueprint_id("", "My Flow (copy)")
        'my-flow-copy'
    """
    for name in names:
        made = re.sub(r"[^a-z0-9]+", "-", data.text(name).lower()).strip("-")[:64].strip("-")
        if made:
            return made
    return "imported"


def code_of(name: str) -> str:
    """A code of errors for the name that another language gives an error.

    Example:
        >>> code_of("PaymentFailed"), code_of("https://example.com/errors/not-found")
        ('PAYMENT_FAILED', 'NOT_FOUND')
    """
    last = re.split(r"[/#]", name.rstrip("/"))[-1]
    made = re.sub(r"[^A-Z0-9]+", "_", _words(last).upper()).strip("_")[:60]
    return made if made[:1].isalpha() else f"ERROR_{made}".rstrip("_")
