"""Hooks are called one after the other; what interrupts the program is no failure of theirs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

import pytest

from atomiton.drivers.relay import Relay, of_the_hook
from atomiton.ports.hooks import Hook, RunHookEvent

EVENT = RunHookEvent("run_always", "r1", "b", "1", "completed", {})


def hook(function: Callable[[object], object], name: str = "hook") -> Hook:
    return Hook("run_always", function, name, strict=False, timeout=5.0)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def relay_on(loop: asyncio.AbstractEventLoop, rests: list[str] | None = None) -> Relay:
    told = [] if rests is None else rests
    return Relay(loop, 0.1, lambda: None, lambda: told.append("rest"))


async def test_a_hook_that_comes_just_as_the_one_before_has_ended_is_called() -> None:
    loop, called, rests = asyncio.get_running_loop(), list[str](), list[str]()
    relay, over = relay_on(loop, rests), asyncio.Event()

    async def first(_event: object) -> None:
        called.append("first")

    async def second(_event: object) -> None:
        called.append("second")
        over.set()

    def once_it_has_ended() -> None:
        assert relay.task is not None, "its end has been seen"
        if relay.task.done():
            relay.add(hook(second), EVENT)
        else:
            loop.call_soon(once_it_has_ended)

    relay.add(hook(first), EVENT)
    once_it_has_ended()
    await asyncio.wait_for(over.wait(), 5)
    while relay.busy:
        await asyncio.sleep(0)
    assert called == ["first", "second"]
    assert rests == ["rest"], "only when none is left"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
def test_an_interrupt_is_not_of_the_hook(error: BaseException) -> None:
    assert not of_the_hook(error)


@pytest.mark.parametrize("error", [ValueError(), SystemExit(1), BaseException()])
def test_everything_else_that_is_raised_is_of_the_hook(error: BaseException) -> None:
    assert of_the_hook(error)


async def test_a_cancellation_is_of_the_hook_unless_its_caller_is_being_cancelled() -> None:
    assert of_the_hook(asyncio.CancelledError())
    begun, found = asyncio.Event(), list[bool]()

    async def asked() -> None:
        try:
            begun.set()
            await asyncio.sleep(30)
        except asyncio.CancelledError as error:
            found.append(of_the_hook(error))
            raise

    task = asyncio.create_task(asked())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert found == [False]


def test_an_interrupt_in_a_hook_goes_through(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupted(_event: object) -> None:
        raise KeyboardInterrupt

    async def interrupted_later(_event: object) -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    relay = relay_on(loop)
    with pytest.raises(KeyboardInterrupt):
        relay.add(hook(interrupted), EVENT)
    assert not relay.busy
    relay.add(hook(interrupted_later), EVENT)
    task = relay.task
    assert task is not None
    for _ in range(2):  # in the task of the hook, and in that of who awaits it
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(asyncio.wait([task]))
    assert isinstance(task.exception(), KeyboardInterrupt)
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == [], "nobody is to blame"
