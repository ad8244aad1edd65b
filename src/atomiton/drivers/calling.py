"""Calling a node from within an attempt: wherever it runs, its caller waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from atomiton.ports.calls import Call
from atomiton.ports.runtime import Runtime

Parameters = dict[str, object]


class Runtimes(Protocol):
    """Knows where plain functions run; a ``LocalDriver`` does."""

    def runtime(self, name: str) -> Runtime:
        """The runtime of that name."""
        ...


async def called(runtimes: Runtimes, call: Call, arguments: Parameters) -> object:
    """Call a node; what it gives is plain and nobody else's."""
    value: object
    if call.is_async:
        value = await cast("Awaitable[object]", call.function(**arguments))
    elif call.runtime == "inline":
        value = call.function(**arguments)
    else:
        value = await run_job(runtimes.runtime(call.runtime), call.function, arguments)
    return call.result(value)


async def run_job(
    runtime: Runtime, function: Callable[..., object], arguments: Parameters
) -> object:
    """Run a plain function in its runtime; when cancelled, so is the job, and its end awaited.

    A function that comes to its end all the same gives its result: its effect stands.
    """
    ended: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def done(result: object, error: BaseException | None) -> None:
        if error is None:
            ended.set_result((result,))
        else:
            ended.set_result(error)

    job = runtime.start(function, arguments, done)
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError:
            job.cancel()
        except BaseException:  # given up: nobody will look at the end of the job any more
            job.abandon()
            raise
    outcome = ended.result()
    if isinstance(outcome, BaseException):
        raise outcome
    (result,) = cast("tuple[object]", outcome)
    return result
