"""Who does what a verb asks for: this process, or the main process of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from atomiton.conductor import Conductor
from atomiton.machine import RunState
from atomiton.machine.events import Event
from atomiton.machine.progress import ProgressMeter

if TYPE_CHECKING:
    from atomiton.cli.mirrors import Elsewhere  # most verbs find no main process
    from atomiton.conductor.mirroring import Mirroring


class Driven(Protocol):
    """What is shown of a run while it is under way: an ``Execution``, or what mirrors one."""

    @property
    def state(self) -> RunState:
        """Where the run is."""
        ...

    @property
    def facts(self) -> Sequence[Event]:
        """Every fact so far."""
        ...

    @property
    def saved(self) -> int:
        """How many of them are on record."""
        ...

    @property
    def meter(self) -> ProgressMeter:
        """How far it is."""
        ...


Reached: TypeAlias = "Conductor | Elsewhere"
"""Who does what a verb asks for: this process, or the main process of the store."""


def driven(conductor: Reached, run: str) -> Driven | None:
    """A run that is followed: as it is driven here, or as those tell who drive it."""
    there = mirroring(conductor)
    if there is not None:
        return there.mirrors.get(run)
    assert isinstance(conductor, Conductor)
    return conductor.driver.runs.get(run)


def mirroring(conductor: Reached) -> Mirroring | None:
    """The conductor, if others drive its runs: the main process, or workers of Temporal."""
    return cast("Mirroring", conductor) if hasattr(conductor, "mirrors") else None
