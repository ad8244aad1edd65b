"""The workflow: one for all blueprints. The machine decides, Temporal remembers."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    import asyncio

    import msgspec

    from atomiton.drivers.temporal.driving import Driving
    from atomiton.drivers.temporal.programs import served
    from atomiton.drivers.temporal.scheduled import request_of
    from atomiton.drivers.temporal.wire import (
        BESIDE,
        BUSY,
        FACTS,
        FULL,
        HEAD,
        PAGE,
        TELL,
        WORKFLOW,
        Ended,
        FactsPage,
        Head,
        Start,
        pack,
        unpack,
    )
    from atomiton.errors import AtomitonError, ErrorInfo, IllegalEvent
    from atomiton.machine.events import Event
    from atomiton.machine.records import decode, encode

#: Seconds after which a message is looked at again that does not fit.
_SOON = 0.001


@workflow.defn(name=WORKFLOW)
class BlueprintWorkflow:
    """A run of a blueprint."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        self._start = start
        self._driving: Driving | None = None
        self._refused: AtomitonError | None = None
        info = workflow.info()
        try:
            programs = served(info.namespace, info.task_queue)
            program = programs.get(start.digest, start.record)
        except AtomitonError as error:
            self._refused = error
            return
        self._driving = Driving(program, start.options)

    @workflow.run
    async def run(self, start: Start) -> Ended:
        """Drive the run to its end."""
        driving = self._driving
        if driving is None:
            # Another worker may know the node types: the task is tried again, there or later.
            raise RuntimeError(f"this worker cannot run it: {self._refused}")
        self._begin(driving, start)
        while True:
            try:
                await workflow.wait_condition(lambda: driving.finish is not None or driving.leaving)
            except asyncio.CancelledError:  # asked for by Temporal's own means
                driving.cancel("cancelled in Temporal")
                continue
            break
        await workflow.wait_condition(workflow.all_handlers_finished)
        if driving.finish is None:
            self._go_on(driving)
        return self._end(driving)

    def _begin(self, driving: Driving, start: Start) -> None:
        if start.carried:
            driving.recover(unpack(start.carried), fresh=start.fresh)
        elif start.request is not None:
            driving.feed(request_of(start.request, start.scheduled_at))

    def _go_on(self, driving: Driving) -> None:
        """Go on in a new history."""
        driving.close()
        start = self._start
        workflow.continue_as_new(
            Start(start.record, start.digest, start.options, carried=pack(driving.facts))
        )

    def _end(self, driving: Driving) -> Ended:
        """The run has ended: so does the workflow, in the same way."""
        driving.close()
        driving.show(driving.head())
        finish = driving.finish
        assert finish is not None
        packed = pack(driving.facts)
        facts = packed if len(packed) <= BESIDE else ""
        if finish.status == "completed":
            if not facts and len(packed) + len(msgspec.json.encode(finish.output)) <= FULL:
                facts = packed
            return Ended(finish.output, facts)
        error = finish.error or ErrorInfo("CANCELLED", "cancelled")
        if finish.status == "cancelled" and workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError(error.message)
        raise ApplicationError(error.message, facts, type=error.code, non_retryable=True)

    @workflow.query(name=FACTS)
    def facts(self, after: int) -> FactsPage:
        """Facts after a number: as many as one answer holds."""
        driving = self._known()
        chosen: list[Event] = []
        size = 0
        for fact in driving.facts[after:]:
            size += len(encode(fact))
            if chosen and size > PAGE:
                break
            chosen.append(fact)
        return FactsPage(pack(chosen), len(driving.facts), driving.finish is not None)

    @workflow.query(name=HEAD)
    def head(self) -> Head:
        """How the run stands."""
        return self._known().head()

    @workflow.update(name=TELL)
    async def tell(self, record: bytes) -> int:
        """Take a wish; gives the number of facts that there are then."""
        event = decode(record)
        try:
            return await self._take(event)
        except IllegalEvent:
            # The library tells of messages first: what makes this one fit may have come with it.
            await asyncio.sleep(_SOON)
        except AtomitonError as error:
            raise ApplicationError(error.message, type=error.code, non_retryable=True) from error
        try:
            return await self._take(event)
        except AtomitonError as error:
            raise ApplicationError(error.message, type=error.code, non_retryable=True) from error

    async def _take(self, event: Event) -> int:
        driving = self._known()
        await workflow.wait_condition(lambda: driving.listens)
        if driving.finish is not None:
            message = f"run {driving.state.id} has ended: {driving.state.status}"
            raise ApplicationError(message, type="NOT_ALLOWED", non_retryable=True)
        driving.tell(event)
        return len(driving.facts)

    @tell.validator
    def _is_certain(self, record: bytes) -> None:  # noqa: ARG002 - the protocol's
        """Take no message between the end of a pure node and the moment when that is known."""
        if self._driving is not None and self._driving.uncertain:
            raise ApplicationError("the run is busy: send it again", type=BUSY)

    def _known(self) -> Driving:
        if self._driving is None:
            message = f"this worker cannot run it: {self._refused}"
            raise ApplicationError(message, type="UNAVAILABLE")
        return self._driving
