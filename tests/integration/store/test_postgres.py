"""Runs in Postgres: several processes, a server that comes and goes, connections that break."""

import asyncio
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
from tests.conformance.test_journal import DONE, header
from tests.postgres import Postgres

from atomiton import Conductor, node
from atomiton.blueprint.document import read_document
from atomiton.errors import NotFound, RunBusy, StoreError
from atomiton.store import open_journal
from atomiton.store.postgres.journal import PostgresJournal
from atomiton.store.postgres.schema import migrations

WORKER = Path(__file__).parents[2] / "acceptance" / "kill_worker.py"


@pytest.fixture
async def opened(postgres_url):
    made = []

    async def make(url=postgres_url, **options):
        journal = PostgresJournal(url, **options)
        await journal.open()
        await journal.save_blueprint("h", b"{}")
        made.append(journal)
        return journal

    yield make
    for journal in made:
        await journal.close()


@pytest.fixture
def own_postgres():
    """A server that a test may stop."""
    server = Postgres()
    server.start()
    yield server
    server.remove()


async def ask(url, sql, *bindings):
    connection = await asyncpg.connect(url.partition("?")[0])
    schema = url.partition("schema=")[2]
    try:
        if schema:
            await connection.execute(f'SET search_path TO "{schema}"')
        return await connection.fetch(sql, *bindings)
    finally:
        await connection.close()


def die(journal):
    """End a journal as if its process had been killed."""
    journal._writing._task.cancel()
    journal._writing._connection.terminate()
    journal._pool.terminate()
    journal._writing = None


async def break_connections(url):
    """End every connection of the stores, as a network that fails would."""
    await ask(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'atomiton' AND pid <> pg_backend_pid()",
    )


async def test_a_run_has_one_owner(opened):
    one, other = await opened(), await opened()
    await one.create(header("r1"), [b"1"], sync=True)
    assert await other.claim("r1") is False
    assert (await other.header("r1")).owner == one.owner
    with pytest.raises(RunBusy, match="another process"):
        await other.append("r1", 1, [b"2"], sync=True)
    await other.post("r1", b"m")
    await asyncio.sleep(0.06)
    assert await one.take_messages("r1") == [b"m"]
    assert await other.abandoned() == []
    await one.release("r1")
    assert await other.abandoned() == ["r1"]
    claims = await asyncio.gather(*(journal.claim("r1") for journal in (one, other)))
    assert sorted(claims) == [False, True]


async def test_the_runs_of_who_is_gone_can_be_claimed_at_once(opened, postgres_url):
    one, other = await opened(), await opened()
    for number in range(5):
        await one.create(header(f"r{number}"), [b"1"], sync=True)
    await one.append("r4", 1, [b"2"], DONE, sync=True)
    die(one)
    while len(found := await other.abandoned()) < 4:
        await asyncio.sleep(0.01)
    assert found == ["r0", "r1", "r2", "r3"]
    assert await other.claim("r0")
    await other.append("r0", 1, [b"2"], sync=True)


async def test_who_was_taken_for_dead_writes_no_more(opened, postgres_url):
    one, other = await opened(), await opened()
    await one.create(header("r1"), [b"1"], sync=True)
    await one.create(header("r2"), [b"1"], sync=True)
    before = one.owner
    await ask(postgres_url, "DELETE FROM owners WHERE owner = $1", before)
    with pytest.raises(RunBusy):
        await one.append("r1", 1, [b"late"], sync=True)
    assert await other.claim("r1")
    await other.append("r1", 1, [b"2"], sync=True)
    assert await one.read("r1") == [b"1", b"2"]
    assert one.owner != before
    assert await one.claim("r1") is False
    assert await one.claim("r2")
    await one.append("r2", 1, [b"2"], sync=True)


@pytest.mark.slow
async def test_broken_connections_lose_and_double_nothing(opened, postgres_url):
    journal = await opened()
    stop = asyncio.Event()

    async def breaking():
        while not stop.is_set():
            await asyncio.sleep(0.2)
            await break_connections(postgres_url)

    async def drive(run):
        await journal.create(header(run), [b"0"], sync=True)
        for number in range(1, 60):
            await asyncio.sleep(0.01)
            await journal.append(run, number, [b"%d" % number], sync=number % 3 == 0)
        await journal.append(run, 60, [], DONE, sync=True)

    breaker = asyncio.create_task(breaking())
    runs = [f"r{number}" for number in range(30)]
    await asyncio.gather(*(drive(run) for run in runs))
    stop.set()
    await breaker
    for run in runs:
        assert await journal.read(run) == [b"%d" % number for number in range(60)]


