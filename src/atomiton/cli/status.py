"""Exit statuses: part of the contract, scripts rely on them."""

from __future__ import annotations

from typing import Final

COMPLETED: Final = 0
FAILED: Final = 1
REFUSED: Final = 2
CANCELLED: Final = 3
WAITING: Final = 4
#: A bug in Atomiton; the number is EX_SOFTWARE of sysexits.
INTERNAL: Final = 70
INTERRUPTED: Final = 130
#: Whoever read the output went away: what a shell shows for SIGPIPE.
HUNG_UP: Final = 141


def status_of(run: str) -> int:
    """Exit status for the status of a run."""
    return {"completed": COMPLETED, "failed": FAILED, "cancelled": CANCELLED}.get(run, WAITING)
