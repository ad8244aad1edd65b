"""Worker processes: how they find functions, how they end, and what they leave behind."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
import types
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from tests.conformance import runtime_functions as functions

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.errors import NodeError
from atomiton.runtimes import ProcessRuntime


@pytest.fixture
async def runtime():
    runtime = ProcessRuntime(2)
    yield runtime
    await runtime.close()


def started(runtime, function, **arguments):
    future = asyncio.get_running_loop().create_future()
    job = runtime.start(function, arguments, lambda *both: future.set_result(both))
    return job, future


async def outcome(runtime, function, **arguments):
    return await asyncio.wait_for(started(runtime, function, **arguments)[1], 20)


async def holds(what, seconds=5):
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.005)


def alive(process):
    """Whether a process still runs; one that nobody has reaped does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] not in "ZX"


def descriptors():
    return len(os.listdir("/proc/self/fd"))


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


async def test_jobs_run_in_other_processes_which_are_reused(runtime):
    seen = {(await outcome(runtime, functions.process_id))[0] for _ in range(20)}
    assert len(seen) == 1
    assert os.getpid() not in seen


@pytest.mark.parametrize(
    ("function", "arguments", "how"),
    [
        (functions.exit_now, {"status": 3}, "ended with exit status 3"),
        (functions.exit_now, {"status": 0}, "ended with exit status 0"),
        (functions.crash, {}, "was killed by SIGSEGV"),
    ],
)
async def test_a_crash_fails_its_job_only(runtime, function, arguments, how):
    other = started(runtime, functions.wait_then, value="unharmed", seconds=0.3)[1]
    await outcome(runtime, functions.echo, value=1)
    begun = time.monotonic()
    _, error = await outcome(runtime, function, **arguments)
    assert time.monotonic() - begun < 3
    assert isinstance(error, NodeError)
    assert (error.code, error.retryable) == ("PROCESS_FAILED", True)
    assert error.message == f"the process that ran the function {how}"
    assert await other == ("unharmed", None)
    assert await outcome(runtime, functions.echo, value=2) == (2, None)


async def test_kill_9_of_a_worker_at_work(runtime, tmp_path):
    note = tmp_path / "note"
    process = (await outcome(runtime, functions.process_id))[0]
    _, future = started(runtime, functions.block, seconds=30, started=str(note))
    await holds(note.exists)
    os.kill(process, signal.SIGKILL)
    _, error = await asyncio.wait_for(future, 1)
    assert (error.code, error.details) == ("PROCESS_FAILED", {"status": -9})
    assert (await outcome(runtime, functions.process_id))[0] != process


async def test_kill_9_of_an_idle_worker(runtime):
    process = (await outcome(runtime, functions.process_id))[0]
    os.kill(process, signal.SIGKILL)
    await asyncio.sleep(0.1)
    assert (await outcome(runtime, functions.process_id))[0] != process


async def test_many_crashes_among_other_jobs(runtime):
    futures = [
        started(runtime, functions.exit_now, status=5)[1]
        if n % 5 == 0
        else started(runtime, functions.echo, value=n)[1]
        for n in range(30)
    ]
    for n, (result, error) in enumerate(await asyncio.gather(*futures)):
        if n % 5 == 0:
            assert error.code == "PROCESS_FAILED"
        else:
            assert (result, error) == (n, None)


@linux
async def test_a_crash_is_seen_though_a_child_holds_the_line(runtime, tmp_path):
    note = tmp_path / "note"
    _, error = await asyncio.wait_for(
        started(runtime, functions.fork_and_die, note=str(note))[1], 5
    )
    assert error.message.endswith("exit status 7")
    await holds(lambda: not alive(int(note.read_text())))


@linux
@pytest.mark.parametrize("way", ["abandon", "close", "crash"])
async def test_what_a_function_has_started_ends_with_it(runtime, tmp_path, way):
    note = tmp_path / "note"
    job, _ = started(runtime, functions.spawn_child, note=str(note))
    await holds(lambda: note.exists() and note.read_text())
    child, worker = map(int, note.read_text().split())
    assert alive(child)
    if way == "abandon":
        job.abandon()
    elif way == "close":
        await runtime.close()
    else:
        os.kill(worker, signal.SIGKILL)
    await holds(lambda: not alive(child) and not alive(worker))


@linux
def children():
    """Processes that this one has started, also those that have ended and were not waited for."""
    listings = Path("/proc/self/task").glob("*/children")
    return {child for listing in listings for child in listing.read_text().split()}


