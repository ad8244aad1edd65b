"""Running nodes: one activity for all node types."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from temporalio import activity
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from atomiton.drivers.answers import blot, blotted, error_info, stopped, without_secrets
from atomiton.drivers.masks import unmasked
from atomiton.drivers.program import Program
from atomiton.drivers.temporal.programs import Programs
from atomiton.drivers.temporal.scopes import put_up
from atomiton.drivers.temporal.sending import WORKER_STOPPED
from atomiton.drivers.temporal.wire import Done, Outcome, Start, Task, Work
from atomiton.errors import AtomitonError, NotFound
from atomiton.ports.calls import Attempt, Call
from atomiton.ports.runtime import Job, Runtime

_log = logging.getLogger("atomiton.nodes")
#: Most seconds between two signs of life.
_BEAT = 5.0
_NOT_NEEDED = "its result is not needed any more"


class Nodes:
    """Makes attempts.

    Args:
        programs: The blueprints.
        runtimes: Where plain functions run, by name.
        grace: Seconds between asking an attempt to stop and giving it up.
        converter: Reads what a workflow was started with, of a blueprint that is not known here.
    """

    def __init__(
        self,
        programs: Programs,
        runtimes: Mapping[str, Callable[[], Runtime]],
        client: Client,
        grace: float = 5.0,
    ) -> None:
        self._programs = programs
        self._factories = runtimes
        self._runtimes: dict[str, Runtime] = {}
        self._client = client
        self._grace = grace
        #: How many attempts are being made, and how many were.
        self.at_work = 0
        self.made = 0

    async def close(self) -> None:
        """Stop the runtimes."""
        for runtime in self._runtimes.values():
            await runtime.close()

    @activity.defn(dynamic=True)
    async def perform(self, args: Sequence[RawValue]) -> Done:
        """Make the attempts of an activity, at once."""
        work: Work = activity.payload_converter().from_payload(args[0].payload, Work)
        program = await self._program(work.digest)
        secrets = self._programs.secrets(program)
        making = [asyncio.create_task(self._make(program, work, of, secrets)) for of in work.tasks]
        beating = None if activity.info().is_local else asyncio.create_task(_beat())
        self.at_work += len(making)
        try:
            await asyncio.wait(making)
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            for task in making:
                task.cancel()
            await asyncio.wait(making, timeout=self._grace + 0.5)
            if activity.is_worker_shutdown() or details is None or details.worker_shutdown:
                raise ApplicationError("the worker has stopped", type=WORKER_STOPPED) from None
        finally:
            self.at_work -= len(making)
            self.made += len(making)
            if beating is not None:
                beating.cancel()
        given_up = Outcome(error=stopped("it did not stop when asked to, and was given up"))
        return Done([task.result() if task.done() else given_up for task in making])

    async def _program(self, digest: str) -> Program:
        known = self._programs.known(digest)
        if known is not None:
            return known
        info = activity.info()
        handle = self._client.get_workflow_handle(
            str(info.workflow_id), run_id=info.workflow_run_id
        )
        async for event in handle.fetch_history_events(page_size=1):
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            converter = self._client.data_converter
            (start,) = await converter.decode(payloads, [Start])
            try:
                return self._programs.get(digest, start.record)
            except AtomitonError as error:
                raise ApplicationError(error.message, type=error.code) from error
        raise NotFound(f"run {info.workflow_id} has no history")

    async def _make(
        self, program: Program, work: Work, task: Task, secrets: Mapping[str, str]
    ) -> Outcome:
        """Make one attempt."""
        place = (task.frame, task.number)
        spent: list[float] = []
        attempt = Attempt(
            work.run, task.node, task.attempt, task.deadline, time.time,
            _progress, _teller(work, task, secrets), secrets, place, spent.append,
        )  # fmt: skip
        step = program.steps[work.step]
        try:
            arguments = step.call.arguments(_parameters(program, work, task, secrets), attempt)
            given = await self._call(step.call, attempt, arguments)
            output = step.call.result(given)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # whatever a node raises is that node's end
            info = error_info(error)
            return Outcome(None, blotted(info, secrets) if secrets else info, sum(spent))
        return Outcome(blot(output, secrets) if secrets else output, None, sum(spent))

    async def _call(self, call: Call, attempt: Attempt, arguments: dict[str, object]) -> object:
        if call.is_async or call.runtime == "inline":
            try:
                given = call.function(**arguments)
                return await given if call.is_async else given  # type: ignore[misc]
            except asyncio.CancelledError:
                attempt.cancel(_NOT_NEEDED)
                raise
        ended: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def done(result: object, error: BaseException | None) -> None:
            if not ended.done():
                ended.set_result(result) if error is None else ended.set_exception(error)

        job = self._runtime(call.runtime).start(call.function, arguments, done)
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            if ended.done():
                raise
            attempt.cancel(_NOT_NEEDED)
            return await self._stop(job, ended)

    async def _stop(self, job: Job, ended: asyncio.Future[object]) -> object:
        """Ask a function to stop, and give it up if it does not."""
        job.cancel()
        await asyncio.wait([ended], timeout=self._grace)
        if not ended.done():
            job.abandon()
            raise asyncio.CancelledError("it did not stop when asked to, and was given up")
        return ended.result()

    def _runtime(self, name: str) -> Runtime:
        runtime = self._runtimes.get(name)
        if runtime is None:
            runtime = self._runtimes[name] = self._factories[name]()
        return runtime


def _parameters(
    program: Program, work: Work, task: Task, secrets: Mapping[str, str]
) -> dict[str, object]:
    """What a node is called on."""
    if task.parameters is not None:
        return task.parameters
    node = program.plan.uses[work.step]
    own: dict[str, object] = {}
    if task.scopes is not None:
        own = node.prepare(put_up(task.scopes, dict(secrets)))
    if task.changed is None:
        return own
    parameters = cast("dict[str, object]", unmasked(task.changed, secrets))
    parameters.update((name, value) for name, value in own.items() if callable(value))
    return parameters


async def _beat() -> None:
    """Give signs of life, which also bring word that the attempt is wanted no more."""
    timeout = activity.info().heartbeat_timeout
    pause = _BEAT if timeout is None else min(_BEAT, timeout.total_seconds() / 4)
    while True:
        await asyncio.sleep(pause)
        activity.heartbeat()


def _progress(fraction: float, message: str) -> None:
    with contextlib.suppress(RuntimeError):  # a thread of the node's own
        if activity.in_activity() and not activity.info().is_local:
            activity.heartbeat(fraction, message)


def _teller(work: Work, task: Task, secrets: Mapping[str, str]) -> Callable[[str, str], None]:
    def write(level: str, message: str) -> None:
        number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        _log.log(number, "%s %s: %s", work.run, task.node, without_secrets(message, dict(secrets)))

    return write
