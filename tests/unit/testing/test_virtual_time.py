"""Virtual time jumps when it may, and only then."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest

from atomiton.errors import AtomitonError
from atomiton.testing.virtual_time import START, Stuck, VirtualLoop, seconds, virtual_run

YEAR = 365 * 24 * 3600


def in_reality(main) -> tuple[object, float]:
    """What a coroutine gives in virtual time, and how long that really took."""
    began = time.monotonic()
    return virtual_run(main), time.monotonic() - began


def now() -> float:
    return asyncio.get_running_loop().time() - START


async def test_inside_a_loop_it_says_what_to_do() -> None:
    with pytest.raises(AtomitonError, match="not asynchronous"):
        virtual_run(asyncio.sleep(0))


def test_a_year_takes_no_time_and_is_exact() -> None:
    async def main() -> float:
        await asyncio.sleep(YEAR)
        return now()

    passed, took = in_reality(main())
    assert passed == YEAR
    assert took < 200


def test_timers_fire_in_their_order() -> None:
    seen: list[tuple[str, float]] = []

    async def sleeper(name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        seen.append((name, round(now(), 3)))
        await asyncio.sleep(delay)
        seen.append((name, round(now(), 3)))

    async def main() -> None:
        await asyncio.gather(sleeper("a", 3), sleeper("b", 2), sleeper("c", 10_000.5))

    in_reality(main())
    assert seen == [("b", 2), ("a", 3), ("b", 4), ("a", 6), ("c", 10_000.5), ("c", 20_001)]


def test_time_limits_hold() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.sleep(61)
        return now()

    assert in_reality(main())[0] == 60


def test_a_thread_holds_the_time() -> None:
    """The sleep of an hour must not end before the thread, which is quicker, has ended."""
    order: list[str] = []

    async def thread() -> None:
        await asyncio.to_thread(time.sleep, 0.15)
        order.append("thread")

    async def hour() -> None:
        await asyncio.sleep(3600)
        order.append("hour")

    async def main() -> float:
        await asyncio.gather(hour(), thread())
        return now()

    passed, took = in_reality(main())
    assert order == ["thread", "hour"]
    assert passed == pytest.approx(3600)
    assert 0.15 <= took < 20


def test_a_time_limit_on_a_thread_passes_as_it_really_does() -> None:
    async def main() -> float:
        release = threading.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.to_thread(release.wait, 10)
        release.set()
        return now()

    passed, took = in_reality(main())
    assert passed == pytest.approx(0.2, abs=5)
    assert 0.2 <= took < 20


def test_a_program_holds_the_time() -> None:
    async def main() -> tuple[bytes, bool]:
        hour = asyncio.ensure_future(asyncio.sleep(3600))
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", "sleep 0.1; echo done", stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        early = hour.done()
        await hour
        return said, early

    assert in_reality(main())[0] == (b"done\n", False)


def test_a_slow_answer_over_a_connection_comes_before_a_late_timer() -> None:
    async def main() -> tuple[bytes, bool]:
        async def serve(_reader, writer) -> None:
            await asyncio.to_thread(time.sleep, 0.1)
            writer.write(b"late\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            served.set()

        served = asyncio.Event()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        minute = asyncio.ensure_future(asyncio.sleep(60))
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        said = await reader.readline()
        early = minute.done()
        writer.close()
        minute.cancel()
        await served.wait()
        server.close()
        return said, early

    assert in_reality(main())[0] == (b"late\n", False)


def test_a_silent_connection_does_not_hold_for_ever() -> None:
    async def main() -> float:
        server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        await asyncio.sleep(YEAR)
        server.close()
        return now()

    began = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(patience=0.1)) as runner:
        assert runner.run(main()) == pytest.approx(YEAR)
    assert 0.1 <= time.monotonic() - began < 20


def test_waiting_for_nothing_is_an_error_and_no_hang() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with (
        asyncio.Runner(loop_factory=lambda: VirtualLoop(patience=0.05)) as runner,
        pytest.raises(Stuck, match="nothing is left to happen"),
    ):
        runner.run(main())


def test_a_hold_is_counted() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        release = loop.begin_hold()
        times = []
        with loop.hold():
            threading.Timer(0.05, loop.call_soon_threadsafe, [release]).start()
            threading.Timer(0.05, loop.call_soon_threadsafe, [release]).start()
            await asyncio.sleep(0.1)
            times.append(now())
        await asyncio.sleep(1000)
        times.append(now())
        return times

    (first, last), took = in_reality(main())
    assert 0.1 - 1e-6 <= first < 20
    assert last == pytest.approx(1000 + first)
    assert took < 20


@pytest.mark.parametrize(
    "moment",
    [START, "2026-01-01T00:00:00Z", "2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)],
)
def test_a_moment_can_be_told_in_any_way(moment) -> None:
    assert seconds(moment) == START


def test_a_wrong_moment_is_refused() -> None:
    with pytest.raises(AtomitonError, match="such as 2026"):
        seconds("tomorrow")
