"""What every store must do, checked on each of them."""

import asyncio

import pytest

from atomiton.errors import NotFound, RunBusy, StoreError
from atomiton.ports.journal import RunHeader, StatusChange
from atomiton.store import MemoryJournal, open_journal

DONE = StatusChange("completed", ended_at=9.0)


def header(run, **more):
    return RunHeader(
        **{"run": run, "blueprint": "b", "blueprint_hash": "h", "created_at": 1.0} | more
    )


@pytest.fixture(params=["memory", "sqlite", "sqlite-threaded"])
async def journal(request, tmp_path):
    if request.param == "memory":
        made = open_journal("memory:")
    elif request.param == "sqlite":
        made = open_journal(f"sqlite:{tmp_path / 'runs.db'}")
    else:
        from atomiton.store.sqlite import SqliteJournal

        made = SqliteJournal(tmp_path / "runs.db", inline=0)
    await made.open()
    yield made
    await made.close()


async def test_records_come_back_in_order(journal):
    assert await journal.create(header("r1"), [b"1", b"2"], sync=True) == "r1"
    await journal.append("r1", 2, [b"3"], sync=False)
    await journal.append("r1", 3, [b"4", b"5"], sync=True)
    assert await journal.read("r1") == [b"1", b"2", b"3", b"4", b"5"]
    assert await journal.read("r1", 1, 2) == [b"2", b"3"]
    assert await journal.read("r1", 5) == []
    assert await journal.read("r1", 99) == []


async def test_an_unawaited_append_is_read_at_once(journal):
    await journal.create(header("r1"), [], sync=False)
    for number in range(20):
        await journal.append("r1", number, [b"%d" % number], sync=False)
        assert len(await journal.read("r1")) == number + 1
    assert (await journal.header("r1")).events == 20


async def test_header_follows_the_appends(journal):
    first = header("r1", version="2", key="k", status="queued")
    await journal.create(first, [b"1"], sync=True)
    first.status = "changed by the caller afterwards"
    found = await journal.header("r1")
    assert found == header(
        "r1", version="2", key="k", status="queued", events=1, owner=journal.owner
    )
    await journal.append("r1", 1, [], StatusChange("waiting", reason="timer"), sync=True)
    found = await journal.header("r1")
    assert (found.status, found.reason, found.events) == ("waiting", "timer", 1)
    change = StatusChange("failed", ended_at=3.5, error_code="TIMEOUT", error_message="too long")
    await journal.append("r1", 1, [b"2"], change, sync=False)
    found = await journal.header("r1")
    assert (found.status, found.ended_at, found.reason) == ("failed", 3.5, None)
    assert (found.error_code, found.error_message) == ("TIMEOUT", "too long")
    assert (found.events, found.owner) == (2, None)


async def test_a_wrong_number_is_refused_and_changes_nothing(journal):
    await journal.create(header("r1"), [b"1"], sync=True)
    for after in (0, 2):
        with pytest.raises(StoreError, match="last one stored is 1"):
            await journal.append("r1", after, [b"x"], DONE, sync=True)
    assert await journal.read("r1") == [b"1"]
    assert (await journal.header("r1")).status == "running"
    await journal.append("r1", 1, [b"2"], sync=True)


async def test_only_the_owner_appends(journal):
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.release("r1")
    await journal.release("r1")
    with pytest.raises(RunBusy):
        await journal.append("r1", 1, [b"2"], sync=True)
    with pytest.raises(RunBusy):
        await journal.take_messages("r1")
    assert await journal.claim("r1")
    assert await journal.claim("r1")
    await journal.append("r1", 1, [b"2"], sync=True)
    assert await journal.read("r1") == [b"1", b"2"]


async def test_an_ended_run_is_released_and_can_be_claimed_to_go_on(journal):
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.append("r1", 1, [b"2"], DONE, sync=True)
    with pytest.raises(RunBusy):
        await journal.append("r1", 2, [b"3"], sync=True)
    await journal.release("r1")
    assert await journal.abandoned() == []
    assert await journal.claim("r1")
    await journal.append("r1", 2, [b"3"], StatusChange("running"), sync=True)
    found = await journal.header("r1")
    assert (found.status, found.ended_at, found.events) == ("running", None, 3)


