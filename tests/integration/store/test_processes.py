"""The SQLite store shared by processes, some of which are killed."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from atomiton.errors import RunBusy
from atomiton.ports.journal import RunHeader, StatusChange

DONE = StatusChange("completed", ended_at=9.0)

PROGRAM = """
import asyncio, sys
from atomiton.ports.journal import RunHeader, StatusChange
from atomiton.store.sqlite import SqliteJournal

def header(run, **more):
    return RunHeader(run=run, blueprint="b", blueprint_hash="h", created_at=1.0, **more)

def say(*words):
    print(*words, flush=True)

async def main():
    journal = SqliteJournal(sys.argv[1])
    await journal.open()
{body}

asyncio.run(main())
"""


def start(path, body):
    program = PROGRAM.format(body=textwrap.indent(textwrap.dedent(body), "    "))
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def kill(process):
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.stdout.close()
    process.stdin.close()
    process.wait()
    return rest


async def test_acknowledged_records_survive_kills(path, opened):
    for turn in range(4):
        runs = 1 if turn == 0 else 10
        process = start(
            path,
            f"""
            async def drive(run):
                await journal.create(header(run), [b"0"], sync=True)
                say(run, 1)
                for number in range(1, 100000):
                    await journal.append(run, number, [b"%d" % number], sync=number % 5 != 0)
                    if number % 5 != 0:
                        say(run, number + 1)
            await asyncio.gather(*(drive(f"t{turn}-{{n}}") for n in range({runs})))
            """,
        )
        lines = [process.stdout.readline() for _ in range(20 + 300 * turn)]
        lines += kill(process).splitlines(keepends=True)
        acknowledged = {}
        for line in lines:
            if line.endswith("\n"):
                run, count = line.split()
                acknowledged[run] = int(count)
        assert acknowledged
        journal = await opened(path)
        for run, count in acknowledged.items():
            records = await journal.read(run)
            assert len(records) >= count
            assert records == [b"%d" % number for number in range(len(records))]
        abandoned = set(await journal.abandoned())
        assert abandoned >= set(acknowledged)
        for run in abandoned:
            assert (await journal.header(run)).owner is None
            assert await journal.claim(run)
            await journal.append(run, len(await journal.read(run)), [], DONE, sync=False)
        assert await journal.check() == []
        assert len(list((path.parent / "runs.db.owners").iterdir())) == 1
        await journal.close()


async def test_a_kill_frees_the_runs_at_once(path, opened):
    journal = await opened(path)
    process = start(
        path,
        """
        await journal.create(header("r1"), [b"1"], sync=True)
        say("ready", journal.owner)
        await asyncio.sleep(60)
        """,
    )
    owner = process.stdout.readline().split()[1]
    assert not await journal.claim("r1")
    assert await journal.abandoned() == []
    assert (await journal.header("r1")).owner == owner
    with pytest.raises(RunBusy, match="another process"):
        await journal.append("r1", 1, [b"2"], sync=True)
    await journal.post("r1", b"cancel")
    kill(process)
    assert (await journal.header("r1")).owner is None
    assert await journal.abandoned() == ["r1"]
    assert any(owner in sentence for sentence in await journal.check())
    assert await journal.claim("r1")
    assert (await journal.header("r1")).owner == journal.owner
    assert await journal.take_messages("r1") == [b"cancel"]
    assert not (path.parent / "runs.db.owners" / f"{owner}.lock").exists()
    await journal.append("r1", 1, [b"2"], sync=True)


async def test_processes_race_for_runs_and_each_run_is_won_once(path, opened):
    journal = await opened(path)
    runs = [f"r{number:03}" for number in range(60)]
    for run in runs:
        first = RunHeader(run=run, blueprint="b", blueprint_hash="h", created_at=1.0)
        await journal.create(first, [b"1"], sync=False)
        await journal.release(run)
    body = """
        say("ready")
        sys.stdin.readline()
        won = []
        for run in await journal.abandoned():
            if await journal.claim(run):
                won.append(run)
                await journal.append(run, 1, [journal.owner.encode()], sync=True)
        say(*won)
        sys.stdin.readline()
        await journal.close()
    """
    racers = [start(path, body) for _ in range(3)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [racer.stdout.readline().split() for racer in racers]
    assert sorted(run for runs in won for run in runs) == runs
    assert await journal.abandoned() == []
    for racer in racers:
        racer.communicate("end\n")
    assert await journal.abandoned() == runs
    for run in runs:
        assert len(await journal.read(run)) == 2


async def test_processes_create_one_store_at_once(path, opened):
    body = """
        await journal.create(header(sys.argv[1] + journal.owner), [b"1"], sync=True)
        await journal.close()
    """
    starters = [start(path, body) for _ in range(4)]
    for starter in starters:
        starter.communicate()
        assert starter.returncode == 0
    assert len(await (await opened(path)).list()) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
async def test_a_forked_child_does_not_keep_its_parent_alive(path, opened):
    journal = await opened(path)
    process = start(
        path,
        """
        import os, time
        await journal.create(header("r1"), [b"1"], sync=True)
        child = os.fork()
        if child == 0:
            time.sleep(60)
        say(child)
        await asyncio.sleep(60)
        """,
    )
    child = int(process.stdout.readline())
    try:
        assert not await journal.claim("r1")
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 5
        while not await journal.claim("r1"):  # the child may not have had its turn yet
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()
        process.stdin.close()


async def test_old_lock_files_are_swept(path, opened):
    process = start(path, "say('ready')\nawait asyncio.sleep(60)")
    process.stdout.readline()
    folder = path.parent / "runs.db.owners"
    assert len(list(folder.iterdir())) == 1
    kill(process)
    (folder / "1-stray.lock").touch()
    journal = await opened(path)
    assert [file.stem for file in folder.iterdir()] == [journal.owner]
