"""What an unquoted YAML word means: the core schema of YAML 1.2.

YAML 1.1 reads ``no``, ``on``, ``12:30`` and ``2024-01-01`` as a boolean, a boolean, a number and a
date; in 1.2 all of them are text.
"""

from __future__ import annotations

import math
import re

CONSTANTS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
"""Words that are not text."""

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1

_NUMBER_STARTS = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST = 400  # digits; more cannot be a number of 64 bits that anybody writes


def resolve(word: str) -> bool | int | float | str | None:
    """Read an unquoted word.

    Raises:
        ValueError: The word is a number that JSON and 64 bits cannot hold.

    Example:
        >>> [resolve(word) for word in ("no", "0o17", "1e3", "~", "2024-01-01")]
        ['no', 15, 1000.0, None, '2024-01-01']
    """
    if word in CONSTANTS:
        return CONSTANTS[word]
    if word[0] not in _NUMBER_STARTS:
        return word
    return _number(word)


def _number(word: str) -> int | float | str:
    if _INT.fullmatch(word):
        return _bounded(word, 10)
    if _OCTAL.fullmatch(word):
        return _bounded(word[2:], 8)
    if _HEX.fullmatch(word):
        return _bounded(word[2:], 16)
    if _FLOAT.fullmatch(word):
        number = float(word)
        if math.isinf(number):
            raise ValueError("the number is larger than a 64-bit number can be")
        return number
    if _NOT_FINITE.fullmatch(word):
        raise ValueError(f"{word} is not a number that JSON can hold")
    return word


def _bounded(digits: str, base: int) -> int:
    if len(digits) <= _LONGEST:
        number = int(digits, base)
        if INT_MIN <= number <= INT_MAX:
            return number
    raise ValueError("the integer does not fit into 64 bits")
