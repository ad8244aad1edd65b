"""Regular expressions in linear time, by RE2: no pattern and no text can make it go back.

Their syntax is that of ``matches()`` in expressions, and a little more: Unicode classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, TypedDict

from atomiton.errors import NodeError

if TYPE_CHECKING:
    import re2

#: Longest pattern, as in expressions.
LONGEST = 1000
#: Most characters of a text that patterns are looked for in.
MOST_TEXT = 64 * 1024 * 1024


class Match(TypedDict):
    """A part of a text that fits a pattern; `groups` that took no part in it are null."""

    text: str
    start: int
    end: int
    groups: list[str | None]
    named: dict[str, str | None]


@lru_cache(maxsize=64)
def compiled(pattern: str, *, ignore_case: bool = False) -> re2._Regexp[str]:  # pyright: ignore[reportPrivateUsage]
    """A pattern, ready to be looked for.

    Raises:
        NodeError: It is malformed or too long (INVALID_INPUT), or RE2 is not installed.
    """
    try:
        import re2
    except ModuleNotFoundError:
        raise NodeError(
            "patterns need google-re2: pip install 'atomiton[text]'", code="NOT_SUPPORTED"
        ) from None
    if len(pattern) > LONGEST:
        raise NodeError(f"the pattern has more than {LONGEST} characters", code="INVALID_INPUT")
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False  # they are ours to tell
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        shown = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise NodeError(
            f"the pattern {pattern[:200]!r} is not usable: {shown}; it is written as RE2 has it, "
            "without looking around and back references",
            code="INVALID_INPUT",
            details={"parameter": "pattern"},
        ) from None


def find_all(text: str, pattern: str, *, ignore_case: bool, limit: int) -> list[Match]:
    """The parts of a text that fit a pattern, none over another, in their order."""
    program = compiled(pattern, ignore_case=ignore_case)
    names = {number: name for name, number in program.groupindex.items()}
    return [_match(found, names) for found in islice(program.finditer(text), limit)]


def _match(found: re2._Match[str], names: Mapping[int, str]) -> Match:  # pyright: ignore[reportPrivateUsage]
    groups: list[str | None] = list(found.groups())
    return {
        "text": found.group(),
        "start": found.start(),
        "end": found.end(),
        "groups": groups,
        "named": {names[n]: part for n, part in enumerate(groups, 1) if n in names},
    }


def parts_between(text: str, pattern: str, *, ignore_case: bool, limit: int) -> list[str]:
    """What stands between the parts that fit a pattern; at most ``limit`` cuts are made.

    A pattern that fits nothing at all, such as ``x*``, cuts nowhere where it does.
    """
    parts: list[str] = []
    last = cuts = 0
    for found in compiled(pattern, ignore_case=ignore_case).finditer(text):
        if cuts == limit:
            break
        if found.end() > found.start():
            parts.append(text[last : found.start()])
            last, cuts = found.end(), cuts + 1
    return [*parts, text[last:]]


def replaced(
    text: str, pattern: str, replacement: str, *, ignore_case: bool, limit: int
) -> tuple[str, int]:
    """The text with what fits replaced, and how often.

    Args:
        text: The text.
        pattern: What to look for.
        replacement: What to put there; ``$1``, ``$name`` and ``${name}`` stand for groups, ``$0``
            for all that fits, ``$$`` for a dollar sign.
        ignore_case: Whether small and capital letters are the same.
        limit: Most replacements.

    Raises:
        NodeError: The pattern is not usable, or has no such group.
    """
    program = compiled(pattern, ignore_case=ignore_case)
    pieces = _pieces(replacement, program.groupindex, program.groups)
    parts: list[str] = []
    last = count = size = 0
    for found in islice(program.finditer(text), limit):
        filled = [it if isinstance(it, str) else found.group(it) or "" for it in pieces]
        parts += [text[last : found.start()], *filled]
        size += sum(map(len, filled))
        if size > MOST_TEXT:
            raise NodeError(
                f"the text would have more than {MOST_TEXT} characters", code="LIMIT_EXCEEDED"
            )
        last, count = found.end(), count + 1
    return "".join([*parts, text[last:]]), count


def _pieces(replacement: str, names: dict[str, int], groups: int) -> list[str | int]:
    """A replacement as texts and the numbers of groups."""
    pieces: list[str | int] = []
    last = 0
    for found in compiled(r"\$(?:(\$)|(\d{1,3})|(\w+)|\{(\w+)\})").finditer(replacement):
        pieces.append(replacement[last : found.start()])
        last = found.end()
        dollar, number, plain, braced = found.groups()
        name = number or plain or braced
        if dollar:
            pieces.append("$")
        elif name in names:
            pieces.append(names[name])
        elif name.isdigit() and int(name) <= groups:
            pieces.append(int(name))
        else:
            raise NodeError(
                f"the pattern has no group ${name}; write $$ for a dollar sign",
                code="INVALID_INPUT",
                details={"parameter": "replacement"},
            )
    return [*pieces, replacement[last:]]
