"""Writes a blueprint as YAML: always the same way, readable, and read back as the same data.

Keys of a blueprint and of its nodes come in the order people explain them in; everything else
keeps its order. Short lists and mappings of plain words stand on one line. Text is quoted wherever
any reader, of YAML 1.1 or 1.2, would take it for something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, cast

from atomiton.blueprint.model import Json
from atomiton.blueprint.scalars import INT_MAX, INT_MIN

__all__ = ["block_lines", "entry_lines", "flow", "in_order", "item_lines", "scalar", "to_yaml"]

_TOP: Final = (
    *("atomiton", "id", "name", "version", "description", "metadata"),
    *("inputs", "variables", "secrets", "defaults", "limits", "durability", "compensate_on"),
    *("triggers", "nodes", "on", "output", "layout"),
)
_NODE: Final = (
    *("name", "description", "enabled", "needs", "join", "if"),
    *("map", "as", "concurrency", "on_item_error", "loop"),
    *("uses", "call", "branch", "mode", "wait", "race", "nodes", "with", "output"),
    *("retry", "timeout", "deadline", "on_error", "compensate", "when_failed"),
    *("runtime", "cache", "weight"),
)
_NEVER_FLOW: Final = frozenset({"nodes", "with", "branch", "on", "inputs", "variables", "output"})
_WIDTH = 80
_LONGEST_KEY = 1000  # YAML reads no longer text as a key of the simple form

_PLAIN = re.compile(r"[A-Za-z0-9_$/.(\u00c0-\ud7ff][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*")
_BREAKS_PLAIN = re.compile(r":(?:\s|$)|\s#|\s$|[\ud800-\udfff\ufffe\uffff]")
_FLOW_SIGNS = re.compile(r"[,\[\]{}?]|:[^A-Za-z0-9/]")
_DOCUMENT_SIGN = re.compile(r"\.\.\.(?:\s|$)")
# Words that a reader of YAML 1.1 or 1.2 does not take for text.
_NOT_TEXT = re.compile(
    r"""
    (?i: ~ | null | true | false | yes | no | on | off | y | n | [-+]?\.inf | \.nan | = | << )
    | [-+]? 0b [0-1_]+ | [-+]? 0o? [0-7_]+ | [-+]? 0x [0-9a-fA-F_]+
    | [-+]? (?: [0-9][0-9_]* )? \.? [0-9_]* (?: [eE] [-+]? [0-9]+ )?
    | [-+]? [0-9][0-9_]* (?: : [0-5]?[0-9] )+ (?: \. [0-9_]* )?
    | [0-9]{4} - [0-9]{1,2} - [0-9]{1,2} (?: [Tt\ ] .* )?
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NOT_BLOCK = re.compile(
    "\\A[ \t\n]|^[ \t]+$|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", re.MULTILINE
)


def to_yaml(document: Mapping[str, Json]) -> str:
    r"""Write a document as YAML, which ``yaml.load`` reads as the same data.

    Args:
        document: Plain data, such as ``Blueprint.document``.

    Raises:
        ValueError: The data holds what the format cannot: other numbers than those of 64 bits,
            or half of a surrogate pair.

    Example:
        >>> print(to_yaml({"nodes": {"a": {"with": {"text": "no"}, "uses": "x"}}, "id": "hi"}))
        id: hi
        <BLANKLINE>
        nodes:
          a:
            uses: x
            with:
              text: "no"
        <BLANKLINE>
    """
    if not document:
        return "{}\n"
    lines: list[str] = []
    for key, value in _ordered(document, _TOP):
        if lines and key in ("inputs", "triggers", "nodes", "on", "output", "layout"):
            lines.append("")
        lines.extend(entry_lines(key, value, 0, (key,)))
    return "\n".join(lines) + "\n"


def in_order(document: Mapping[str, Json]) -> dict[str, Json]:
    """The same document with its keys in the order in which ``to_yaml`` writes them.

    What is in this order has the same hash before it is written and after it is read.

    Example:
        >>> in_order({"nodes": {"a": {"with": {"b": 1}, "uses": "x"}}, "id": "hi"})
        {'id': 'hi', 'nodes': {'a': {'uses': 'x', 'with': {'b': 1}}}}
    """
    return {key: _put_in_order(value, (key,)) for key, value in _ordered(document, _TOP)}


def _put_in_order(value: Json, path: tuple[str, ...]) -> Json:
    if isinstance(value, dict):
        entries = _ordered(value, _NODE) if _is_node(path) else list(value.items())
        return {key: _put_in_order(part, (*path, key)) for key, part in entries}
    if isinstance(value, list):
        return [_put_in_order(part, (*path, "-")) for part in value]
    return value


def _ordered(entries: Mapping[str, Json], order: tuple[str, ...]) -> list[tuple[str, Json]]:
    known = [(key, entries[key]) for key in order if key in entries]
    return known + [entry for entry in entries.items() if entry[0] not in order]


