"""The ``html`` family: parts of web pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.guard.threads import aside
from atomiton.nodes.spec import node

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

#: Most characters of a page.
_LARGEST = 16 * 1024 * 1024
#: Most characters of what is found: an element is found again within each that is around it.
_MOST_FOUND = 64 * 1024 * 1024
#: Most elements around another: reading takes time that grows with the square of it.
_DEEPEST = 2000
_TAG = re.compile(r"<(!--|/?)([a-z][a-z0-9:-]*)?")
#: Elements that hold none, or that end by themselves where the next of their kind begins.
_FLAT = frozenset(
    (
        *("area", "base", "br", "caption", "col", "colgroup", "dd", "dt", "embed", "hr", "img"),
        *("input", "li", "link", "meta", "optgroup", "option", "p", "rp", "rt", "source", "tbody"),
        *("td", "tfoot", "th", "thead", "tr", "track", "wbr"),
    )
)
#: Elements in which there are no tags.
_RAW = frozenset(("script", "style", "textarea", "title", "xmp", "iframe", "noframes"))


class Selected(TypedDict):
    """What a selector found, in the order of the page; `first` is null when nothing was.

    Attributes:
        items: In the order of the page.
        first: The first of them, null without any.
        count: How many.
    """

    items: list[object]
    first: object
    count: int


@node(
    "html.select",
    effect="pure",
    title="Select from HTML",
    icon="code",
    plain=True,
    example="""
    atomiton: 1
    id: html-select-example
    nodes:
      links:
        uses: html.select
        with:
          html: |
            <ul>
              <li><a href="/tea">Tea</a> <b>2.50</b></li>
              <li><a href="/milk">Milk</a></li>
            </ul>
          selector: li
          fields: {name: a, link: a@href, price: b}
    output: ${{ links.items }}
    """,
)
async def select(
    html: str | bytes,
    selector: str,
    *,
    fields: dict[str, str] | None = None,
    limit: int = 10_000,
) -> Selected:
    """Find the elements of a page that a CSS selector names.

    The page is read as a browser reads it, with all its mistakes; no script runs and nothing is
    loaded. Without `fields` each item is `{text, html, tag, attributes}`. Needs `atomiton[html]`.

    Args:
        html: The page; bytes are read as it says itself, else as UTF-8; at most 16 MiB.
        selector: A CSS selector, such as `article h2 > a[href]`.
        fields: What each item is to hold instead: name to a selector within the element, which
            gives the text of the first that fits, or null; `a@href` gives its attribute, `@id`
            that of the element itself, and `.` its text.
        limit: Most items; what comes after is left out.
    """
    if len(html) > _LARGEST:
        message = f"the page is larger than {_LARGEST} characters"
        raise NodeError(message, code="LIMIT_EXCEEDED")
    if limit < 1:
        raise NodeError("limit must be 1 or more", code="INVALID_INPUT")
    items = await aside(len(html), _items, html, selector, fields, limit)
    return {"items": items, "first": items[0] if items else None, "count": len(items)}


def _items(
    html: str | bytes, selector: str, fields: dict[str, str] | None, limit: int
) -> list[object]:
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ModuleNotFoundError:
        raise NodeError(
            "HTML needs selectolax: pip install 'atomiton[html]'", code="NOT_SUPPORTED"
        ) from None
    _check_depth(html)
    page = LexborHTMLParser(html)
    root = page.root
    if root is None:
        return []
    found = _css(root, selector, "selector")[:limit]
    items: list[object] = []
    size = 0
    for element in found:
        item: dict[str, object]
        if fields is None:
            item = _whole(element)
            size += len(str(item["text"])) + len(str(item["html"]))
        else:
            item = {name: _field(element, path, f"fields.{name}") for name, path in fields.items()}
            size += sum(len(value) for value in item.values() if isinstance(value, str))
        if size > _MOST_FOUND:
            message = (
                f"what was found has more than {_MOST_FOUND} characters: name fewer elements, or "
                "parts of them by fields"
            )
            raise NodeError(message, code="LIMIT_EXCEEDED")
        items.append(item)
    return items


def _check_depth(html: str | bytes) -> None:
    """Refuse a page nested so deeply that nobody wrote it, counting tags from outside."""
    text = (html if isinstance(html, str) else html.decode("latin-1")).lower()
    position = depth = 0
    while (tag := _TAG.search(text, position)) is not None:
        position = tag.end()
        mark, name = tag.groups()
        if mark == "!--" or (not mark and name in _RAW):
            end = text.find("-->" if mark else f"</{name}", position)
            if end < 0:
                return
            position = end + 3
        elif name and name not in _FLAT:
            depth = max(0, depth - 1) if mark else depth + 1
            if depth > _DEEPEST:
                message = f"the page has more than {_DEEPEST} elements inside each other"
                raise NodeError(message, code="LIMIT_EXCEEDED")


def _css(element: LexborNode, selector: str, parameter: str) -> list[LexborNode]:
    from selectolax.lexbor import SelectolaxError

    try:
        if not selector.strip():
            raise ValueError("it is empty")
        return element.css(selector)
    except (SelectolaxError, ValueError) as error:
        raise NodeError(
            f"{parameter}: {selector[:200]!r} is not a CSS selector: {error}",
            code="INVALID_INPUT",
            details={"parameter": parameter},
        ) from None


def _whole(element: LexborNode) -> dict[str, object]:
    return {
        "text": _text(element),
        "html": element.html or "",
        "tag": element.tag or "",
        "attributes": {name: value or "" for name, value in element.attributes.items()},
    }


def _field(element: LexborNode, path: str, parameter: str) -> str | None:
    selector, at, attribute = path.rpartition("@")
    if not at:
        selector, attribute = path, ""
    target: LexborNode | None = element
    if selector.strip() not in ("", "."):
        # The element itself is among what it finds.
        inner = [it for it in _css(element, selector, parameter) if it.mem_id != element.mem_id]
        target = inner[0] if inner else None
    elif not attribute and not selector.strip():
        raise NodeError(f"{parameter} is empty", code="INVALID_INPUT")
    if target is None:
        return None
    if not attribute:
        return _text(target)
    attributes = target.attributes
    return (attributes[attribute] or "") if attribute in attributes else None


def _text(element: LexborNode) -> str:
    """The text of an element, white space as a browser shows it."""
    return " ".join(element.text(deep=True, separator="").split())