async def test_what_is_not_there_is_not_found(journal):
    for call in (
        journal.header("r1"),
        journal.read("r1"),
        journal.claim("r1"),
        journal.append("r1", 0, [b"1"], sync=True),
        journal.post("r1", b"m"),
        journal.take_messages("r1"),
        journal.load_blueprint("h"),
    ):
        with pytest.raises(NotFound):
            await call
    await journal.release("r1")


async def test_a_key_starts_one_run(journal):
    assert await journal.create(header("r1", key="k"), [b"1"], sync=True) == "r1"
    assert await journal.create(header("r2", key="k"), [b"2"], sync=True) == "r1"
    assert await journal.create(header("r3", key="k", blueprint="c"), [], sync=True) == "r3"
    assert await journal.create(header("r4"), [], sync=True) == "r4"
    assert await journal.read("r1") == [b"1"]
    with pytest.raises(NotFound):
        await journal.header("r2")
    started = [journal.create(header(f"s{n}", key="x"), [b"1"], sync=True) for n in range(20)]
    assert len(set(await asyncio.gather(*started))) == 1


async def test_a_run_is_created_once(journal):
    await journal.create(header("r1"), [b"1"], sync=True)
    with pytest.raises(StoreError, match="r1"):
        await journal.create(header("r1", key="k"), [b"2"], sync=True)
    assert await journal.create(header("r2", key="k"), [], sync=True) == "r2"
    assert await journal.read("r1") == [b"1"]


async def test_lists_are_newest_first_and_in_pages(journal):
    for number in range(10):
        name = "even" if number % 2 == 0 else "odd"
        await journal.create(header(f"r{number}", blueprint=name), [b"1"], sync=False)
    for number in (1, 2, 3):
        await journal.append(f"r{number}", 1, [], DONE, sync=False)

    async def listed(**wanted):
        return [one.run for one in await journal.list(**wanted)]

    assert await listed() == [f"r{n}" for n in reversed(range(10))]
    assert await listed(limit=3) == ["r9", "r8", "r7"]
    assert await listed(limit=3, before="r7") == ["r6", "r5", "r4"]
    assert await listed(status="completed") == ["r3", "r2", "r1"]
    assert await listed(status="completed", blueprint="odd") == ["r3", "r1"]
    assert await listed(blueprint="even", before="r6") == ["r4", "r2", "r0"]
    assert await listed(status="completed", before="r2") == ["r1"]
    assert await listed(status="paused") == []


async def test_abandoned_runs_are_unfinished_and_unowned(journal):
    for number in (3, 1, 2, 4):
        await journal.create(header(f"r{number}"), [b"1"], sync=True)
    await journal.append("r4", 1, [], DONE, sync=True)
    assert await journal.abandoned() == []
    for number in (3, 2):
        await journal.release(f"r{number}")
    assert await journal.abandoned() == ["r2", "r3"]
    assert await journal.abandoned(1) == ["r2"]
    assert await journal.claim("r2")
    assert await journal.abandoned() == ["r3"]


async def test_messages_are_taken_once_and_in_order(journal):
    await journal.create(header("r1"), [], sync=True)
    await journal.create(header("r2"), [], sync=True)
    assert await journal.take_messages("r1") == []
    await journal.post("r1", b"a")
    await journal.post("r2", b"other")
    await journal.post("r1", b"b")
    assert await journal.take_messages("r1") == [b"a", b"b"]
    assert await journal.take_messages("r1") == []
    await journal.release("r1")
    await journal.post("r1", b"c")
    assert await journal.claim("r1")
    assert await journal.take_messages("r1") == [b"c"]


