"""A program and everything it started: who is still there, and a signal to all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple


class _State(NamedTuple):
    pid: int
    parent: int
    session: int
    started: str


class Family:
    """The processes that descend from one which leads a session of its own.

    On Linux that includes those that left the session or the process group; elsewhere it is the
    process group.

    Args:
        leader: Id of the process; it leads a session and a process group.
    """

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._seen: dict[int, str] = {}

    def signal(self, number: int) -> bool:
        """Send a signal to everyone, 0 to only ask; whether somebody was there."""
        if sys.platform == "win32":
            return False
        if sys.platform != "linux":
            return _signal_group(self._leader, number)
        alive = self._alive()
        if number:
            for pid in alive:
                try:
                    os.kill(pid, number)
                except (ProcessLookupError, PermissionError):
                    # It ended meanwhile, or became somebody else's by its own doing.
                    continue
        return bool(alive)

    def _alive(self) -> list[int]:
        """Everyone who descends from the leader, or did when last looked at."""
        states = list(_processes())
        # A child whose parent ended belongs to the system now: remembered by its start.
        found = {s.pid for s in states if self._seen.get(s.pid) == s.started}
        found |= {s.pid for s in states if s.session == self._leader or s.pid == self._leader}
        grown = True
        while grown:
            more = {s.pid for s in states if s.parent in found} - found
            found |= more
            grown = bool(more)
        self._seen |= {s.pid: s.started for s in states if s.pid in found}
        return sorted(found)


def _processes() -> Iterator[_State]:
    """All processes of a Linux machine but the zombies."""
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stream:
                text = stream.read().decode(errors="replace")
        except OSError:
            continue  # it ended while we were looking
        # The name of the program is in parentheses, and may hold some itself.
        fields = text.rpartition(")")[2].split()
        if fields[0] not in "ZX":
            yield _State(int(name), int(fields[1]), int(fields[3]), fields[19])


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; whether there still is one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # macOS does not permit signals to a group that only holds zombies.
        return False
    return True
