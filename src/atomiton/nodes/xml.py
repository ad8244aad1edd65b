"""The ``xml`` family: XML text to values."""

from __future__ import annotations

from typing import TypedDict

from atomiton.nodes.guard.threads import aside
from atomiton.nodes.spec import node


class Parsed(TypedDict):
    """What a text says: `value` is that of the element `root`.

    Attributes:
        root: Name of the outer element.
        value: What it holds.
    """

    root: str
    value: object


@node(
    "xml.parse",
    effect="pure",
    title="Parse XML",
    icon="code",
    plain=True,
    example="""
    atomiton: 1
    id: xml-parse-example
    nodes:
      feed:
        uses: xml.parse
        with:
          text: |
            <feed version="2">
              <item id="7"><title>Tea</title></item>
            </feed>
          lists: [item]
    output: ${{ feed.value.item.map(it, it.title) }}
    """,
)
async def parse(
    text: str | bytes, *, lists: list[str] | None = None, prefixes: bool = True
) -> Parsed:
    """The value that an XML text stands for.

    An element with text alone is that text, and an empty one null. Any other is an object: its
    attributes as `@name`, its text as `#text`, its children by name. Children of one name become a
    list; name those in `lists` of which there may be just one. Comments are left out, and white
    space around text.

    Nothing is fetched, and entities that a text declares are refused, so that it can neither read
    files nor grow. A text may have 64 MiB, 100 levels and a million elements and attributes.

    Args:
        text: One document; bytes are read as their declaration says, else as UTF-8.
        lists: Names of elements that are always a list.
        prefixes: Whether names keep their prefix: `dc:date`, or else `date`.
    """
    from atomiton.nodes.markup import read_xml

    root, value = await aside(len(text), read_xml, text, frozenset(lists or ()), prefixes)
    return {"root": root, "value": value}
