"""Who did what: a line of JSON for each request that changes something, is refused, or logs in."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path

import msgspec

#: Name of the log, in the folder of the tokens.
FILE = "audit.jsonl"
#: Bytes after which a log is put aside; one older log is kept.
LARGEST = 16 * 1024 * 1024


class AuditLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request.

    Attributes:
        time: Seconds since 1970, UTC.
        who: Name of the token, or of the way in; empty if nobody knows.
        role: What the asker may do.
        method, path: What was asked for; never what was sent along. ``CLI`` and the verb for what
            the command line did to the tokens by itself.
        status: What was answered; 200 for the command line.
        run: The run that came of it.
    """

    time: float
    who: str
    role: str
    method: str
    path: str
    status: int
    run: str = ""


class Audit:
    """The log of a server, in a file that only its user can read.

    Args:
        file: Its place; its folder exists.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._old = file.with_suffix(".old.jsonl")

    def note(self, who: str, role: str, method: str, path: str, status: int, run: str = "") -> None:
        """Write a line; whole lines, also with several servers."""
        line = AuditLine(time.time(), who, role, method, path[:300], status, run)
        encoded = msgspec.json.encode(line) + b"\n"
        opened = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(opened, encoded)
            large = os.fstat(opened).st_size > LARGEST
        finally:
            os.close(opened)
        if large:
            self._file.replace(self._old)

    def last(self, limit: int) -> list[AuditLine]:
        """The latest lines, newest first."""
        lines: deque[bytes] = deque(maxlen=limit)
        for file in (self._old, self._file):
            if file.exists():
                with file.open("rb") as opened:
                    lines.extend(opened)
        found: list[AuditLine] = []
        for line in reversed(lines):
            try:
                found.append(msgspec.json.decode(line, type=AuditLine))
            except (msgspec.MsgspecError, ValueError):
                continue  # cut off as the machine lost its power
        return found
