"""What every runtime must do, whatever its functions run in."""

import asyncio
import contextvars
import datetime as dt
import random
import threading
import time

import pytest
from tests.conformance import runtime_functions as functions

from atomiton.errors import NodeError
from atomiton.runtimes import ProcessRuntime, ThreadRuntime


class InlineJob:
    def __init__(self):
        self.over = False

    def cancel(self):
        pass

    def abandon(self):
        self.over = True


class InlineRuntime:
    """The smallest thing that is a runtime: shows that the suite asks for no more than the port."""

    def start(self, function, arguments, done):
        job = InlineJob()

        def call():
            if not job.over:
                try:
                    result, error = function(**arguments), None
                except Exception as raised:  # whatever it is, it is the outcome
                    result, error = None, raised
                done(result, error)

        asyncio.get_running_loop().call_soon(call)
        return job

    async def close(self):
        await asyncio.sleep(0)


def started(runtime, function, **arguments):
    """Start a job; returns it and a future of (result, error)."""
    future = asyncio.get_running_loop().create_future()

    def done(result, error):
        assert threading.current_thread() is threading.main_thread()
        future.set_result((result, error))  # fails when called twice

    return runtime.start(function, arguments, done), future


async def outcome(runtime, function, **arguments):
    _, future = started(runtime, function, **arguments)
    return await asyncio.wait_for(future, 20)


async def appears(path):
    async with asyncio.timeout(10):
        while not path.exists():
            await asyncio.sleep(0.002)


async def closing(runtime):
    failures = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context))
    yield runtime
    await runtime.close()
    await asyncio.sleep(0)
    assert failures == []


@pytest.fixture(params=["inline", "thread", "process"])
async def any_runtime(request):
    makers = {
        "inline": InlineRuntime,
        "thread": lambda: ThreadRuntime(2),
        "process": lambda: ProcessRuntime(2),
    }
    async for runtime in closing(makers[request.param]()):
        yield runtime


@pytest.fixture(params=["thread", "process"])
async def runtime(request):
    """A runtime with two slots that runs functions beside the loop."""
    maker = {"thread": ThreadRuntime, "process": ProcessRuntime}[request.param]
    async for runtime in closing(maker(2)):
        yield runtime


VALUES = [
    None,
    True,
    -(2**63),
    2**64 - 1,
    0.1,
    float("inf"),
    "",
    "naïve 日本語 🙂 \x00",
    b"\x00\xff" * 10,
    dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
    [1, [2, [3]], {"a": {"b": []}}],
    {"": 1, "ключ": [None]},
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
async def test_values_come_back_as_they_were(any_runtime, value):
    result, error = await outcome(any_runtime, functions.echo, value=value)
    assert error is None
    assert result == value
    assert type(result) is type(value)


async def test_defaults_of_parameters_hold(any_runtime):
    assert await outcome(any_runtime, functions.add, first=2) == (3, None)
    assert await outcome(any_runtime, functions.add, second=5, first=2) == (7, None)


async def test_big_values(any_runtime):
    text, data = "ü" * 3_000_000, bytes(8_000_000)
    result, error = await outcome(any_runtime, functions.echo, value=[text, data])
    assert error is None
    assert result == [text, data]


async def test_done_is_never_called_before_start_returned(any_runtime):
    calls = []
    any_runtime.start(functions.echo, {"value": 1}, lambda *outcome: calls.append(outcome))
    assert calls == []
    async with asyncio.timeout(10):
        while not calls:
            await asyncio.sleep(0.001)
    assert calls == [(1, None)]


async def test_an_exception_is_reported_with_its_message(any_runtime):
    result, error = await outcome(any_runtime, functions.fail, message="nö: 🙂")
    assert result is None
    assert isinstance(error, Exception)
    assert str(error) == "nö: 🙂"


async def test_a_node_error_keeps_code_retryable_and_details(any_runtime):
    _, error = await outcome(any_runtime, functions.fail_with_code)
    assert isinstance(error, NodeError)
    assert (error.message, error.code, error.retryable) == ("try later", "BUSY", False)
    assert error.details["after"] == 3
    _, error = await outcome(any_runtime, functions.not_allowed)
    assert (error.code, error.retryable) == ("NOT_ALLOWED", False)


async def test_wrong_arguments_are_an_error(any_runtime):
    _, error = await outcome(any_runtime, functions.add, nonsense=1)
    assert "nonsense" in str(error)


async def test_abandoned_before_it_ends_is_never_reported(any_runtime):
    job, future = started(any_runtime, functions.echo, value=1)
    job.abandon()
    job.abandon()
    job.cancel()
    assert await outcome(any_runtime, functions.echo, value=2) == (2, None)
    await asyncio.sleep(0.05)
    assert not future.done()


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (functions.leave, {"status": 3}, "SystemExit: 3"),
        (functions.interrupt_itself, {}, "KeyboardInterrupt"),
    ],
)
async def test_attempts_to_leave_become_errors(runtime, function, arguments, message):
    for _ in range(4):
        result, error = await outcome(runtime, function, **arguments)
        assert result is None
        assert isinstance(error, NodeError)
        assert error.message == message
    assert await outcome(runtime, functions.echo, value=1) == (1, None)


