"""What a store does that can forget runs which have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

#: How a run can end.
ENDINGS: Final = ("completed", "failed", "cancelled")


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the runs that have ended may be deleted: those for which all of this holds.

    Attributes:
        ended_before: They ended before this moment, seconds since 1970, UTC; None for any.
        keep: So many of the newest ones that have ended, of these statuses, are kept.
        statuses: They ended so (completed, failed, cancelled); empty for any way.
    """

    ended_before: float | None = None
    keep: int = 0
    statuses: Sequence[str] = ()


class Forgetting(Protocol):
    """A journal that can forget. Every method may raise ``StoreError``."""

    async def prunable(
        self, retention: Retention, after: str = "", limit: int = 1000
    ) -> Sequence[str]:
        """Ids of runs that may be deleted, oldest first; ``after`` is the last one already seen."""
        ...

    async def delete(self, runs: Sequence[str]) -> int:
        """Delete runs with all that only they needed, all in one commit.

        Returns:
            How many there were. One that has not ended, or is not there, is left alone.
        """
        ...

    async def compact(self, told: Callable[[int], None]) -> None:
        """Give space that nothing needs back to the disk.

        Args:
            told: Called now and then with the number of bytes still to be given back.
        """
        ...
