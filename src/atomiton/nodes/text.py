"""The ``text`` family: filling, cutting, joining, finding and replacing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Literal, TypedDict

from atomiton.blueprint.expressions import Template, parse_template, value_to_text
from atomiton.errors import ExpressionError, NodeError
from atomiton.nodes.guard.threads import aside
from atomiton.nodes.patterns import MOST_TEXT, Match, find_all, parts_between, replaced
from atomiton.nodes.spec import node


class Text(TypedDict):
    """A text."""

    text: str


class Parts(TypedDict):
    """The parts of a text.

    Attributes:
        parts: In order.
        count: How many.
    """

    parts: list[str]
    count: int


class Matches(TypedDict):
    """What fits a pattern; `first` is null when nothing does.

    Attributes:
        found: Whether anything fits.
        first: The first match; null without any.
        matches: `text`, `start`, `end`, `groups` and `named` of each.
        count: How many.
    """

    found: bool
    first: Match | None
    matches: list[Match]
    count: int


class Replaced(TypedDict):
    """A text, and how often something was replaced in it.

    Attributes:
        text: The new text.
        count: How often something was replaced.
    """

    text: str
    count: int


@node(
    "text.template",
    effect="pure",
    title="Fill template",
    icon="file-text",
    plain=True,
    example="""
    atomiton: 1
    id: text-template-example
    nodes:
      letter:
        uses: text.template
        with:
          template: |
            Dear {{ customer.name }},
            {{ items.map(it, "- " + it).join("\\n") }}
          values:
            customer: {name: Ada}
            items: [tea, milk]
    output: ${{ letter.text }}
    """,
)
async def template(
    template: str, values: dict[str, object], *, escape: Literal["none", "html"] = "none"
) -> Text:
    r"""Fill a text: an expression in `{{ }}` stands for its value.

    Expressions are those of blueprints, and the fields of `values` all that they see. A template
    in a file is read with `file.read`. `\\{{` stands for a plain `{{`.

    Args:
        template: The text, with expressions such as `{{ order.total }}`.
        values: What the expressions name.
        escape: `html` makes markup of no value: `<` becomes `&lt;`.
    """
    if len(template) > MOST_TEXT:
        raise _too_long()
    return {"text": await aside(len(template), _filled, template, values, escape)}


def _filled(text: str, values: dict[str, object], escape: str) -> str:
    try:
        parsed = _parsed(text)
        loaders = {name: _loader(name) for name in values}
        return parsed.bind_text(loaders, escape=_html if escape == "html" else None)(values)
    except ExpressionError as error:
        before = text[: error.offset or 0]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the template, line {line}, column {column}: {error.message}"
        raise NodeError(message, code=error.code, details={"parameter": "template"}) from None


def _loader(name: str) -> Callable[[dict[str, object]], object]:
    return lambda scope: scope[name]


def _html(text: str) -> str:
    from html import escape  # loads a table of all named characters

    return escape(text)


@lru_cache(maxsize=32)
def _parsed(text: str) -> Template:
    return parse_template(text, "{{")


@node(
    "text.split",
    effect="pure",
    title="Split text",
    icon="scissors",
    plain=True,
    example="""
    atomiton: 1
    id: text-split-example
    nodes:
      words:
        uses: text.split
        with:
          text: tea, milk,,bread
          separator: ","
          trim: true
          keep_empty: false
    output: ${{ words.parts }}
    """,
)
async def split(
    text: str,
    separator: str | None = None,
    *,
    pattern: str | None = None,
    ignore_case: bool = False,
    trim: bool = False,
    keep_empty: bool = True,
    limit: int | None = None,
) -> Parts:
    """Cut a text into parts: at a separator, at a pattern, or else at the ends of lines.

    Args:
        text: The text.
        separator: What stands between the parts, as it is.
        pattern: What stands between them, as a regular expression of RE2's syntax; needs
            `atomiton[text]`.
        ignore_case: Whether small and capital letters are the same to the pattern.
        trim: Take space from both ends of each part.
        keep_empty: Keep parts without any text.
        limit: Most cuts; the last part is the rest.
    """
    most = _bound(limit)
    if separator is not None and pattern is not None:
        raise NodeError("give only one of separator and pattern", code="INVALID_INPUT")
    if separator == "":
        raise NodeError("separator is empty", code="INVALID_INPUT")
    _check_length(text)
    if pattern is not None:
        parts = await aside(
            len(text), partial(parts_between, text, pattern, ignore_case=ignore_case, limit=most)
        )
    elif separator is not None:
        parts = text.split(separator, most)
    else:
        parts = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n", most)
    if trim:
        parts = [part.strip() for part in parts]
    if not keep_empty:
        parts = [part for part in parts if part]
    return {"parts": parts, "count": len(parts)}


@node(
    "text.join",
    effect="pure",
    title="Join texts",
    icon="combine",
    plain=True,
    example="""
    atomiton: 1
    id: text-join-example
    nodes:
      line:
        uses: text.join
        with:
          items: [tea, 2, true]
          separator: " · "
    output: ${{ line.text }}
    """,
)
async def join(items: list[object], separator: str = "\n", *, keep_empty: bool = True) -> Text:
    """Join the items of a list; what is no text is written as in `${{ }}`, as JSON.

    Args:
        items: What to join.
        separator: What to put between two items; a line end by default.
        keep_empty: Keep items that are null or without any text.
    """
    texts = [it if isinstance(it, str) else "" if it is None else value_to_text(it) for it in items]
    if not keep_empty:
        texts = [text for text in texts if text]
    if sum(map(len, texts)) + len(separator) * len(texts) > MOST_TEXT:
        raise _too_long()
    return {"text": separator.join(texts)}


@node(
    "text.match",
    effect="pure",
    title="Find in text",
    icon="file-search",
    plain=True,
    example=r"""
    atomiton: 1
    id: text-match-example
    nodes:
      orders:
        uses: text.match
        with:
          text: Order A-17 of Ada, order B-9 of Grace.
          pattern: (?P<letter>[A-Z])-(?P<number>\d+)
    output: ${{ orders.matches.map(m, m.named.number) }}
    """,
)
async def match(
    text: str, pattern: str, *, ignore_case: bool = False, limit: int = 10_000
) -> Matches:
    """Find what fits a regular expression; positions count characters from 0.

    The syntax is RE2's: to find one match takes time that grows with the length of the text alone,
    whatever the pattern. Needs `atomiton[text]`.

    Args:
        text: The text.
        pattern: The regular expression; `(?P<name>...)` names a group.
        ignore_case: Whether small and capital letters are the same.
        limit: Most matches; what comes after is not looked at.
    """
    _check_length(text)
    work = partial(find_all, text, pattern, ignore_case=ignore_case, limit=_bound(limit))
    found = await aside(len(text), work)
    first = found[0] if found else None
    return {"found": bool(found), "first": first, "matches": found, "count": len(found)}


@node(
    "text.replace",
    effect="pure",
    title="Replace in text",
    icon="replace",
    plain=True,
    example=r"""
    atomiton: 1
    id: text-replace-example
    nodes:
      hidden:
        uses: text.replace
        with:
          text: Call 030 123456 or 040 987654.
          pattern: (\d{3}) \d+
          replacement: $1 ***
    output: ${{ hidden.text }}
    """,
)
async def replace(
    text: str,
    find: str | None = None,
    replacement: str = "",
    *,
    pattern: str | None = None,
    ignore_case: bool = False,
    limit: int | None = None,
) -> Replaced:
    """Replace a text, or what fits a regular expression.

    Args:
        text: The text.
        find: What to replace, as it is.
        replacement: What to put there; after a pattern `$1`, `$name` and `${name}` stand for its
            groups, `$0` for all that fits, and `$$` for a dollar sign.
        pattern: What to replace, as a regular expression of RE2's syntax; needs `atomiton[text]`.
        ignore_case: Whether small and capital letters are the same to the pattern.
        limit: Most replacements, from the beginning; all by default.
    """
    most = _bound(limit)
    if (find is None) is (pattern is None):
        raise NodeError("give one of find and pattern", code="INVALID_INPUT")
    _check_length(text)
    if pattern is not None:
        how = partial(replaced, ignore_case=ignore_case, limit=most)
        changed, count = await aside(len(text), how, text, pattern, replacement)
        return {"text": changed, "count": count}
    if not find:
        raise NodeError("find is empty", code="INVALID_INPUT")
    count = min(text.count(find), most)
    if len(text) + count * (len(replacement) - len(find)) > MOST_TEXT:
        raise _too_long()
    return {"text": text.replace(find, replacement, count), "count": count}


def _bound(limit: int | None) -> int:
    if limit is None:
        return MOST_TEXT
    if limit < 1:
        raise NodeError("limit must be 1 or more", code="INVALID_INPUT")
    return limit


def _check_length(text: str) -> None:
    if len(text) > MOST_TEXT:
        raise _too_long()


def _too_long() -> NodeError:
    message = f"a text may have at most {MOST_TEXT} characters here"
    return NodeError(message, code="LIMIT_EXCEEDED")