@pytest.mark.parametrize("function", [functions.coroutine, functions.generator])
async def test_work_still_to_be_done_is_not_a_result(runtime, function):
    _, error = await outcome(runtime, function)
    assert isinstance(error, NodeError)
    assert (error.code, error.retryable) == ("NOT_SUPPORTED", False)


async def test_cancel_stops_a_loop(runtime, tmp_path):
    job, future = started(runtime, functions.spin, started=str(tmp_path / "a"))
    await appears(tmp_path / "a")
    job.cancel()
    job.cancel()
    result, error = await asyncio.wait_for(future, 5)
    assert result is None
    assert isinstance(error, asyncio.CancelledError)
    job.cancel()
    job.abandon()
    assert await outcome(runtime, functions.echo, value=1) == (1, None)


async def test_cancel_at_once(runtime):
    for _ in range(20):
        job, future = started(runtime, functions.spin)
        job.cancel()
        _, error = await asyncio.wait_for(future, 5)
        assert isinstance(error, asyncio.CancelledError)


async def test_cancel_can_be_seen_by_the_function(runtime, tmp_path):
    job, future = started(runtime, functions.spin_politely, started=str(tmp_path / "a"))
    await appears(tmp_path / "a")
    job.cancel()
    assert await asyncio.wait_for(future, 5) == ("stopped politely", None)


async def test_cancel_never_hits_another_job(runtime):
    """Cancel jobs just when they end; whatever is not cancelled must come out right."""
    chance = random.Random(7)
    loop = asyncio.get_running_loop()
    for round_ in range(150):
        job, cancelled = started(runtime, functions.wait_then, value=0, seconds=0.0003)
        _, kept = started(runtime, functions.echo, value=round_)
        loop.call_later(chance.random() * 0.0012, job.cancel)
        _, error = await asyncio.wait_for(cancelled, 5)
        assert error is None or isinstance(error, asyncio.CancelledError)
        assert await asyncio.wait_for(kept, 5) == (round_, None)
        following = [started(runtime, functions.add, first=n)[1] for n in range(3)]
        assert [await one for one in following] == [(n + 1, None) for n in range(3)]


async def test_a_job_that_waits_is_cancelled_at_once(runtime, tmp_path):
    names = [tmp_path / "a", tmp_path / "b"]
    running = [started(runtime, functions.spin, started=str(name)) for name in names]
    for name in names:
        await appears(name)
    waiting, future = started(runtime, functions.echo, value=1)
    behind = started(runtime, functions.echo, value=2)[1]
    waiting.cancel()
    assert not future.done()
    _, error = await asyncio.wait_for(future, 0.1)
    assert isinstance(error, asyncio.CancelledError)
    abandoned, never = started(runtime, functions.echo, value=3)
    abandoned.abandon()
    for job, _ in running:
        job.cancel()
    assert await asyncio.wait_for(behind, 5) == (2, None)
    assert not never.done()


async def test_abandoning_what_is_stuck_frees_its_slot(runtime, tmp_path):
    for turn in range(2):
        names = [tmp_path / f"{turn}{n}" for n in range(2)]
        stuck = [started(runtime, functions.deaf, started=str(name)) for name in names]
        for name in names:
            await appears(name)
        waiting = [started(runtime, functions.echo, value=n)[1] for n in range(6)]
        for job, _ in stuck:
            job.cancel()
            job.abandon()
        async with asyncio.timeout(5):
            assert [await one for one in waiting] == [(n, None) for n in range(6)]
        assert not any(future.done() for _, future in stuck)