async def test_blueprints_are_kept_by_hash(journal):
    await journal.save_blueprint("h", b"{}")
    await journal.save_blueprint("h", b"ignored")
    assert await journal.load_blueprint("h") == b"{}"


async def test_many_runs_at_once_keep_their_order(journal):
    async def drive(run):
        await journal.create(header(run), [b"0"], sync=True)
        for number in range(1, 40):
            await journal.append(run, number, [b"%d" % number], sync=number % 3 == 0)
        await journal.append(run, 40, [], DONE, sync=True)

    runs = [f"r{number:03}" for number in range(50)]
    await asyncio.gather(*(drive(run) for run in runs))
    for run in runs:
        assert await journal.read(run) == [b"%d" % number for number in range(40)]


async def test_a_caller_may_give_up_waiting(journal):
    await journal.create(header("r1"), [b"1"], sync=True)
    waiting = asyncio.create_task(journal.append("r1", 1, [b"2"], sync=True))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await journal.read("r1") == [b"1", b"2"]


async def test_large_records_come_back(journal):
    large = bytes(range(256)) * 2000
    await journal.create(header("r1"), [large, b"small", large], sync=True)
    assert await journal.read("r1") == [large, b"small", large]


async def test_a_closed_store_says_so(journal):
    await journal.create(header("r1"), [], sync=True)
    await journal.close()
    await journal.close()
    for call in (
        journal.create(header("r2"), [], sync=True),
        journal.claim("r1"),
        journal.post("r1", b"m"),
        journal.append("r1", 0, [b"1"], sync=True),
        journal.append("r1", 0, [b"1"], sync=False),
    ):
        with pytest.raises(StoreError, match="not open"):
            await call


async def test_memory_forgets_the_runs_that_ended_first():
    journal = MemoryJournal(keep=3)
    await journal.open()
    for number in range(10):
        await journal.create(header(f"r{number}", key=f"k{number}"), [b"1"], sync=True)
        if number != 4:
            await journal.append(f"r{number}", 1, [], DONE, sync=True)
    assert [one.run for one in await journal.list()] == ["r9", "r8", "r7", "r4"]
    assert await journal.create(header("again", key="k0"), [], sync=True) == "again"
    assert len(journal._keys) == 5


@pytest.mark.parametrize("url", ["postgres://host/db", "redis:x"])
def test_an_unknown_kind_of_store_is_refused(url):
    with pytest.raises(StoreError, match="no kind of store"):
        open_journal(url)


def test_addresses(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_journal().path.name == "runs.db"
    assert open_journal().path.parent.name == "atomiton"
    assert open_journal("sqlite:").path == open_journal().path
    assert open_journal(f"sqlite://{tmp_path}/a.db").path == tmp_path / "a.db"
    assert open_journal("sqlite:a.db").path == open_journal("a.db").path
    assert open_journal("~/b.db").path == tmp_path / "b.db"


async def test_what_is_added_now_is_what_append_would_have_added(journal):
    await journal.create(header("r1"), [b"1"], sync=True)
    if not journal.append_now("r1", 1, [b"2", b"3"]):  # a store may always say no
        await journal.append("r1", 1, [b"2", b"3"], sync=True)
    if not journal.append_now("r1", 3, [b"4"] * 40, DONE):
        await journal.append("r1", 3, [b"4"] * 40, DONE, sync=True)
    assert await journal.read("r1") == [b"1", b"2", b"3"] + [b"4"] * 40
    assert (await journal.header("r1")).status == "completed"


async def test_what_cannot_be_added_is_not_added_now_either(journal):
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.create(header("r2"), [b"1"], sync=True)
    await journal.release("r2")
    assert journal.append_now("r1", 5, [b"2"]) is False
    assert journal.append_now("r2", 1, [b"2"], DONE) is False
    assert journal.append_now("r3", 0, [b"2"]) is False
    await journal.append("r1", 1, [b"2"], sync=True)
    assert await journal.read("r1") == [b"1", b"2"]
    assert await journal.read("r2") == [b"1"]
    assert (await journal.header("r2")).status == "running"
