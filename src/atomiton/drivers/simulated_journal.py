"""A journal in memory that can lose what a real one can: what it has not put on disk yet."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from atomiton.drivers.simulated_world import Violation


class SimulatedJournal:
    """The records of one run.

    Attributes:
        records: What was accepted, in order.
        durable: How many of them no crash can take away.
    """

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.durable = 0
        self._ends: list[int] = []

    def append(self, after: int, records: Sequence[bytes], *, sync: bool) -> None:
        """Add records, all or none, as ``ports.journal`` says."""
        if after != len(self.records):
            raise Violation("journal", f"{len(self.records)} records, appended after {after}")
        self.records.extend(records)
        self._ends.append(len(self.records))
        if sync:
            self.durable = len(self.records)

    def lose_power(self, draw: Random) -> None:
        """Lose any number of the latest commits that did not reach the disk."""
        ends = [end for end in self._ends if end >= self.durable]
        kept = draw.choice([self.durable, *ends])
        del self.records[kept:]
        self._ends = [end for end in self._ends if end <= kept]
        self.durable = kept