async def test_many_more_jobs_than_slots(runtime):
    futures = [started(runtime, functions.add, first=n)[1] for n in range(2000)]
    assert [await one for one in futures] == [(n + 1, None) for n in range(2000)]


async def test_a_quick_job_overtakes_a_slow_one(runtime):
    await outcome(runtime, functions.echo, value=0)
    ended = []
    slow = started(runtime, functions.wait_then, value="slow", seconds=0.4)[1]
    quick = started(runtime, functions.wait_then, value="quick", seconds=0.0)[1]
    for future in (slow, quick):
        future.add_done_callback(lambda one: ended.append(one.result()[0]))
    await asyncio.gather(slow, quick)
    await asyncio.sleep(0)
    assert ended == ["quick", "slow"]


async def test_a_job_may_be_started_from_done(runtime):
    loop = asyncio.get_running_loop()
    finished = loop.create_future()

    def done(result, error):
        if error is not None or result >= 50:
            finished.set_result((result, error))
        else:
            runtime.start(functions.add, {"first": result}, done)

    runtime.start(functions.add, {"first": 0}, done)
    assert await asyncio.wait_for(finished, 10) == (50, None)


@pytest.mark.parametrize("maker", [ThreadRuntime, ProcessRuntime])
async def test_a_failing_done_harms_nobody_else(maker):
    runtime = maker(2)
    shown = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: shown.append(context))

    def done(_result, _error):
        raise RuntimeError("bad callback")

    for n in range(5):
        runtime.start(functions.echo, {"value": n}, done)
    assert await outcome(runtime, functions.echo, value=1) == (1, None)
    await runtime.close()
    assert [str(context["exception"]) for context in shown] == ["bad callback"] * 5


@pytest.mark.parametrize("maker", [ThreadRuntime, ProcessRuntime])
async def test_close_ends_what_runs_and_what_waits(maker, tmp_path):
    runtime = maker(2)
    loop_job, looping = started(runtime, functions.spin, started=str(tmp_path / "a"))
    _, deaf = started(runtime, functions.deaf, started=str(tmp_path / "b"))
    await appears(tmp_path / "a")
    await appears(tmp_path / "b")
    waiting = [started(runtime, functions.echo, value=n)[1] for n in range(5)]
    begun = time.monotonic()
    await runtime.close()
    assert time.monotonic() - begun < 1.5
    for future in (looping, deaf, *waiting):
        assert isinstance(future.result()[1], asyncio.CancelledError)
    with pytest.raises(RuntimeError, match="closed"):
        runtime.start(functions.echo, {"value": 1}, lambda *_: None)
    await runtime.close()
    loop_job.cancel()
    loop_job.abandon()


@pytest.mark.parametrize("maker", [ThreadRuntime, ProcessRuntime])
async def test_close_of_an_unused_runtime(maker):
    await maker().close()


@pytest.mark.parametrize("maker", [ThreadRuntime, ProcessRuntime])
def test_a_runtime_belongs_to_one_loop(maker):
    runtime = maker(1)

    async def use():
        return await outcome(runtime, functions.echo, value=1)

    async def misuse():
        with pytest.raises(RuntimeError, match="another event loop"):
            runtime.start(functions.echo, {"value": 1}, lambda *_: None)

    with asyncio.Runner() as one, asyncio.Runner() as other:
        assert one.run(use()) == (1, None)
        other.run(misuse())
        one.run(runtime.close())


@pytest.mark.parametrize("maker", [ThreadRuntime, ProcessRuntime])
def test_a_runtime_needs_a_slot(maker):
    with pytest.raises(ValueError, match="1 or more"):
        maker(0)


async def test_context_variables_reach_a_thread():
    variable = contextvars.ContextVar("variable", default="unset")

    def change():
        seen = variable.get()
        variable.set("changed inside")
        return seen

    async for runtime in closing(ThreadRuntime(1)):
        variable.set("mine")
        assert await outcome(runtime, change) == ("mine", None)
        assert variable.get() == "mine"
