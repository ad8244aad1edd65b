"""The one API as a protocol: what a conductor in this process and one elsewhere have in common."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from atomiton.blueprint.model import Durability
from atomiton.conductor.result import RunResult
from atomiton.conductor.waits import Wait
from atomiton.errors import Problem
from atomiton.events import RunEvent
from atomiton.ports.journal import RunHeader

if TYPE_CHECKING:
    from atomiton.conductor.library import Source
    from atomiton.conductor.nodes import NodeInfo
    from atomiton.conductor.previewing import Previewed
    from atomiton.conductor.run import Run
    from atomiton.conductor.stops import NodeInputs, Standing, StepMode, Watched
    from atomiton.machine.events import Breakpoint
    from atomiton.ports.admission import DeadLetter, QueueSizes
    from atomiton.ports.blueprints import BlueprintInfo, BlueprintPage, StoredBlueprint
    from atomiton.ports.secrets import SecretInfo
    from atomiton.ports.triggers import Trigger


class Asked(msgspec.Struct, frozen=True):
    """An approval that somebody is waited for to answer.

    Attributes:
        run: Id of the run.
        blueprint: Id of its blueprint.
        wait: What is asked, and where.
    """

    run: str
    blueprint: str
    wait: Wait


class RunApi(Protocol):
    """What a handle to a run needs of a conductor."""

    async def result(self, run: str) -> RunResult:
        """Wait for a run to end and sum it up."""
        ...

    def events(self, run: str, after: int = 0) -> AsyncIterator[RunEvent]:
        """Every fact of a run from number ``after + 1`` on, in order, until the run ends."""
        ...

    async def cancel(self, run: str, reason: str = "", by: str = "") -> None:
        """Ask a run to stop."""
        ...

    async def pause(self, run: str, by: str = "") -> None:
        """Start nothing new until the run is resumed or stepped."""
        ...

    async def step(
        self,
        run: str,
        by: str = "",
        *,
        key: str = "",
        mode: StepMode = "into",
        node: str | None = None,
    ) -> None:
        """Let a paused run start one more attempt, or finish a node."""
        ...

    async def resume(self, run: str, by: str = "", *, lost: str | None = None) -> None:
        """Let a run go on."""
        ...

    async def signal(
        self, run: str, name: str, payload: object = None, by: str = "", *, key: str = ""
    ) -> None:
        """Send a signal to a run."""
        ...

    async def approve(
        self,
        run: str,
        node: str | None = None,
        *,
        approved: bool = True,
        by: str = "",
        comment: str = "",
        fields: Mapping[str, object] | None = None,
        key: str = "",
    ) -> None:
        """Answer an approval that a run waits for."""
        ...


class ConductorApi(RunApi, Protocol):
    """What can be done with blueprints and runs, wherever they are; see ``Conductor``."""

    async def run(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None = None,
        *,
        durability: Durability | None = None,
        key: str | None = None,
        priority: int = 0,
        lane: str = "",
        delay: float = 0.0,
    ) -> RunResult:
        """Run a blueprint to its end."""
        ...

    async def start(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None = None,
        *,
        durability: Durability | None = None,
        key: str | None = None,
        paused: bool = False,
        priority: int = 0,
        lane: str = "",
        delay: float = 0.0,
        breakpoints: Sequence[Breakpoint] | None = None,
    ) -> Run:
        """Start a run and return at once."""
        ...

    async def set_breakpoints(
        self, run: str, breakpoints: Sequence[Breakpoint], by: str = ""
    ) -> None:
        """Let a run stop before the attempts of some nodes, instead of those it had."""
        ...

    async def standing(self, run: str) -> Standing:
        """Where a run stands: whether it is paused, and at what."""
        ...

    async def node_inputs(self, run: str, node: str, *, at: int | None = None) -> NodeInputs:
        """What a node is to be called on."""
        ...

    async def change_inputs(
        self, run: str, node: str, parameters: Mapping[str, object], by: str = ""
    ) -> None:
        """Let a node of a paused run be called on other parameters."""
        ...

    async def watch(
        self,
        run: str,
        expressions: Sequence[str],
        *,
        at: int | None = None,
        node: str | None = None,
    ) -> builtins.list[Watched]:
        """Work out expressions over what a run has given so far."""
        ...

    async def fork(
        self,
        run: str,
        node: str,
        inputs: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        paused: bool = False,
    ) -> Run:
        """Start a new run that begins where another one came to a node."""
        ...

    async def retry(self, run: str, *, key: str | None = None, paused: bool = False) -> Run:
        """Start a new run that does what a failed or cancelled one did not."""
        ...

    async def show(self, run: str) -> RunResult:
        """Sum a run up as it is now."""
        ...

    async def header(self, run: str) -> RunHeader:
        """What a list of runs shows of one."""
        ...

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[RunHeader]:
        """Headers of stored runs, newest first."""
        ...

    async def matching(self, text: str, limit: int = 5) -> builtins.list[str]:
        """Ids of runs that begin or end with a text."""
        ...

    async def document(self, run: str) -> dict[str, object]:
        """The blueprint that a run is pinned to, as it is on record."""
        ...

    async def waits(self, run: str) -> builtins.list[Wait]:
        """What a run waits for."""
        ...

    async def approvals(self, limit: int = 100) -> builtins.list[Asked]:
        """The approvals that runs wait for."""
        ...

    async def queue_sizes(self) -> QueueSizes:
        """How many runs wait in the queue, and how many of it are under way."""
        ...

    async def dead_letters(
        self,
        *,
        blueprint: str | None = None,
        code: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[DeadLetter]:
        """Queued runs that have failed and were not replayed yet, newest first."""
        ...

    async def replay(self, run: str) -> Run:
        """Do again what a dead letter did not, as a new run."""
        ...

    async def triggers(self) -> builtins.list[Trigger]:
        """The triggers of all kept blueprints, by blueprint."""
        ...

    async def pause_trigger(self, trigger: str, *, paused: bool = True) -> None:
        """Let a trigger start nothing, or something again."""
        ...

    async def fire_trigger(
        self, trigger: str, inputs: Mapping[str, object] | None = None, *, key: str | None = None
    ) -> Run:
        """Start a run of a trigger's blueprint now."""
        ...

    async def publish(self, kind: str, data: object = None, *, key: str) -> builtins.list[Run]:
        """Tell of an event: every trigger of its kind that is not paused starts a run."""
        ...

    async def set_secret(self, name: str, value: str) -> None:
        """Keep a secret, sealed."""
        ...

    async def secrets(self) -> builtins.list[SecretInfo]:
        """The names of the kept secrets; never what they are."""
        ...

    async def delete_secret(self, name: str) -> None:
        """Keep a secret no more."""
        ...

    async def preview(
        self,
        run: str,
        text: str,
        *,
        node: str = "",
        bare: bool = False,
        over: str | None = None,
        item: int = 0,
    ) -> Previewed:
        """What an expression would give over the data of a run; nothing is run."""
        ...

    async def validate(self, source: str) -> Sequence[Problem]:
        """Check the text of a blueprint; gives every problem, and runs nothing."""
        ...

    async def save_blueprint(
        self, source: str, *, expected: str | None = None, draft_of: str | None = None
    ) -> BlueprintInfo:
        """Keep a blueprint under its id."""
        ...

    async def blueprint(self, id: str, revision: int | None = None) -> StoredBlueprint:  # noqa: A002
        """Give a blueprint that is kept."""
        ...

    async def blueprints(
        self,
        *,
        search: str | None = None,
        tag: str | None = None,
        deleted: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> BlueprintPage:
        """List the blueprints that are kept, by id."""
        ...

    async def blueprint_history(
        self,
        id: str,  # noqa: A002 - the key of the format
        *,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[BlueprintInfo, ...]:
        """The revisions of a blueprint, newest first."""
        ...

    async def restore_blueprint(
        self,
        id: str,  # noqa: A002 - the key of the format
        revision: int,
        *,
        expected: str | None = None,
    ) -> BlueprintInfo:
        """Make an earlier revision the newest one."""
        ...

    async def delete_blueprint(self, id: str, *, expected: str | None = None) -> None:  # noqa: A002
        """Take a blueprint off the list."""
        ...

    async def undelete_blueprint(self, id: str) -> BlueprintInfo:  # noqa: A002
        """Bring back a deleted blueprint."""
        ...

    async def nodes(self) -> builtins.list[NodeInfo]:
        """The node types that blueprints can use."""
        ...
