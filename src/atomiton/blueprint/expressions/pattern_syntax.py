"""The syntax of regular expressions: that of RE2, without Unicode classes."""

from __future__ import annotations

from typing import Final

import msgspec

from atomiton.blueprint.expressions.limits import LIMIT

_LONGEST: Final = 1000
_DEEPEST: Final = 50
_MOST_TURNS: Final = 1000

Range = tuple[int, int]

_LAST: Final = 0x10FFFF
_DIGIT: Final[tuple[Range, ...]] = ((48, 57),)
_UPPER: Final[tuple[Range, ...]] = ((65, 90),)
_LOWER: Final[tuple[Range, ...]] = ((97, 122),)
_WORD: Final[tuple[Range, ...]] = (*_DIGIT, *_UPPER, (95, 95), *_LOWER)
_SPACE: Final[tuple[Range, ...]] = ((9, 10), (12, 13), (32, 32))
_PUNCTUATION: Final[tuple[Range, ...]] = ((33, 47), (58, 64), (91, 96), (123, 126))
_CLASSES: Final = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_NAMED: Final[dict[str, tuple[Range, ...]]] = {
    "alpha": (*_UPPER, *_LOWER),
    "digit": _DIGIT,
    "alnum": (*_DIGIT, *_UPPER, *_LOWER),
    "upper": _UPPER,
    "lower": _LOWER,
    "space": ((9, 13), (32, 32)),
    "punct": _PUNCTUATION,
    "xdigit": (*_DIGIT, (65, 70), (97, 102)),
    "word": _WORD,
}
_CONTROL: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_ASSERTIONS: Final = {"b": "edge", "B": "no edge", "A": "start", "z": "end"}


class PatternFault(Exception):
    """The pattern cannot be used."""

    def __init__(self, message: str, code: str = "EXPRESSION_ERROR") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Part(msgspec.Struct, frozen=True):
    """A part of a pattern.

    Attributes:
        kind: ``all`` and ``any`` of the parts, ``repeat`` of the one part, ``set`` of characters,
            or the name of an assertion.
        parts: The parts inside.
        ranges: The characters of a set, as code points.
        fold: Whether upper and lower case are the same.
        least: Fewest turns of a repeat.
        most: Most turns of a repeat; None for no limit.
    """

    kind: str
    parts: tuple[Part, ...] = ()
    ranges: tuple[Range, ...] = ()
    fold: bool = False
    least: int = 0
    most: int | None = None

    def accepts(self, char: str) -> bool:
        """Whether the character is in the set."""
        point = ord(char)
        if any(low <= point <= high for low, high in self.ranges):
            return True
        if not self.fold:
            return False
        others = {ord(other) for other in (char.lower(), char.upper()) if len(other) == 1}
        return any(low <= other <= high for low, high in self.ranges for other in others)


def parse_pattern(text: str) -> Part:
    """Parse a pattern.

    Raises:
        PatternFault: It is malformed, too large or beyond what is supported.
    """
    if len(text) > _LONGEST:
        raise PatternFault(f"it has more than {_LONGEST} characters", LIMIT)
    parser = _Parser(text)
    part = parser.choice(0)
    if parser.position < len(text):
        raise PatternFault("')' without '('")
    return part


