"""XML as plain values, read by expat within bounds."""

from __future__ import annotations

from typing import NoReturn, cast

from atomiton.errors import NodeError

#: Most bytes of a text.
MOST_BYTES = 64 * 1024 * 1024
#: Most elements around another.
DEEPEST = 100
#: Most elements and attributes.
MOST_PARTS = 1_000_000


class _Open:
    """An element that is being read."""

    __slots__ = ("fields", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: dict[str, object] = {}
        self.text: list[str] = []


class _Reader:
    """Builds values from what expat tells."""

    def __init__(self, lists: frozenset[str], *, prefixes: bool) -> None:
        self._lists = lists
        self._prefixes = prefixes
        self._stack: list[_Open] = []
        self._parts = 0
        self.root: tuple[str, object] | None = None

    def start(self, name: str, attributes: list[str]) -> None:
        """An element begins; attributes are names and values in turn."""
        self._parts += 1 + len(attributes) // 2
        if self._parts > MOST_PARTS:
            raise _over(f"more than {MOST_PARTS:,} elements and attributes")
        if len(self._stack) >= DEEPEST:
            raise _over(f"more than {DEEPEST} levels")
        opened = _Open(self._short(name))
        for index in range(0, len(attributes), 2):
            key = attributes[index]
            if self._prefixes or not (key == "xmlns" or key.startswith("xmlns:")):
                opened.fields[f"@{self._short(key)}"] = attributes[index + 1]
        self._stack.append(opened)

    def text(self, data: str) -> None:
        """Text goes on."""
        if self._stack:
            self._stack[-1].text.append(data)

    def end(self, _name: str) -> None:
        """An element ends."""
        ended = self._stack.pop()
        text = "".join(ended.text).strip()
        value: object = text or None
        if ended.fields:
            value = ended.fields | {"#text": text} if text else ended.fields
        if not self._stack:
            self.root = (ended.name, value)
            return
        self._add(self._stack[-1].fields, ended.name, value)

    def _add(self, fields: dict[str, object], name: str, value: object) -> None:
        if name not in fields:
            fields[name] = [value] if name in self._lists else value
            return
        known = fields[name]
        # No value of an element is a list by itself: a list here is one of equal names.
        if isinstance(known, list):
            cast("list[object]", known).append(value)
        else:
            fields[name] = [known, value]

    def _short(self, name: str) -> str:
        return name if self._prefixes else name.rpartition(":")[2]


def read_xml(text: str | bytes, lists: frozenset[str], prefixes: bool) -> tuple[str, object]:  # noqa: FBT001
    """Read a document.

    Args:
        text: The document.
        lists: Names of elements that are always lists.
        prefixes: Whether names keep their prefixes.

    Returns:
        Name of the root element, and its value.

    Raises:
        NodeError: It is not XML (INVALID_INPUT, with the line), is too large (LIMIT_EXCEEDED), or
            declares entities (NOT_ALLOWED).

    Example:
        >>> read_xml("<a b='1'><c>x</c><c/></a>", frozenset(), True)
        ('a', {'@b': '1', 'c': ['x', None]})
    """
    from xml.parsers import expat

    if len(text) > MOST_BYTES:
        raise _over(f"more than {MOST_BYTES} bytes")
    reader = _Reader(lists, prefixes=prefixes)
    # What is text already is not in the encoding that it names any more.
    parser = expat.ParserCreate("utf-8" if isinstance(text, str) else None)
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse_entity
    parser.ExternalEntityRefHandler = _refuse_entity
    try:
        parser.Parse(text.encode() if isinstance(text, str) else text, True)
    except expat.ExpatError as error:
        said = expat.errors.messages[error.code]
        raise NodeError(
            f"the text is not XML: line {error.lineno}, column {error.offset + 1}: {said}",
            code="INVALID_INPUT",
        ) from None
    except (UnicodeError, LookupError, ValueError) as error:
        raise NodeError(f"the text is not XML: {error}", code="INVALID_INPUT") from None
    assert reader.root is not None  # expat refuses a text without an element
    return reader.root


def _refuse_entity(*_: object) -> NoReturn:
    raise NodeError(
        "the text declares entities of its own or names others outside of it, which could read "
        "files or grow without end; remove its <!ENTITY ...> declarations",
        code="NOT_ALLOWED",
    )


def _over(what: str) -> NodeError:
    return NodeError(f"the text has {what}", code="LIMIT_EXCEEDED")
