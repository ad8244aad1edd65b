"""Coroutines that refuse to be cancelled are ended where they wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress

import pytest

from atomiton.drivers.jobs import TaskJob
from atomiton.machine.commands import StartAttempt

START = StartAttempt(0, 0, 1, 0)


def job_of(work: Coroutine[object, object, None]) -> TaskJob:
    task = asyncio.get_running_loop().create_task(work)
    return TaskJob(START, task, work.close, task.cancel)


async def settled(job: TaskJob) -> None:
    """Wait until its task has ended, and until who looks away has."""
    await asyncio.wait([job.task], timeout=5)
    await asyncio.sleep(0)
    assert job.task.done()


async def test_what_waits_is_cancelled_where_it_waits() -> None:
    seen: list[str] = []

    async def obedient() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            seen.append("stopped")

    job = job_of(obedient())
    await asyncio.sleep(0)
    job.cancel()
    await settled(job)
    assert (seen, job.task.cancelled()) == (["stopped"], True)


async def test_what_does_not_listen_is_ended() -> None:
    seen: list[str] = []

    async def deaf() -> None:
        try:
            while True:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(30)
        finally:
            seen.append("ended")

    job = job_of(deaf())
    await asyncio.sleep(0)
    job.cancel()
    await asyncio.sleep(0)
    assert not job.task.done()
    job.abandon()
    assert seen == ["ended"]
    await settled(job)


@pytest.mark.parametrize("error", [ValueError("at last"), asyncio.CancelledError()])
async def test_how_what_was_ended_ends_is_nobodys_business(
    caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    async def waits_again() -> None:
        try:
            await asyncio.sleep(30)
        except GeneratorExit:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                raise error from None

    job = job_of(waits_again())
    await asyncio.sleep(0)
    job.abandon()
    await settled(job)
    assert job.task.cancelled() is isinstance(error, asyncio.CancelledError)
    del job
    assert caplog.text == "", "nobody is told of an error that nobody looked at"
