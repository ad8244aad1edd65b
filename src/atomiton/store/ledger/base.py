"""Transactions on what stands beside the runs, written once for every database.

A transaction is a generator that yields statements and is sent their rows. SQLite runs it in one
go in a thread of its own: it never holds the lock of the file while the event loop does other work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Row = tuple[Any, ...]
Statement = tuple[str, tuple[object, ...]]
"""Constant SQL, whose parameters are ``?1``, ``?2``, ..., and what they are."""
Steps = Generator[Statement, list[Row], T]


class Ledger(Protocol):
    """A database of small tables beside the runs. Every method may raise ``StoreError``."""

    async def open(self) -> None:
        """Make it ready: create its tables, or migrate older ones."""
        ...

    async def close(self) -> None:
        """Free everything."""
        ...

    async def do(self, steps: Callable[[], Steps[T]]) -> T:
        """Do a transaction: one at a time in all processes, all of it or nothing."""
        ...