def _is_node(path: tuple[str, ...]) -> bool:
    """Whether a node stands at a path: keys of its body may be put in order."""
    if len(path) < 2:
        return False
    if path[-1] == "compensate":
        return _is_node(path[:-1])
    return path[-2] in ("nodes", "on") and (len(path) == 2 or _is_node(path[:-2]))


def entry_lines(key: str, value: Json, indent: int, path: tuple[str, ...]) -> list[str]:
    """The lines of one key with its value; a line may hold line breaks where text does.

    Args:
        key: The key.
        value: Its value.
        indent: Column of the key, from 0.
        path: Keys from the top of the document, with ``-`` for the items of lists.
    """
    space = " " * indent
    name = scalar(key)
    if len(name) > _LONGEST_KEY:
        name = f"? {name}\n{space}"  # the form for keys that do not fit the simple one
    if not _is_block(value, indent + len(name), path):
        return [f"{space}{name}: {_inline(value, indent)}"]
    deeper = block_lines(value, indent + 2, path)
    return [f"{space}{name}:", *deeper]


def block_lines(value: Json, indent: int, path: tuple[str, ...] = ("",)) -> list[str]:
    """The lines of a list or mapping that is not empty, each with its indentation.

    Args:
        value: The list or mapping.
        indent: Column of its entries, from 0.
        path: Keys from the top of the document, which decide on order and style.
    """
    lines: list[str] = []
    if isinstance(value, dict):
        entries = _ordered(value, _NODE) if _is_node(path) else list(value.items())
        for key, part in entries:
            lines.extend(entry_lines(key, part, indent, (*path, key)))
    elif isinstance(value, list):
        for part in value:
            lines.extend(item_lines(part, indent, (*path, "-")))
    return lines


def item_lines(value: Json, indent: int, path: tuple[str, ...]) -> list[str]:
    """The lines of one item of a list, as ``entry_lines`` gives those of a key."""
    space = " " * indent
    if not _is_block(value, indent + 2, path):
        return [f"{space}- {_inline(value, indent)}"]
    first, *rest = block_lines(value, indent + 2, path)
    return [f"{space}- {first[indent + 2 :]}", *rest]


def _is_block(value: Json, used: int, path: tuple[str, ...]) -> bool:
    """Whether a value takes lines of its own."""
    if not isinstance(value, dict | list) or not value:
        return False
    if path[-1] in _NEVER_FLOW or _is_node(path):
        return True
    parts: Iterable[Json] = value.values() if isinstance(value, dict) else value
    if not all(_is_short(part) for part in parts):
        return True
    return used + len(flow(value)) > _WIDTH


def _is_short(value: Json) -> bool:
    if isinstance(value, str):
        return "\n" not in value and "${{" not in value and len(value) <= _WIDTH
    return not isinstance(value, dict | list) or not value


def _inline(value: Json, indent: int) -> str:
    """A value that begins on the line of its key; text of several lines goes on below."""
    if isinstance(value, dict | list):
        return flow(value)
    if isinstance(value, str) and "\n" in value:
        return _block_text(value, indent) or _double(value)
    return scalar(value)


def _block_text(text: str, indent: int) -> str | None:
    if _NOT_BLOCK.search(text) or not text.strip("\n"):
        return None
    body = text.rstrip("\n")
    ending = len(text) - len(body)
    if ending > 1:  # blank lines at the end would run into those between sections
        return None
    sign = "|" if ending else "|-"
    space = " " * (indent + 2)
    lines = [f"{space}{line}" if line else "" for line in body.split("\n")]
    return "\n".join([sign, *lines])


def flow(value: Json) -> str:
    """Write a value on one line, as it may stand inside ``[ ]`` and ``{ }``."""
    if isinstance(value, dict):
        entries = (f"{scalar(key, inside=True)}: {flow(part)}" for key, part in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return scalar(value, inside=True)


def scalar(value: Json, *, inside: bool = False) -> str:
    """Write text, a number, a boolean or null on one line.

    Raises:
        ValueError: The value cannot be written.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise ValueError("the integer does not fit into 64 bits")
        return str(value)
    if isinstance(value, float):
        return _float(value)
    text = cast("str", value)
    return text if _may_be_plain(text, inside=inside) else _double(text)


def _may_be_plain(text: str, *, inside: bool) -> bool:
    return (
        len(text) <= _LONGEST_KEY * 10
        and _PLAIN.fullmatch(text) is not None
        and not _BREAKS_PLAIN.search(text)
        and not _NOT_TEXT.fullmatch(text)
        and not _DOCUMENT_SIGN.match(text)
        and not (inside and _FLOW_SIGNS.search(text))
    )


def _float(number: float) -> str:
    if number - number != 0:
        raise ValueError(f"{number} is not a number that JSON can hold")
    text = repr(number)
    mantissa, e, exponent = text.partition("e")
    # Readers of YAML 1.1 take a number without a point for text.
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text


def _double(text: str) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("the text holds half of a surrogate pair")
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\x{code:02X}" if code < 256 else f"\\u{code:04X}")
