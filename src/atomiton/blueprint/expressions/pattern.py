"""Regular expressions in linear time, for ``matches()``.

The syntax is that of RE2 without Unicode classes. A pattern becomes a small non-deterministic
automaton (Thompson's), which is walked with all its states at once: no pattern and no text can
make it go back, so a match costs at most the length of the text times the size of the pattern.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from atomiton.blueprint.expressions.limits import Failure, Frame
from atomiton.blueprint.expressions.pattern_syntax import Part, PatternFault, parse_pattern

_MOST_STEPS: Final = 5000


class _State(msgspec.Struct):
    """A state: a set of characters to pass, an assertion to hold, or a fork."""

    part: Part | None
    to: tuple[int, ...]


class Pattern:
    """A compiled pattern; immutable."""

    __slots__ = ("_emitted", "_start", "_states")

    def __init__(self, text: str) -> None:
        self._states: list[_State] = [_State(None, ())]
        self._emitted = 0
        self._start = self._emit(parse_pattern(text), 0)

    @property
    def size(self) -> int:
        """How many states it has."""
        return len(self._states)

    def _state(self, part: Part | None, *to: int) -> int:
        self._states.append(_State(part, to))
        return len(self._states) - 1

    def _emit(self, part: Part, after: int) -> int:
        """Add the states of a part that leads to ``after``; return its first."""
        self._emitted += 1
        if self._emitted > _MOST_STEPS:
            raise PatternFault("the pattern is too large")
        match part.kind:
            case "all":
                for inner in reversed(part.parts):
                    after = self._emit(inner, after)
                return after
            case "any":
                return self._state(None, *[self._emit(inner, after) for inner in part.parts])
            case "repeat":
                return self._repeat(part, after)
            case _:
                return self._state(part, after)

    def _repeat(self, part: Part, after: int) -> int:
        inner = part.parts[0]
        if part.most is None:
            loop = self._state(None)
            self._states[loop].to = (self._emit(inner, loop), after)
            after = loop
        else:
            end = after
            for _ in range(part.most - part.least):
                after = self._state(None, self._emit(inner, after), end)
        for _ in range(part.least):
            after = self._emit(inner, after)
        return after

    def found_in(self, text: str, at: int, meter: Frame | None) -> bool:
        """Whether some part of ``text`` matches."""
        seen: dict[tuple[frozenset[int], str, str], tuple[frozenset[int], bool]] = {}
        start = frozenset((self._start,))
        current = start
        before = ""
        for position in range(len(text) + 1):
            char = text[position : position + 1]
            if meter is not None:
                meter.charge(1 + (len(current) >> 2), at)
            # The same states before the same character lead to the same ones.
            key = (current, before if before in ("", "\n") else " w"[_is_word(before)], char)
            known = seen.get(key)
            if known is None:
                if len(seen) > 1000:
                    seen.clear()
                if meter is not None:
                    meter.charge(1 + (len(self._states) >> 4), at)
                known = seen[key] = self._step(current, before, char)
            following, matched = known
            if matched:
                return True
            current = following | start
            before = char
        return False

    def _step(self, current: frozenset[int], before: str, char: str) -> tuple[frozenset[int], bool]:
        pending = list(current)
        reached: set[int] = set(pending)
        following: set[int] = set()
        while pending:
            place = pending.pop()
            if place == 0:
                return frozenset(), True
            state = self._states[place]
            part = state.part
            if part is not None and part.kind == "set":
                if char and part.accepts(char):
                    following.update(state.to)
                continue
            if part is not None and not _holds(part, before, char):
                continue
            for other in state.to:
                if other not in reached:
                    reached.add(other)
                    pending.append(other)
        return frozenset(following), False


def _is_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


def _holds(part: Part, before: str, char: str) -> bool:
    match part.kind:
        case "start":
            return not before
        case "end":
            return not char
        case "line start":
            return not before or before == "\n"
        case "line end":
            return not char or char == "\n"
        case "edge":
            return _is_word(before) is not _is_word(char)
        case _:
            return _is_word(before) is _is_word(char)


@lru_cache(maxsize=128)
def compiled(text: str) -> Pattern:
    """The pattern of a text.

    Raises:
        PatternFault: It is malformed, too large or beyond what is supported.
    """
    return Pattern(text)


def matches(arguments: list[object], at: int, meter: Frame | None) -> object:
    """``text.matches(pattern)``: whether some part of the text matches."""
    text, pattern = arguments
    if type(text) is not str or type(pattern) is not str:
        raise Failure(at, "matches() takes a string and a pattern")
    if meter is not None:
        # The same whether the pattern was compiled before or not.
        meter.charge(1 + (len(pattern) >> 3), at)
    try:
        program = compiled(pattern)
    except PatternFault as fault:
        raise Failure(at, f"the pattern is not usable: {fault.message}", fault.code) from None
    return program.found_in(text, at, meter)