@pytest.mark.slow
async def test_what_was_committed_as_the_connection_broke_is_not_written_again(opened):
    journal = await opened()
    await journal.create(header("r1"), [b"1"], sync=True)
    writing = journal._writing
    flush = writing.tables.flush

    async def flush_and_break(connection):
        await flush(connection)
        writing.tables.flush = flush
        connection.terminate()
        raise ConnectionResetError("the answer got lost")

    writing.tables.flush = flush_and_break
    await journal.append("r1", 1, [b"2"], sync=True)
    await journal.append("r1", 2, [b"3"], DONE, sync=True)
    assert await journal.read("r1") == [b"1", b"2", b"3"]
    assert (await journal.header("r1")).status == "completed"


@pytest.mark.slow
async def test_a_server_that_is_away_is_waited_for(own_postgres):
    journal = PostgresJournal(own_postgres.url)
    await journal.open()
    await journal.create(header("r1"), [b"1"], sync=True)
    own_postgres.stop()
    appending = asyncio.create_task(journal.append("r1", 1, [b"2"], sync=True))
    starting = asyncio.create_task(journal.create(header("r2"), [b"1"], sync=True))
    with pytest.raises(StoreError, match="cannot be reached"):
        await journal.list()
    with pytest.raises(StoreError, match="cannot be reached"):
        await starting
    assert not appending.done()
    own_postgres.start()
    await appending
    assert await journal.read("r1") == [b"1", b"2"]
    assert [one.run for one in await journal.list()] == ["r1"]
    assert (await journal.header("r1")).owner == journal.owner
    await journal.close()


@pytest.mark.slow
async def test_a_run_that_waited_too_long_is_given_up(own_postgres):
    journal = PostgresJournal(own_postgres.url, patience=0.5)
    await journal.open()
    await journal.create(header("r1"), [b"1"], sync=True)
    own_postgres.stop()
    with pytest.raises(StoreError, match="cannot be reached"):
        await journal.append("r1", 1, [b"2"], sync=True)
    own_postgres.start()
    while await journal.abandoned() != ["r1"]:
        await asyncio.sleep(0.05)
    assert await journal.claim("r1")
    await journal.append("r1", 1, [b"2"], sync=True)
    await journal.close()


@pytest.mark.slow
async def test_after_a_restart_everybody_keeps_what_is_theirs(own_postgres):
    one, other = PostgresJournal(own_postgres.url), PostgresJournal(own_postgres.url)
    await one.open()
    await other.open()
    await one.create(header("r1"), [b"1"], sync=True)
    own_postgres.stop(signal.SIGQUIT)
    own_postgres.start()
    # The other is back first: that the first holds no lock yet says nothing so soon.
    assert await other.abandoned() == []
    assert await other.claim("r1") is False
    await one.append("r1", 1, [b"2"], sync=True)
    await one.close()
    await other.close()


@pytest.mark.slow
async def test_no_run_is_lost_when_the_server_restarts_under_load(own_postgres):
    acts = []

    @node("test.act")
    async def act(run: int, step: int) -> int:
        acts.append((run, step))
        await asyncio.sleep(0.01)
        return run

    steps = {
        f"s{n}": {"uses": "test.act", "with": {"run": "${{ inputs.n }}", "step": n}}
        | ({"needs": [f"s{n - 1}"]} if n else {})
        for n in range(10)
    }
    blueprint = read_document(
        {"atomiton": 1, "id": "load", "inputs": {"n": "integer"}, "nodes": steps}
    )
    async with Conductor(own_postgres.url, nodes=[act]) as conductor:
        runs = [await conductor.start(blueprint, {"n": n}) for n in range(60)]
        for how in (signal.SIGINT, signal.SIGQUIT):
            await asyncio.sleep(0.1)
            own_postgres.stop(how)
            await asyncio.sleep(0.4)
            own_postgres.start()
        results = await asyncio.gather(*(run.result() for run in runs))
        assert {result.status for result in results} == {"completed"}
        assert len(await conductor.list(status="completed", limit=1000)) == 60
    assert len(acts) == len(set(acts)) == 600


@pytest.mark.slow
async def test_a_killed_process_loses_no_run(postgres_url, tmp_path):
    blueprint = tmp_path / "loaded.yaml"
    from tests.acceptance.test_kill import LOADED

    blueprint.write_text(LOADED)
    log = tmp_path / "acts.log"
    accepted = set()
    for wait in (0.25, 0.4, 0.6, None):
        process = subprocess.Popen(
            [sys.executable, WORKER, postgres_url, str(blueprint), str(log), "20"],
            stdout=subprocess.PIPE,
            text=True,
        )
        first = process.stdout.readline().strip()
        accepted.add(first)
        if wait is not None:
            time.sleep(wait)
            process.kill()
        lines = process.communicate(timeout=60)[0].split()
        accepted |= {line for line in lines if line.startswith("run_") or "-" in line}
    assert "idle" in lines
    journal = open_journal(postgres_url)
    await journal.open()
    found = {one.run: one.status for one in await journal.list(limit=1000)}
    await journal.close()
    accepted.discard("idle")
    assert accepted <= set(found)
    assert set(found.values()) == {"completed"}