async def test_a_runtime_leaves_no_descriptor_and_no_process(tmp_path):
    gc.collect()
    before, others = descriptors(), children()
    for turn in range(3):
        runtime = ProcessRuntime(2)
        note = tmp_path / str(turn)
        job, _ = started(runtime, functions.deaf, started=str(note))
        await holds(note.exists)
        process = (await outcome(runtime, functions.process_id))[0]
        await outcome(runtime, functions.exit_now, status=1)
        job.abandon()
        started(runtime, functions.spin)
        await runtime.close()
        assert not alive(process)
    assert descriptors() == before
    assert children() <= others


@linux
@pytest.mark.parametrize("working", [True, False])
def test_workers_die_with_their_engine(tmp_path, working):
    note = tmp_path / "note"
    program = tmp_path / "engine.py"
    program.write_text(
        textwrap.dedent(f"""
        import asyncio, os, pathlib, subprocess, time
        from atomiton.runtimes import ProcessRuntime

        def work(working):
            child = subprocess.Popen(["sleep", "60"])
            pathlib.Path({str(note)!r}).write_text(f"{{child.pid}} {{os.getpid()}} .")
            time.sleep(60 if working else 0)

        async def main():
            runtime = ProcessRuntime(1)
            runtime.start(work, {{"working": {working}}}, print)
            await asyncio.sleep(60)

        if __name__ == "__main__":
            asyncio.run(main())
        """)
    )
    with subprocess.Popen([sys.executable, str(program)]) as engine:
        deadline = time.monotonic() + 10
        while not note.exists() or not note.read_text().endswith("."):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.1)
        engine.kill()
    child, worker = map(int, note.read_text().split()[:2])
    deadline = time.monotonic() + 2
    while alive(child) or alive(worker):
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_what_functions_print_goes_to_stderr(runtime, capfd):
    assert await outcome(runtime, functions.chatter) == ("quiet", None)
    assert await outcome(runtime, functions.echo, value=1) == (1, None)
    out, err = capfd.readouterr()
    assert out == ""
    assert "printed by a function" in err
    assert "written by a function" in err


async def test_a_function_that_closes_the_line_fails_alone(runtime):
    _, error = await outcome(runtime, functions.close_everything)
    assert error.code == "PROCESS_FAILED"
    assert await outcome(runtime, functions.echo, value=1) == (1, None)


async def test_an_error_carries_type_and_traceback(runtime):
    _, error = await outcome(runtime, functions.fail, message="bad")
    assert error.details["type"] == "ValueError"
    assert "in fail" in error.details["traceback"]
    assert "worker.py" not in error.details["traceback"]
    _, error = await outcome(runtime, functions.fail_with_code)
    assert error.details["odd"] == "<class 'object'>"


@pytest.mark.parametrize("function", [functions.unencodable, functions.huge])
async def test_a_result_that_is_no_plain_data(runtime, function):
    _, error = await outcome(runtime, function)
    assert (error.code, error.retryable) == ("TYPE_MISMATCH", False)
    assert "result" in error.message


@pytest.mark.parametrize("value", [object(), 2**70, "\ud800", print])
async def test_arguments_that_are_no_plain_data(runtime, value):
    with pytest.raises(NodeError, match="arguments of echo cannot") as caught:
        started(runtime, functions.echo, value=value)
    assert caught.value.code == "TYPE_MISMATCH"
    assert await outcome(runtime, functions.echo, value=1) == (1, None)


async def test_functions_that_no_other_process_can_find(runtime):
    def inner():
        pass

    class Callable:
        def __call__(self):
            pass

    misnamed = types.FunctionType(functions.echo.__code__, {}, "echo")
    misnamed.__module__ = functions.__name__
    for function, why in [
        (inner, "inside another function"),
        (functions.nameless, "is a lambda"),
        (Callable(), "has no name"),
        (misnamed, "is not what that name means"),
    ]:
        with pytest.raises(NodeError, match=why) as caught:
            runtime.start(function, {}, lambda *_: None)
        assert "top level of a file" in caught.value.message
        assert (caught.value.code, caught.value.retryable) == ("NOT_SUPPORTED", False)


async def test_static_methods_and_node_functions_are_found(runtime):
    assert await outcome(runtime, functions.Group.inside, value=2) == (4, None)
    assert await outcome(runtime, functions.wrapped, value=1) == (2, None)
    assert await outcome(runtime, functions.wrapped.function, value=1) == (2, None)
    assert await outcome(runtime, sorted, iterable=[2, 1]) != (None, None)