def _inverse(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    found: list[Range] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        found.append((start, _LAST))
    return tuple(found)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.flags: frozenset[str] = frozenset()

    def take(self, wanted: str) -> bool:
        found = self.text.startswith(wanted, self.position)
        if found:
            self.position += len(wanted)
        return found

    def next(self) -> str:
        if self.position >= len(self.text):
            raise PatternFault("it ends too early")
        self.position += 1
        return self.text[self.position - 1]

    def set(self, ranges: tuple[Range, ...]) -> Part:
        return Part("set", ranges=ranges, fold="i" in self.flags)

    def choice(self, depth: int) -> Part:
        if depth > _DEEPEST:
            raise PatternFault("it is nested too deeply", LIMIT)
        outer = self.flags
        parts = [self.sequence(depth)]
        while self.take("|"):
            parts.append(self.sequence(depth))
        self.flags = outer
        return parts[0] if len(parts) == 1 else Part("any", parts=tuple(parts))

    def sequence(self, depth: int) -> Part:
        parts: list[Part] = []
        while self.position < len(self.text) and self.text[self.position] not in "|)":
            part = self.atom(depth)
            if part is not None:
                parts.append(self.repeated(part))
        return Part("all", parts=tuple(parts))

    def repeated(self, part: Part) -> Part:
        limits = self.limits()
        if limits is None:
            return part
        self.take("?")
        if self.limits() is not None:
            raise PatternFault("a repeat of a repeat")
        least, most = limits
        return Part("repeat", parts=(part,), least=least, most=most)

    def limits(self) -> tuple[int, int | None] | None:
        for sign, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self.take(sign):
                return least, most
        if not self.take("{"):
            return None
        end = self.text.find("}", self.position)
        low, comma, high = self.text[self.position : max(end, self.position)].partition(",")
        if not (low.isascii() and low.isdigit() and (not high or high.isdigit())):
            # As in RE2, a brace that says no number stands for itself.
            self.position -= 1
            return None
        self.position = end + 1
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if max(least, most or 0) > _MOST_TURNS or (most is not None and most < least):
            raise PatternFault(f"a repeat of {low}{comma}{high} turns")
        return least, most

    def atom(self, depth: int) -> Part | None:
        char = self.next()
        match char:
            case "(":
                return self.group(depth)
            case "[":
                return self.bracket()
            case ".":
                return self.set(((0, _LAST),) if "s" in self.flags else ((0, 9), (11, _LAST)))
            case "^":
                return Part("line start" if "m" in self.flags else "start")
            case "$":
                return Part("line end" if "m" in self.flags else "end")
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise PatternFault(f"'{char}' repeats nothing")
            case _:
                return self.set(((ord(char), ord(char)),))

    def group(self, depth: int) -> Part | None:
        outer = self.flags
        if self.take("?"):
            if self.take("P<") or (
                self.text[self.position : self.position + 1] == "<" and self.named()
            ):
                while self.next() != ">":
                    pass
            elif not self.take(":") and not self.change():
                return None
        part = self.choice(depth + 1)
        if not self.take(")"):
            raise PatternFault("'(' without ')'")
        self.flags = outer
        return part

    def named(self) -> bool:
        self.position += 1
        if self.text[self.position : self.position + 1] in ("=", "!"):
            raise PatternFault("looking behind is not supported", "NOT_SUPPORTED")
        return True

    def change(self) -> bool:
        """Read flags; whether a group follows them."""
        flags = set(self.flags)
        adding = True
        while True:
            char = self.next()
            if char in "imsU":
                (flags.add if adding else flags.discard)(char)
            elif char == "-" and adding:
                adding = False
            elif char in ":)":
                self.flags = frozenset(flags)
                return char == ":"
            else:
                raise PatternFault(f"'(?{char}' is not supported", "NOT_SUPPORTED")

    def escape(self) -> Part:
        char = self.next()
        if char in _ASSERTIONS:
            return Part(_ASSERTIONS[char])
        return self.set(self.escaped(char))

    def escaped(self, char: str) -> tuple[Range, ...]:
        if char in _CLASSES:
            return _CLASSES[char]
        if char.lower() in _CLASSES:
            return _inverse(_CLASSES[char.lower()])
        if char in _CONTROL:
            return ((_CONTROL[char], _CONTROL[char]),)
        if char == "x":
            return self.hexadecimal()
        if char.isalnum():
            raise PatternFault(f"'\\{char}' is not supported", "NOT_SUPPORTED")
        return ((ord(char), ord(char)),)

    def hexadecimal(self) -> tuple[Range, ...]:
        if self.take("{"):
            digits = ""
            while (char := self.next()) != "}":
                digits += char
        else:
            digits = self.next() + self.next()
        try:
            point = int(digits, 16)
        except ValueError:
            point = -1
        if not 0 <= point <= _LAST or not digits.isalnum():
            raise PatternFault(f"'\\x{digits[:10]}' is no character")
        return ((point, point),)

    def bracket(self) -> Part:
        negated = self.take("^")
        ranges: list[Range] = []
        first = True
        while first or not self.take("]"):
            first = False
            low = self.member()
            if (
                len(low) == 1
                and low[0][0] == low[0][1]
                and self.text[self.position + 1 :][:1] != "]"
            ) and self.take("-"):
                high = self.member()
                if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise PatternFault("a range of characters that is none")
                low = ((low[0][0], high[0][0]),)
            ranges.extend(low)
        found = tuple(ranges)
        if negated and "i" in self.flags:
            # Folding a set that was turned inside out would let everything in.
            cased = [chr(c) for low, high in found for c in range(low, min(high, low + 512) + 1)]
            more = [o for c in cased for o in (c.lower(), c.upper()) if len(o) == 1]
            found = (*found, *((ord(o), ord(o)) for o in more))
            return Part("set", ranges=_inverse(found))
        return self.set(_inverse(found) if negated else found)

    def member(self) -> tuple[Range, ...]:
        if self.take("[:"):
            end = self.text.find(":]", self.position)
            name = self.text[self.position : max(end, self.position)]
            negated = name.startswith("^")
            ranges = _NAMED.get(name.removeprefix("^"))
            if ranges is None:
                raise PatternFault(f"no class '[:{name[:20]}:]'")
            self.position = end + 2
            return _inverse(ranges) if negated else ranges
        char = self.next()
        return self.escaped(self.next()) if char == "\\" else ((ord(char), ord(char)),)
