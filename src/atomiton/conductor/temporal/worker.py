"""A worker: a process that drives runs and makes attempts for a Temporal server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from atomiton.conductor.library import Library
from atomiton.conductor.temporal.address import Place, check_namespace, open_client
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry
from atomiton.ports.runtime import Runtime

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import PayloadCodec
    from temporalio.worker import Worker, WorkflowRunner


#: Seconds that one step of a workflow may take. The library takes one for stuck after 2, and begins
#: it again: a map of a hundred thousand items, or a busy machine, would never get past it.
_STEP = 60
#: Seconds after which a worker that had a run in memory is taken for dead, and another goes on.
_AWAY = 5.0
#: Seconds within which the server answers who asks whether the worker takes work in.
_HEARD = 2.0


class WorkerSettings(msgspec.Struct, frozen=True):
    """What a worker is made of.

    Attributes:
        place: The server, and the task queue.
        nodes: Node functions, or files of them, beside the library's.
        secrets: Values by name; None for environment variables ``ATOMITON_SECRET_<NAME>``.
        codec: What else is done to payloads, by default what the environment wants; the conductors
            need the same.
        drain: Seconds for attempts at work when it stops.
        attempts: Most attempts at once.
        cached: How many runs are kept in memory between their steps; others are replayed. 0 is
            for tests, of runs without local activities: those are lost when nothing is kept.
        metrics: Where numbers are served for Prometheus, as HOST:PORT; empty for nowhere.
        build: Names the version of the code, for a server that routes runs by version.
        deployment: Names the deployment that the version is one of.
    """

    place: Place
    nodes: Sequence[object] = ()
    secrets: Mapping[str, str] | None = None
    codec: PayloadCodec | None = None
    drain: float = 10.0
    attempts: int = 100
    cached: int = 1000
    metrics: str = ""
    build: str = ""
    deployment: str = ""


def runner() -> WorkflowRunner:
    """What runs workflows: in Temporal's sandbox, which the machine is passed through.

    It keeps them from clocks, files and chance. What is pure by its own laws is not loaded again
    for each of them.
    """
    from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

    restrictions = SandboxRestrictions.default.with_passthrough_modules(
        "atomiton", "cronsim", "msgspec"
    )
    return SandboxedWorkflowRunner(restrictions=restrictions)


def patient(worker: Worker) -> None:
    """Let steps of workflows take longer: the machine never waits, it may have much to do."""
    # The library has no setting for it.
    steps = getattr(worker, "_workflow_worker", None)
    assert hasattr(steps, "_deadlock_timeout_seconds"), "where does temporalio keep it now?"
    setattr(steps, "_deadlock_timeout_seconds", _STEP)  # noqa: B010 - nobody else may set it


class TemporalWorker:
    """Drives the runs of a task queue and makes their attempts, while it is entered.

    Raises:
        AtomitonError: A file of node types registers hooks: nothing here would call them.
        StoreError: The extra is not installed.
        Unavailable: The server cannot be reached.

    Example:
        >>> async def main() -> None:
        ...     place = parse("temporal://127.0.0.1:7233/default?queue=orders")
        ...     async with TemporalWorker(WorkerSettings(place, nodes=["nodes.py"])) as worker:
        ...         await worker.stopped()
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._capabilities = Capabilities()
        self.library = Library(Registry.builtin(), self._capabilities, settings.nodes)
        if self.library.hooks:
            message = "hooks are not called for runs on Temporal: leave them out of --nodes"
            raise AtomitonError(message, code="NOT_SUPPORTED")
        self._client: Client | None = None
        self._why_not = "it has not begun"

    async def __aenter__(self) -> Self:
        """Begin to work."""
        settings, place = self._settings, self._settings.place
        client = await open_client(place, settings.codec, settings.metrics)

        from atomiton.drivers.temporal.activities import Nodes
        from atomiton.drivers.temporal.programs import Programs, serve

        programs = Programs(self.library.restore, self._secrets_of)
        self.nodes = Nodes(programs, self._runtimes(), client)
        self._unserve = serve(place.namespace, place.queue, programs)
        self._stop = asyncio.Event()
        self._worker = self._make(client)
        self._task = asyncio.create_task(self._worker.run())
        self._client, self._why_not = client, ""
        return self

    def _make(self, client: Client) -> Worker:
        from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
        from temporalio.worker import Worker, WorkerDeploymentConfig

        from atomiton.drivers.temporal.workflow import BlueprintWorkflow

        settings = self._settings
        deployment = None
        if settings.build:
            name = settings.deployment or settings.place.queue
            deployment = WorkerDeploymentConfig(
                version=WorkerDeploymentVersion(name, settings.build),
                use_worker_versioning=True,
                default_versioning_behavior=VersioningBehavior.PINNED,
            )
        worker = Worker(
            client,
            task_queue=settings.place.queue,
            workflows=[BlueprintWorkflow],
            activities=[self.nodes.perform],
            workflow_runner=runner(),
            max_cached_workflows=settings.cached,
            max_concurrent_activities=settings.attempts,
            max_heartbeat_throttle_interval=timedelta(seconds=1),
            default_heartbeat_throttle_interval=timedelta(seconds=1),
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=_AWAY),
            graceful_shutdown_timeout=timedelta(seconds=settings.drain),
            deployment_config=deployment,
        )
        patient(worker)
        return worker

    async def ready(self) -> str:
        """Say why it takes nothing in, in a few words; nothing if it does."""
        if self._client is None or self._why_not:
            return self._why_not
        if self._task.done():
            return "it has stopped"
        try:
            async with asyncio.timeout(_HEARD):
                await check_namespace(self._client, self._settings.place)
        except Exception as error:  # whatever is wrong there, a restart would not mend it
            return f"the Temporal server does not answer: {str(error) or 'it takes too long'}"
        return ""

    async def stopped(self) -> None:
        """Wait until it has stopped, for whatever reason; raises what ended it."""
        await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Take nothing new, and let what is at work end, or be lost when the time is over."""
        self._why_not = "it is stopping"
        await self._worker.shutdown()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and free everything."""
        if not self._task.done():
            await self.stop()
        await asyncio.wait([self._task])
        self._unserve()
        await self.nodes.close()
        await self._capabilities.aclose()
        if error is None:
            self._task.result()

    def _secrets_of(self, program: Program) -> dict[str, str]:
        names, given = program.plan.secrets, self._settings.secrets
        if given is not None:
            return {name: given[name] for name in names if name in given}
        values = ((name, os.environ.get(f"ATOMITON_SECRET_{name}")) for name in names)
        return {name: value for name, value in values if value is not None}

    def _runtimes(self) -> dict[str, Callable[[], Runtime]]:
        def thread() -> Runtime:
            from atomiton.runtimes.thread import ThreadRuntime

            return ThreadRuntime()

        def process() -> Runtime:
            from atomiton.runtimes.process import ProcessRuntime

            return ProcessRuntime(files=self.library.files)

        return {"thread": thread, "process": process}
