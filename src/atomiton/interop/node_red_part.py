"""One node of Node-RED on its way to a node of a blueprint."""

from __future__ import annotations

import re

from atomiton.interop.data import listing, mapping
from atomiton.interop.draft import Draft, Node
from atomiton.interop.expressions.cel import braced
from atomiton.interop.items import Items, Part, each


class Mapped:
    """One node on its way.

    Attributes:
        draft: The blueprint.
        part: The node.
        said: What the file says of it.
        id: Of the node that is made.
        incoming: Expression of the messages that come in.
    """

    def __init__(self, draft: Draft, items: Items, part: Part) -> None:
        self.draft = draft
        self.part = part
        self.said = part.said
        self.id = part.entry.node
        self.incoming = items.incoming(part)
        self._parts = items.parts

    def differs(self, note: str) -> None:
        """Note a difference."""
        self.part.entry.differs(note)

    def sets(self, name: str) -> bool:
        """Whether any node of the file sets a field of messages."""
        for part in self._parts.values():
            props = [mapping(p).get("p") for p in listing(part.said.get("props"))]
            rules = [mapping(r) for r in listing(part.said.get("rules"))]
            changed = [rule.get("to" if rule.get("t") == "move" else "p") for rule in rules]
            if name in (*props, *changed, part.said.get("field")):
                return True
            if re.search(rf"\bmsg\s*\.\s*{name}\b", str(part.said.get("func", ""))):
                return True
        return False

    def trigger(self, said: Node) -> None:
        """Add a trigger to the blueprint."""
        self.draft.top["triggers"] = [*listing(self.draft.top.get("triggers")), said]

    def declare(self, name: str) -> None:
        """Declare an input of the blueprint."""
        inputs = mapping(self.draft.top.get("inputs"))
        self.draft.top["inputs"] = {**inputs, name: {"type": "any", "default": {}}}

    def changed(self, nodes: Node, values: Node, *, join: str = "") -> Node:
        """For each message, nodes, and the message with some fields set."""
        self.part.pairs = True
        edit: Node = {"uses": "data.edit", "with": {"data": braced("item"), "values": values}}
        edit.update({"join": join} if join else {})
        if not nodes:
            return each(self.incoming, edit)
        return each(self.incoming, {"nodes": {**nodes, "edit": edit}, "output": braced("edit")})
