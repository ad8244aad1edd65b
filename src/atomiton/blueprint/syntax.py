"""Sentences for what a YAML parser complains about, with a hint for the common slips."""

from __future__ import annotations

import re

BEGINNING = "a blueprint begins with `atomiton: 1`"
"""The hint for a text that holds no keys and values."""

_QUOTE = "put quotes around the value"
_QUOTE_EXPRESSION = (
    "put quotes around the whole value, as in \"${{ x ? 'a: b' : 'c' }}\", "
    "or write it after `key: >-` on a line of its own"
)
_TAB = "indent with spaces"


def explain(text: str, offset: int, context: str | None, problem: str) -> tuple[str, str | None]:
    """Say what a parser's complaint means, in one sentence, and how to mend it.

    Args:
        text: The whole text.
        offset: Index in ``text`` of the place of the complaint.
        context: What the parser was doing, such as ``while parsing a flow mapping``.
        problem: What the parser says.

    Returns:
        A sentence and a hint, which may be None.
    """
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)][:2000]
    before = text[max(start, offset - 2000) : offset]
    character = text[offset : offset + 1]
    context = context or ""
    if "cannot start any token" in problem:
        return _bad_start(character)
    if "mapping values are not allowed" in problem:
        return _stray_colon(line, before)
    if "expected ',' or" in problem or ("node content" in problem and "flow" in context):
        return _broken_flow(character, line, before, context)
    if "found unexpected end of stream" in problem or "document separator" in problem:
        return "a quoted text is not closed", "add the missing quote"
    if "expected key" in problem or "<block end>" in problem or "'-' indicator" in problem:
        return _broken_block(line, before)
    if "expected ':'" in problem:
        return "a key is not followed by a colon", "write `key: value`"
    if "block scalar" in context:
        return "text follows the sign of a block of text", f"{_QUOTE}, if it begins with | or >"
    if "escape" in problem:
        return (
            "a text in double quotes holds an unknown escape",
            "write \\\\ for a backslash, or use single quotes",
        )
    return _other(context, problem)


def _bad_start(character: str) -> tuple[str, str | None]:
    if character == "\t":
        return "a tab cannot be used here", _TAB
    return f"a value cannot begin with {character}", _QUOTE


def _stray_colon(line: str, before: str) -> tuple[str, str | None]:
    if re.match(r"\s*\t", line):
        return "a tab cannot be used here", _TAB
    if "${{" in before:
        return "an expression that holds `: ` must be quoted", _QUOTE_EXPRESSION
    if re.search(r":\s", before.lstrip()):
        return "a text that holds `: ` must be quoted", _QUOTE
    return (
        "a key stands where none can be",
        "check the indentation, and the colon of the line before",
    )


def _broken_flow(character: str, line: str, before: str, context: str) -> tuple[str, str | None]:
    told = "sequence" in context or "mapping" in context
    in_list = "sequence" in context if told else before.rfind("[") > before.rfind("{")
    close = "]" if in_list else "}"
    if "${{" in line:
        return (
            "an expression inside [ ] or { } must be quoted",
            'write it as "${{ ... }}", with the quotes',
        )
    if not character or character == "\n":
        return f"a {close} is missing", f"add {close}"
    return f"a comma or {close} is missing", f"separate entries with commas and close with {close}"


def _broken_block(line: str, before: str) -> tuple[str, str | None]:
    if re.search(r"""[:\-]\s+("[^"]*"|'[^']*')\s*$""", before):
        return (
            "text follows a quoted text",
            "put quotes around the whole value; write '' for a ' inside single quotes",
        )
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab cannot be used here", _TAB
    return (
        "the line does not fit the lines above it",
        "check its indentation: keys of one mapping begin in the same column",
    )


def _other(context: str, problem: str) -> tuple[str, str | None]:
    detail = f"{problem} {context}".strip()
    return f"the YAML is malformed: {detail}", None
