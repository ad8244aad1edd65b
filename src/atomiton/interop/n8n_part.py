"""One node of n8n on its way to a node of a blueprint."""

from __future__ import annotations

from atomiton.interop.data import listing, mapping
from atomiton.interop.draft import Draft, Node
from atomiton.interop.expressions.cel import braced
from atomiton.interop.items import Items, Part, first
from atomiton.interop.n8n_values import Values


def short(type_: str) -> str:
    """The type of a node without the package that it comes from, if that is n8n's own.

    Example:
        >>> short("n8n-nodes-base.httpRequest"), short("@n8n/n8n-nodes-langchain.chatTrigger")
        ('httpRequest', 'langchain.chatTrigger')
    """
    return type_.removeprefix("n8n-nodes-base.").removeprefix("@n8n/n8n-nodes-")


class Mapped:
    """One node on its way.

    Attributes:
        draft: The blueprint.
        items: All nodes.
        part: The node.
        id: Of the node that is made.
        parameters: What the file sets.
        version: Of the type of the node.
        incoming: Expression of the items that come in.
    """

    def __init__(self, draft: Draft, items: Items, part: Part) -> None:
        self.draft = draft
        self.items = items
        self.part = part
        self.id = part.entry.node
        self.parameters = mapping(part.said.get("parameters"))
        version = part.said.get("typeVersion", 1)
        self.version = float(version) if isinstance(version, int | float) else 1.0
        self.incoming = items.incoming(part)
        if part.said.get("executeOnce") is True:
            self.incoming = f"({first(self.incoming)})"

    def starts_with_nothing(self) -> None:
        """Let the node begin with one empty item, as the first node of a run does."""
        self.incoming = "[{}]"

    @property
    def values(self) -> Values:
        """Parameters as they are for each item."""
        return Values(self.items, self.part)

    @property
    def values_of_data(self) -> Values:
        """The same, where the JSON of data is read as the data again."""
        return Values(self.items, self.part, json_is_data=True)

    @property
    def values_once(self) -> Values:
        """Parameters of a node that runs once: they see the first item."""
        return Values(self.items, self.part, f"{self.incoming}[0]")

    def declare(self, name: str, declaration: Node) -> None:
        """Declare an input of the blueprint."""
        inputs = mapping(self.draft.top.get("inputs"))
        self.draft.top["inputs"] = {**inputs, name: declaration}

    def trigger(self, said: Node) -> None:
        """Add a trigger to the blueprint."""
        self.draft.top["triggers"] = [*listing(self.draft.top.get("triggers")), said]

    def secret(self, name: str) -> str:
        """Let the blueprint read a secret."""
        secrets = [*listing(self.draft.top.get("secrets"))]
        self.draft.top["secrets"] = [*secrets, *([name] if name not in secrets else [])]
        return braced(f"secrets.{name}")
