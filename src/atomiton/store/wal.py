"""Reading SQLite's write-ahead log by itself: how much of it is whole, and what comes after.

SQLite takes the log up to the first frame whose checksum does not fit, and is silent about the
rest. That is right after a power loss, when the rest was promised to nobody; when something has
changed the file it is a loss that somebody should hear of.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

_HEADER = struct.Struct(">IIIIIIII")
_FRAME = struct.Struct(">IIIIII")
_MAGIC = 0x377F0682
_MASK = 0xFFFFFFFF


class Log(NamedTuple):
    """What a log holds.

    Attributes:
        frames: Pages in it that SQLite takes, up to the last commit that is whole.
        broken: Number, from 1, of the first frame that does not fit; None if all do.
        after: Commits of the same log that stand behind it, and that SQLite does not take.
    """

    frames: int
    broken: int | None = None
    after: int = 0


def examine_log(path: Path) -> Log:
    """Examine a log as it lies on disk; one that is not there, or empty, is whole.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Log(0)
    if len(content) < _HEADER.size:
        return Log(0)
    magic, _, size, _, salt1, salt2, sum1, sum2 = _HEADER.unpack_from(content)
    order = ">" if magic & 1 else "<"
    whole = magic & ~1 == _MAGIC and _sums(content[:24], order, 0, 0) == (sum1, sum2)
    if not whole or not size:
        # Nothing is taken from a log with such a head; what it names may be anything.
        return Log(0, broken=1, after=1) if any(content) else Log(0)
    return _frames(content, size, (salt1, salt2), order, (sum1, sum2))


def _frames(
    content: bytes, size: int, salts: tuple[int, int], order: str, sums: tuple[int, int]
) -> Log:
    taken, broken, after = 0, None, 0
    step = _FRAME.size + size
    for number, start in enumerate(range(_HEADER.size, len(content), step), 1):
        frame = content[start : start + step]
        if len(frame) < step:
            return Log(taken, broken or number, after)
        _, commit, salt1, salt2, sum1, sum2 = _FRAME.unpack_from(frame)
        if (salt1, salt2) != salts:
            if broken is None and not _follows(content, start + step, step, salts):
                break  # left from an earlier round of the log
            broken = broken or number
        fits = _sums(frame[_FRAME.size :], order, *_sums(frame[:8], order, *sums)) == (sum1, sum2)
        sums = (sum1, sum2)
        if not fits:
            broken = broken or number
        elif commit and broken is None:
            taken = number
        elif commit:
            after += 1
    return Log(taken, broken, after)


def _follows(content: bytes, start: int, step: int, salts: tuple[int, int]) -> bool:
    """Whether the next frame is of this round of the log."""
    if start + _FRAME.size > len(content):
        return False
    found = _FRAME.unpack_from(content, start)
    return (found[2], found[3]) == salts and start + step <= len(content)


def _sums(data: bytes, order: str, sum1: int, sum2: int) -> tuple[int, int]:
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        sum1 = (sum1 + first + sum2) & _MASK
        sum2 = (sum2 + second + sum1) & _MASK
    return sum1, sum2
