"""What became of each part of a workflow that was imported: nothing goes without a word."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

Status = Literal["mapped", "different", "not_mapped"]
"""``different``: it does the same, but for what the notes say."""

WORDS: Final[dict[Status, str]] = {
    "mapped": "mapped",
    "different": "mapped with a difference",
    "not_mapped": "not mapped",
}
"""The states as people read them."""


@dataclass(slots=True)
class Entry:
    """What became of one node, step or state.

    Attributes:
        source: What the file calls it, unique there.
        type: What the file says it is.
        node: The node of the blueprint; empty if there is none.
        status: Whether it does the same.
        notes: What is different, or why it could not be mapped.
    """

    source: str
    type: str
    node: str = ""
    status: Status = "mapped"
    notes: list[str] = field(default_factory=list[str])

    def differs(self, note: str) -> None:
        """Note a difference."""
        if self.status == "mapped":
            self.status = "different"
        if note not in self.notes:
            self.notes.append(note)

    def fails(self, reason: str) -> None:
        """Note that it is not mapped."""
        self.status = "not_mapped"
        if reason not in self.notes:
            self.notes.append(reason)

    def as_object(self) -> dict[str, object]:
        """The entry as plain data."""
        return {
            "source": self.source,
            "type": self.type,
            "node": self.node or None,
            "status": self.status,
            "notes": list(self.notes),
        }


@dataclass(slots=True)
class Report:
    """What became of a workflow.

    Attributes:
        format: Where it came from, such as ``n8n``.
        blueprint: Id of the blueprint that was made.
        entries: One for each part, in the order of the file.
    """

    format: str
    blueprint: str = ""
    entries: list[Entry] = field(default_factory=list[Entry])

    def entry(self, source: str, type_: str) -> Entry:
        """Begin the entry of a part."""
        made = Entry(source, type_)
        self.entries.append(made)
        return made

    @property
    def complete(self) -> bool:
        """Whether all is mapped, with or without differences."""
        return all(entry.status != "not_mapped" for entry in self.entries)

    @property
    def exact(self) -> bool:
        """Whether all is mapped without differences."""
        return all(entry.status == "mapped" for entry in self.entries)

    def as_object(self) -> dict[str, object]:
        """The report as plain data."""
        counts = Counter(entry.status for entry in self.entries)
        return {
            "format": self.format,
            "blueprint": self.blueprint,
            "complete": self.complete,
            "exact": self.exact,
            "counts": {status: counts[status] for status in WORDS},
            "parts": [entry.as_object() for entry in self.entries],
        }
