"""Code in lines that are not too long: a call on one line, or one argument a line."""

from __future__ import annotations

from typing import NamedTuple

WIDTH = 96


class Group(NamedTuple):
    """Something in brackets: ``open`` (with what stands before it), parts, ``close``."""

    open: str
    parts: tuple[Code, ...]
    close: str


class Chain(NamedTuple):
    """Calls of what calls give: ``f(a)(b)``."""

    links: tuple[Group, ...]


Code = str | Group | Chain


def behind(prefix: str, code: Code) -> Code:
    """The same code, with something right before it, such as ``name=``."""
    if isinstance(code, str):
        return prefix + code
    if isinstance(code, Group):
        return code._replace(open=prefix + code.open)
    first = code.links[0]
    return Chain((first._replace(open=prefix + first.open), *code.links[1:]))


def flat(code: Code) -> str:
    """The code on one line."""
    if isinstance(code, str):
        return code
    if isinstance(code, Group):
        return f"{code.open}{', '.join(map(flat, code.parts))}{code.close}"
    return "".join(map(flat, code.links))


def laid(code: Code, indent: int, more: int = 0) -> str:
    """The code as it stands behind ``indent`` blanks; ``more`` characters follow its end."""
    line = flat(code)
    if isinstance(code, str) or (indent + len(line) + more <= WIDTH and "\n" not in line):
        return line
    if isinstance(code, Chain):
        *first, last = code.links
        head = "".join(map(flat, first))
        if indent + len(head) + len(last.open) <= WIDTH:
            return head + _broken(last, indent)
        return "".join(_broken(link, indent) for link in code.links)
    return _broken(code, indent)


def _broken(code: Group, indent: int) -> str:
    if not code.parts:
        return flat(code)
    space = " " * (indent + 4)
    parts = "".join(f"{space}{laid(part, indent + 4, 1)},\n" for part in code.parts)
    return f"{code.open}\n{parts}{' ' * indent}{code.close}"


def quoted(text: str) -> str:
    r"""A text as Python has it, in double quotes where that needs no escapes.

    Example:
        >>> print(quoted("it's"), quoted('say "x"'), quoted("a\n"))
        "it's" 'say "x"' "a\n"
    """
    written = repr(text)
    if written.startswith("'") and '"' not in text:
        return f'"{written[1:-1]}"'
    return written