def load(path, name):
    spec = spec_from_file_location(name, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("registered", [True, False])
async def test_functions_of_a_file_of_the_user(runtime, tmp_path, monkeypatch, registered):
    path = tmp_path / "my nodes.py"
    path.write_text(
        "import pathlib\n"
        "with open(__file__ + '.log', 'a') as log: log.write('x')\n"
        "def triple(value): return value * 3\n"
    )
    module = load(path, "user_nodes_of_this_test")
    if registered:
        monkeypatch.setitem(sys.modules, module.__name__, module)
    for value in range(5):
        assert await outcome(runtime, module.triple, value=value) == (value * 3, None)
    assert Path(f"{path}.log").read_text() == "xx"  # once here, once in the worker


async def test_two_files_of_one_name(runtime, tmp_path):
    for factor in (2, 3):
        (tmp_path / str(factor)).mkdir()
        path = tmp_path / str(factor) / "nodes_of_this_test.py"
        path.write_text(f"def times(value): return value * {factor}\n")
        module = load(path, "nodes_of_this_test")
        assert await outcome(runtime, module.times, value=5) == (5 * factor, None)


async def test_files_can_be_named_to_be_loaded_from_their_path(tmp_path, monkeypatch):
    path = tmp_path / "named_of_this_test.py"
    path.write_text("def where(): return __name__\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(
        sys.modules, "named_of_this_test", module := load(path, "named_of_this_test")
    )
    runtime = ProcessRuntime(1, [path])
    assert await outcome(runtime, module.where) == ("named_of_this_test", None)
    await runtime.close()


async def test_a_file_that_fails_to_load_is_an_error_each_time(runtime, tmp_path, monkeypatch):
    path = tmp_path / "sometimes.py"
    path.write_text("def one(): return 1\n")
    module = load(path, "sometimes_of_this_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    path.write_text("raise LookupError('not today')\n")
    for _ in range(2):
        _, error = await outcome(runtime, module.one)
        assert error.message == "not today"


async def test_modules_beside_the_engine_do_not_shadow_the_library(tmp_path, monkeypatch):
    (tmp_path / "queue.py").write_text("raise RuntimeError('shadowed')")
    (tmp_path / "signal.py").write_text("raise RuntimeError('shadowed')")
    monkeypatch.chdir(tmp_path)
    runtime = ProcessRuntime(1)
    assert await outcome(runtime, functions.echo, value=1) == (1, None)
    await runtime.close()


async def test_a_changed_path_reaches_workers(runtime, tmp_path, monkeypatch):
    await outcome(runtime, functions.echo, value=1)
    (tmp_path / "late_of_this_test.py").write_text("def seven(): return 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import late_of_this_test

    try:
        assert await outcome(runtime, late_of_this_test.seven) == (7, None)
    finally:
        del sys.modules["late_of_this_test"]


async def test_workers_that_cannot_start_fail_their_jobs(tmp_path, monkeypatch):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 9\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    runtime = ProcessRuntime(2)
    futures = [started(runtime, functions.echo, value=n)[1] for n in range(5)]
    for _, error in await asyncio.wait_for(asyncio.gather(*futures), 10):
        assert (error.code, error.details) == ("PROCESS_FAILED", {"status": 9})
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(NodeError, match="no process could be started"):
        started(runtime, functions.echo, value=1)
    await runtime.close()


async def test_cancel_while_a_large_request_is_on_its_way(runtime):
    for _ in range(5):
        job, future = started(runtime, functions.take_and_spin, data=bytes(20_000_000))
        await asyncio.sleep(0.001)
        job.cancel()
        _, error = await asyncio.wait_for(future, 5)
        assert isinstance(error, asyncio.CancelledError)


async def test_a_parameter_that_python_needs_to_spell_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "spelled.py"
    file.write_text(
        "from atomiton import node\n"
        '@node("t.spelled", effect="pure", runtime="process")\n'
        'def spelled(text: str, as_: str = "lower", **more: int) -> list:\n'
        '    """Spell."""\n'
        "    return [getattr(text, as_)(), more]\n"
    )
    given = {"text": "a", "as": "upper", "n": 1}
    document = {"atomiton": 1, "id": "x", "nodes": {"a": {"uses": "t.spelled", "with": given}}}
    async with Conductor("memory:", nodes=[file]) as conductor:
        result = await conductor.run(read_document(document))
    assert (result.error, result.output) == (None, {"a": ["A", {"n": 1}]})
