"""Ctrl-C and friends: the first is a wish, the second is meant."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Self

from atomiton.cli.status import INTERRUPTED
from atomiton.nodes.guard.family import Family

#: The terminal was closed; not everywhere there is such a signal.
_HANGUP: int = getattr(signal, "SIGHUP", signal.SIGTERM)
_WATCHED = (signal.SIGINT, signal.SIGTERM, _HANGUP)
#: Signals on which the work is left as it is, to go on later.
LEAVING = frozenset({signal.SIGTERM, _HANGUP})
#: How often those who are still there are killed, before the process leaves.
_ROUNDS = 5


class Signals:
    """Notes the first signal for the event loop; the second ends the process on the spot.

    The handlers are Python's own and not the loop's: they are called even while a node keeps the
    loop busy.

    Args:
        restore: Puts the terminal back in order before the process is ended.
    """

    def __init__(self, restore: Callable[[], None]) -> None:
        self._restore = restore
        self._loop = asyncio.get_running_loop()
        self._before: dict[int, object] = {}
        self._seen: asyncio.Future[int] = self._loop.create_future()
        self._count = 0
        self._kept: list[str] = []

    def __enter__(self) -> Self:
        """Begin to listen; only the main thread of a process can."""
        if threading.current_thread() is threading.main_thread():
            for number in dict.fromkeys(_WATCHED):
                if number == _HANGUP and signal.getsignal(number) is signal.SIG_IGN:
                    continue  # started with nohup
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave signals as they were."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal gave before

    def keeps(self, run: str) -> None:
        """Note that a run is on record: whoever stops the process hard is told how it goes on."""
        self._kept.append(run)

    @property
    def seen(self) -> asyncio.Future[int]:
        """Resolved with the number of the first signal."""
        return self._seen

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            self._restore()
            kill_children()
            with suppress(OSError):  # nobody reads it
                os.write(2, f"{self._parting()}\n".encode())
            os._exit(INTERRUPTED)
        self._loop.call_soon_threadsafe(self._note, number)

    def _parting(self) -> str:
        if not self._kept:
            return "stopped at once"
        if len(self._kept) > 1:
            return "stopped at once; the runs are on record, look at them with: atomiton runs list"
        (run,) = self._kept
        # It may have been cancelled by now, or wait to go on: that is told there.
        return f"stopped at once; the run is on record, look at it with: atomiton runs show {run}"

    def _note(self, number: int) -> None:
        if not self._seen.done():
            self._seen.set_result(number)


def kill_children() -> None:
    """Kill the programs this process has started, and what they started; where /proc tells them."""
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            children = listing.read_text().split()
        except OSError:
            continue
        for child in map(int, children):
            family = Family(child)
            # More than once: what starts between the look and the signal is seen by the next look.
            for _ in range(_ROUNDS):
                if not family.signal(signal.SIGKILL):
                    break
