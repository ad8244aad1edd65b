"""Threads: how many there are, how long they live, and that they hold up nobody."""

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest

from atomiton.runtimes import ThreadRuntime


def started(runtime, function, **arguments):
    future = asyncio.get_running_loop().create_future()
    job = runtime.start(function, arguments, lambda *both: future.set_result(both))
    return job, future


async def outcome(runtime, function, **arguments):
    return await asyncio.wait_for(started(runtime, function, **arguments)[1], 10)


async def holds(what, seconds=5):
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.005)


def ours():
    return {one for one in threading.enumerate() if one.name.startswith("atomiton-")}


@pytest.fixture
async def before():
    """The threads that tests before this one have left behind."""
    await asyncio.sleep(0)
    return ours()


@pytest.mark.parametrize("ending", ["asyncio.run(main())", "asyncio.run(main()); os._exit"])
def test_the_interpreter_does_not_wait_for_a_blocked_thread(tmp_path, ending):
    program = tmp_path / "blocked.py"
    program.write_text(
        textwrap.dedent(f"""
        import asyncio, os, threading, time
        from atomiton.runtimes import ThreadRuntime

        async def main():
            runtime = ThreadRuntime()
            for function, arguments in [(time.sleep, (60,)), (threading.Event().wait, ())]:
                runtime.start(lambda f=function, a=arguments: f(*a), {{}}, print)
            await asyncio.sleep(0.1)
            if {ending.endswith("_exit")}:
                await runtime.close()

        asyncio.run(main())
        print(time.monotonic())
        """)
    )
    ended = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=20)
    after = time.monotonic()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert after - float(ended.stdout.split()[-1]) < 1


async def test_threads_are_started_on_demand_reused_and_expire(before):
    runtime = ThreadRuntime(8, idle=0.2)
    for n in range(50):
        assert await outcome(runtime, int) == (0, None), n
    assert len(ours() - before) == 1
    futures = [started(runtime, lambda: time.sleep(0.05))[1] for _ in range(20)]
    assert len(ours() - before) == 8
    await asyncio.gather(*futures)
    await holds(lambda: not ours() - before)
    assert await outcome(runtime, dict, a=1) == ({"a": 1}, None)
    await runtime.close()
    await holds(lambda: not ours() - before, 1)


async def test_slots_are_exact_and_jobs_begin_in_order():
    runtime = ThreadRuntime(3)
    lock = threading.Lock()
    now, most, order = 0, 0, []

    def work(n):
        nonlocal now, most
        with lock:
            order.append(n)
            now += 1
            most = max(most, now)
        time.sleep(0.002)
        with lock:
            now -= 1

    await asyncio.gather(*[started(runtime, work, n=n)[1] for n in range(100)])
    assert most == 3
    assert all(abs(place - n) < 3 for place, n in enumerate(order))
    await runtime.close()


async def test_a_thread_left_behind_ends_when_it_can(before):
    runtime = ThreadRuntime(1)
    release = threading.Event()
    job, future = started(runtime, release.wait)
    await asyncio.sleep(0.02)
    job.cancel()
    job.abandon()
    assert await outcome(runtime, int) == (0, None)
    release.set()
    await holds(lambda: len(ours() - before) == 1)
    assert not future.done()
    await runtime.close()


async def test_abandoning_what_has_just_ended_keeps_the_count(before):
    runtime = ThreadRuntime(2)
    for n in range(300):
        job, _ = started(runtime, int)
        if n % 3 == 0:
            time.sleep(0.0002)
        job.abandon()
    assert await outcome(runtime, int) == (0, None)
    futures = [started(runtime, lambda: time.sleep(0.01))[1] for _ in range(6)]
    await asyncio.gather(*futures)
    await holds(lambda: len(ours() - before) <= 2)
    assert runtime._threads == len(ours() - before)
    await runtime.close()
    assert runtime._threads == 0


async def test_interrupts_at_any_instruction_break_nothing():
    """Hundreds of interrupts spread over the end of jobs: each is reported once, none leaks."""
    runtime = ThreadRuntime(4)

    def work(turns):
        total = 0
        for n in range(turns):
            total += n
        return total

    jobs = []
    for n in range(3000):
        job, future = started(runtime, work, turns=n % 400)
        jobs.append((n % 400, future))
        if n % 4 == 0:
            await asyncio.sleep(0)
        job.cancel()
    for turns, future in jobs:
        result, error = await asyncio.wait_for(future, 10)
        assert isinstance(error, asyncio.CancelledError) or result == sum(range(turns))
    assert not runtime._lock.locked()
    futures = [started(runtime, work, turns=100)[1] for _ in range(200)]
    assert all([await one == (4950, None) for one in futures])
    await runtime.close()


async def test_an_idle_thread_keeps_nothing_alive():
    class Thing:
        pass

    def fail(thing):
        raise ValueError("with a traceback that points to the thing")

    runtime = ThreadRuntime(1)
    gc.collect()
    gc.disable()
    try:
        for function in (fail, lambda thing: thing):
            thing = Thing()
            watched = weakref.ref(thing)
            _, error = await outcome(runtime, function, thing=thing)
            del thing, error, _
            await holds(lambda watched=watched: watched() is None, 1)
    finally:
        gc.enable()
    await runtime.close()


async def test_done_after_the_loop_is_gone_is_no_trouble():
    def use():
        async def main():
            runtime = ThreadRuntime()
            runtime.start(lambda: time.sleep(0.1), {}, lambda *_: None)
            await asyncio.sleep(0.01)

        asyncio.run(main())

    await asyncio.to_thread(use)
    await asyncio.sleep(0.2)  # an error in the thread would be a warning, and fail the test


async def test_a_system_without_more_threads(monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    runtime = ThreadRuntime(4)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        _, error = await outcome(runtime, int)
        assert (str(error), error.retryable) == ("can't start new thread", True)
    release = threading.Event()
    blocking = started(runtime, release.wait)[1]
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        waiting = [started(runtime, int)[1] for _ in range(3)]
    release.set()
    assert await asyncio.gather(blocking, *waiting) == [(True, None)] + [(0, None)] * 3
    await runtime.close()


def test_an_interrupt_that_cannot_arrive_yet_hangs_no_traced_thread(tmp_path):
    """Python 3.11 and 3.12 loop for ever in a traced thread while another one has to raise."""
    program = tmp_path / "traced.py"
    program.write_text(
        textwrap.dedent("""
        import asyncio, sys, time
        from atomiton.runtimes import ThreadRuntime

        def small():
            return 1

        async def main():
            runtime = ThreadRuntime()
            blocked = [runtime.start(block, {}, print) for _ in range(2)]
            await asyncio.sleep(0.1)
            for job in blocked[:1]:
                stop(job)
            print([small() for _ in range(3)])
            for job in blocked:
                job.abandon()
            print([small() for _ in range(3)])

        def block():
            time.sleep(60)

        def stop(job):
            job.cancel()

        def trace(*_):
            return trace

        sys.settrace(trace)
        asyncio.run(main())
        """)
    )
    ended = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=10)
    assert ended.stdout.count("[1, 1, 1]") == 2, ended.stderr
