"""A run that was started: a handle to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError
from atomiton.events import RunEvent

if TYPE_CHECKING:
    from atomiton.conductor.api import RunApi
    from atomiton.conductor.stops import StepMode
    from atomiton.drivers.execution import Execution


class Run:
    """A run that was started: a handle.

    Attributes:
        id: Its id.
    """

    def __init__(self, conductor: RunApi, run: str) -> None:
        self._conductor = conductor
        self.id = run

    def __repr__(self) -> str:
        """Show the id."""
        return f"Run({self.id!r})"

    async def result(self) -> RunResult:
        """Wait for the run to end and sum it up."""
        return await self._conductor.result(self.id)

    def events(self, after: int = 0) -> AsyncIterator[RunEvent]:
        """Every fact from number ``after + 1`` on, as it happens, until the run ends."""
        return self._conductor.events(self.id, after)

    async def cancel(self, reason: str = "") -> None:
        """Ask the run to stop."""
        await self._conductor.cancel(self.id, reason)

    async def signal(self, name: str, payload: object = None, *, key: str = "") -> None:
        """Send the run a signal: a wait takes it, now or when it comes to wait."""
        await self._conductor.signal(self.id, name, payload, key=key)

    async def approve(
        self,
        node: str | None = None,
        *,
        approved: bool = True,
        by: str = "",
        comment: str = "",
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """Answer an approval; ``Conductor.approve`` says more."""
        await self._conductor.approve(
            self.id, node, approved=approved, by=by, comment=comment, fields=fields
        )

    async def pause(self) -> None:
        """Start nothing new until the run is resumed."""
        await self._conductor.pause(self.id)

    async def resume(self) -> None:
        """Let a paused run go on."""
        await self._conductor.resume(self.id)

    async def step(self, mode: StepMode = "into", node: str | None = None) -> None:
        """Let a paused run start one more attempt, or finish a node; ``Conductor.step``."""
        await self._conductor.step(self.id, mode=mode, node=node)


class DrivenRun(Run):
    """A run that was begun in this process, by who wants its result and nothing else of it.

    It keeps all of the run in memory, also when that has ended: the store is not asked then.
    """

    def __init__(self, conductor: RunApi, execution: Execution) -> None:
        super().__init__(conductor, execution.state.id)
        self._execution = execution

    async def result(self) -> RunResult:
        """Wait for the run to end and sum it up."""
        execution = self._execution
        if execution.stopped and execution.state.ended and execution.failure is None:
            return RunResult(execution.state)
        return await super().result()


def checked_id(run: object) -> str:
    """The id of a run; the handle that ``start`` gave is refused with what to pass instead.

    Raises:
        AtomitonError: It is no text.

    Example:
        >>> checked_id("run_1")
        'run_1'
    """
    if isinstance(run, str):
        return run
    what = "run.id, its id" if isinstance(run, Run) else "the id of a run, as text"
    raise AtomitonError(f"{run!r:.60} is no id of a run: pass {what}", code="INVALID_INPUT")