async def test_large_contents_are_stored_once(opened, postgres_url):
    journal = await opened()
    large = secrets.token_bytes(300_000)
    for number in range(3):
        await journal.create(header(f"r{number}"), [(b"head", large), large], sync=True)
    assert await journal.read("r2") == [b"head" + large, large]
    assert len(await ask(postgres_url, "SELECT 1 FROM blobs")) == 1


async def test_damage_is_named(opened, postgres_url):
    journal = await opened()
    for run in ("r1", "r2", "r3"):
        await journal.create(header(run), [b"1", b"2", secrets.token_bytes(300_000)], sync=True)
    await ask(postgres_url, "UPDATE records SET data = 'x' WHERE run = 'r1' AND seq = 2")
    await ask(postgres_url, "DELETE FROM records WHERE run = 'r2' AND seq = 2")
    await ask(postgres_url, "UPDATE blobs SET data = 'x'")
    for run, what in (("r1", "2 is damaged"), ("r2", "2 is .*missing"), ("r3", "3 is .*changed")):
        with pytest.raises(StoreError, match=f"run {run}: record {what}"):
            await journal.read(run)


async def test_text_that_the_server_cannot_hold_is_stored_all_the_same(opened):
    from atomiton.ports.journal import StatusChange

    journal = await opened()
    await journal.create(header("r1"), [b"1"], sync=True)
    change = StatusChange("failed", ended_at=2.0, error_code="X", error_message="a\0b\ud800c")
    await journal.append("r1", 1, [b"2"], change, sync=True)
    assert (await journal.header("r1")).error_message == "a\ufffdb\ufffdc"
    with pytest.raises(StoreError):
        await journal.create(header("r2", key="a\0b"), [b"1"], sync=True)
    await journal.create(header("r3"), [b"1"], sync=True)


async def test_one_bad_job_takes_no_others_with_it(opened):
    journal = await opened()
    creates = [
        journal.create(header(f"r{n}", key="\0" if n == 3 else None), [b"1"], sync=True)
        for n in range(6)
    ]
    outcomes = await asyncio.gather(*creates, return_exceptions=True)
    assert [type(one) for one in outcomes].count(StoreError) == 1
    with pytest.raises(NotFound):
        await journal.header("r3")
    assert len(await journal.list()) == 5


async def test_many_processes_create_the_tables_at_once(postgres_url):
    journals = [open_journal(postgres_url) for _ in range(6)]
    await asyncio.gather(*(journal.open() for journal in journals))
    await asyncio.gather(*(journal.close() for journal in journals))
    (row,) = await ask(postgres_url, "SELECT value FROM meta WHERE name = 'schema'")
    assert row[0] == migrations()[-1][0]
    assert await ask(postgres_url, "SELECT * FROM owners") == []


async def test_a_newer_store_is_refused(postgres_url, opened):
    await opened()
    await ask(postgres_url, "UPDATE meta SET value = 99 WHERE name = 'schema'")
    with pytest.raises(StoreError, match=r"newer version.*schema 99"):
        await PostgresJournal(postgres_url).open()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://",
        "postgresql://host",
        "postgresql://host:port/db",
        "postgresql://host/db?schema=a;b",
        'postgresql://host/db?schema="x"',
        "postgresql://host/db?schema=",
        "postgresql://ho\0st/db",
    ],
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(StoreError):
        open_journal(url)


@pytest.mark.slow
async def test_messages_never_show_the_password():
    journal = PostgresJournal("postgresql://ada:hunter2@127.0.0.1:1/db")
    with pytest.raises(StoreError, match=r"ada@127.0.0.1:1/db.*cannot be reached") as caught:
        await journal.open()
    assert "hunter2" not in str(caught.value)


async def test_a_database_that_does_not_exist_is_named(postgres):
    url = postgres.url.replace("/postgres", "/nowhere")
    with pytest.raises(StoreError, match=r"refuses it.*nowhere"):
        await PostgresJournal(url).open()


async def test_a_conductor_takes_up_what_dies_while_it_lives(postgres_url, monkeypatch, tmp_path):
    monkeypatch.setattr("atomiton.conductor.core.LOOK", 0.1)
    blueprint = read_document(
        {"atomiton": 1, "id": "slow", "nodes": {"a": {"wait": {"for": "300ms"}}}}
    )
    async with Conductor(postgres_url) as living:
        dying = Conductor(postgres_url)
        await dying.__aenter__()
        run = (await dying.start(blueprint)).id
        die(dying.journal)
        for task in dying._tasks:
            task.cancel()
        dying.driver.runs.clear()
        assert (await living.result(run)).status == "completed"
        await dying.__aexit__(None, None, None)
