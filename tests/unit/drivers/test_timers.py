"""Timers follow the wall clock, which may be put forward and back."""

from __future__ import annotations

import asyncio

from atomiton.drivers.timers import WallTimers


class Clock:
    """A wall clock that is put by hand."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


def timers(clock: Clock, fired: list[int]) -> WallTimers:
    return WallTimers(asyncio.get_running_loop(), clock, fired.append)


async def test_a_timer_fires_once_its_moment_has_come() -> None:
    clock, fired = Clock(), list[int]()
    of = timers(clock, fired)
    of.set(1, clock.time - 5)
    of.set(2, clock.time + 30)
    await asyncio.sleep(0.01)
    assert fired == [1]
    of.close()


async def test_a_timer_waits_for_the_wall_clock_and_not_for_that_of_the_loop() -> None:
    clock, fired = Clock(), list[int]()
    of = timers(clock, fired)
    of.set(1, clock.time + 0.02)
    await asyncio.sleep(0.05)
    assert fired == [], "the wall clock has not moved"
    clock.time += 1
    await asyncio.sleep(0.05)
    assert fired == [1]


async def test_a_timer_that_is_cancelled_does_not_fire_and_one_that_has_fired_is_forgotten() -> (
    None
):
    clock, fired = Clock(), list[int]()
    of = timers(clock, fired)
    of.set(1, clock.time)
    of.set(2, clock.time)
    of.cancel(2)
    await asyncio.sleep(0.01)
    of.cancel(1)
    of.cancel(7)
    assert fired == [1]
