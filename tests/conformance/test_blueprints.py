"""What every store of blueprints must do, checked on each of them."""

import asyncio

import pytest

from atomiton import create_storage
from atomiton.blueprint.compile import content_hash
from atomiton.blueprint.document import read_blueprint
from atomiton.errors import AtomitonError, BlueprintError, Conflict, NotFound, StoreError
from atomiton.ports.blueprints import NEW
from atomiton.store.blueprints.objects import ObjectBlueprints


def text_of(id_="order-report", body="text: hello", **more):
    lines = [f"{key}: {value}" for key, value in more.items()]
    head = "\n".join(["atomiton: 1", f"id: {id_}  # its name", *lines])
    return f"{head}\nnodes:\n  a:\n    uses: data.set\n    with: {{{body}}}\n"


@pytest.fixture(params=["memory", "folder", "sqlite", "postgres", "objects", "s3"])
async def store(request, tmp_path):
    if request.param == "memory":
        made = create_storage("memory:")
    elif request.param == "folder":
        made = create_storage(f"file:{tmp_path}/blueprints")
    elif request.param == "sqlite":
        made = create_storage(f"sqlite:{tmp_path}/b.db")
    elif request.param == "postgres":
        made = create_storage(request.getfixturevalue("postgres_url"))
    elif request.param == "objects":
        made = ObjectBlueprints("memory:///")
    else:
        made = create_storage(request.getfixturevalue("s3_url"))
    ticks = iter(range(1000, 10_000))
    made._now = lambda: float(next(ticks))
    async with made:
        yield made


async def test_what_is_saved_comes_back_to_the_byte(store):
    text = text_of(name="Order “report”", version="1.2").replace("\n", "\r\n")
    info = await store.save(text)
    assert (info.id, info.revision, info.name) == ("order-report", 1, "Order “report”")
    assert (info.version, info.created_at, info.updated_at) == ("1.2", 1000.0, 1000.0)
    assert (info.deleted_at, info.problem) == (None, None)
    stored = await store.get("order-report")
    assert stored.text == text
    assert stored.info == info


async def test_the_hash_is_that_of_runs_and_the_etag_that_of_the_text(store):
    one = await store.save(text_of())
    moved = await store.save(text_of() + "layout: {a: [1, 2]}\n")
    assert one.hash == moved.hash == content_hash(read_blueprint(text_of())[0].document)
    assert one.etag != moved.etag
    assert moved.revision == 2


async def test_saving_the_same_again_changes_nothing(store):
    one = await store.save(text_of())
    assert await store.save(text_of()) == one
    assert await store.save(text_of(), expected=one.etag) == one
    assert len(await store.history("order-report")) == 1


async def test_every_revision_is_kept(store):
    for number in range(5):
        await store.save(text_of(body=f"n: {number}"))
    history = await store.history("order-report")
    assert [info.revision for info in history] == [5, 4, 3, 2, 1]
    assert [info.updated_at for info in history] == sorted(
        (info.updated_at for info in history), reverse=True
    )
    assert {info.created_at for info in history} == {1000.0}
    assert (await store.get("order-report", 2)).text == text_of(body="n: 1")
    page = await store.history("order-report", before=4, limit=2)
    assert [info.revision for info in page] == [3, 2]
    assert await store.history("order-report", before=1) == ()
    for missing in (0, -1, 6, 10**30, -(10**30)):
        with pytest.raises(NotFound, match="revision"):
            await store.get("order-report", missing)


async def test_an_old_revision_is_restored_as_a_new_one(store):
    first = await store.save(text_of(body="n: 1"))
    second = await store.save(text_of(body="n: 2"))
    with pytest.raises(Conflict):
        await store.restore("order-report", 1, expected=first.etag)
    restored = await store.restore("order-report", 1, expected=second.etag)
    assert (restored.revision, restored.etag) == (3, first.etag)
    assert (await store.get("order-report")).text == text_of(body="n: 1")
    assert await store.restore("order-report", 3) == restored
    with pytest.raises(NotFound):
        await store.restore("order-report", 9)


async def test_who_saves_over_a_newer_text_is_told(store):
    first = await store.save(text_of(), expected=NEW)
    second = await store.save(text_of(body="n: 2"), expected=first.etag)
    with pytest.raises(Conflict, match="changed meanwhile") as caught:
        await store.save(text_of(body="n: 3"), expected=first.etag)
    assert caught.value.code == "CONFLICT"
    assert caught.value.details == {"etag": second.etag, "revision": 2}
    with pytest.raises(Conflict, match="already"):
        await store.save(text_of(body="n: 3"), expected=NEW)
    with pytest.raises(Conflict, match="not there"):
        await store.save(text_of("other"), expected=first.etag)
    with pytest.raises(Conflict):
        await store.delete("order-report", expected=first.etag)
    assert (await store.get("order-report")).info == second


async def test_of_many_who_save_at_once_one_wins(store):
    start = await store.save(text_of())
    saves = [store.save(text_of(body=f"n: {n}"), expected=start.etag) for n in range(12)]
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    won = [one for one in outcomes if not isinstance(one, Conflict)]
    assert len(won) == 1
    assert (await store.get("order-report")).info == won[0]
    free = [store.save(text_of("free", body=f"n: {n}")) for n in range(12)]
    assert sorted(one.revision for one in await asyncio.gather(*free)) == list(range(1, 13))


async def test_what_is_deleted_can_be_brought_back(store):
    saved = await store.save(text_of())
    await store.delete("order-report", expected=saved.etag)
    with pytest.raises(NotFound, match="deleted"):
        await store.get("order-report")
    with pytest.raises(NotFound, match="deleted"):
        await store.delete("order-report")
    assert (await store.list()).items == ()
    (gone,) = (await store.list(deleted=True)).items
    assert gone.deleted_at is not None
    assert (await store.get("order-report", 1)).text == text_of()
    assert await store.history("order-report") == (gone,)
    assert await store.undelete("order-report") == saved
    assert await store.undelete("order-report") == saved
    assert (await store.get("order-report")).info == saved
    assert (await store.list(deleted=True)).items == ()


async def test_saving_what_was_deleted_brings_it_back(store):
    await store.save(text_of())
    await store.delete("order-report")
    again = await store.save(text_of(), expected=NEW)
    assert (again.revision, again.deleted_at) == (2, None)
    await store.delete("order-report")
    restored = await store.restore("order-report", 1)
    assert (restored.revision, restored.deleted_at) == (3, None)


async def test_lists_are_in_pages_by_id(store):
    for number in (3, 1, 2, 5, 4):
        await store.save(text_of(f"b-{number}"))
    seen, after = [], None
    while True:
        page = await store.list(after=after, limit=2)
        seen += [info.id for info in page.items]
        after = page.next
        if after is None:
            break
    assert seen == ["b-1", "b-2", "b-3", "b-4", "b-5"]
    assert (await store.list(limit=5)).next is None
    assert len((await store.list(limit=10**9)).items) == 5


async def test_lists_are_searched(store):
    await store.save(text_of("one", name="Große Übersicht", metadata="{tags: [daily, Finance]}"))
    await store.save(
        text_of("two", description="Sums up 100%_ of ORDERS", metadata="{tags: daily}")
    )
    await store.save(text_of("three", metadata="{tags: [finance, 7, [x], daily]}"))

    async def found(**wanted):
        return [info.id for info in (await store.list(**wanted)).items]

    assert await found(search="grosse über") == ["one"]
    assert await found(search="orders") == ["two"]
    assert await found(search="%_ of") == ["two"]
    assert await found(search="%") == ["two"]
    assert await found(search="") == ["one", "three", "two"]
    assert await found(tag="daily") == ["one", "three"]
    assert await found(tag="finance") == ["three"]
    assert await found(tag="7") == ["three"]
    assert await found(tag="daily", search="big") == []
    assert (await store.get("three")).info.tags == ("finance", "7", "daily")


async def test_a_draft_with_faults_can_be_saved(store):
    draft = "id: draft\nnodez: [1,\n  2]\nversion: 3\n"
    info = await store.save(draft)
    assert (info.name, info.version) == ("draft", "3")
    assert (await store.get("draft")).text == draft


@pytest.mark.parametrize(
    "text",
    ["", "id: [", "- a", "nodes: {}", "id: ../x", "id: Big", "id: 7", "id: a\0", "id: a\nid: b"],
)
async def test_a_text_without_a_valid_id_is_refused(store, text):
    with pytest.raises(BlueprintError):
        await store.save(text)
    assert (await store.list()).items == ()


@pytest.mark.parametrize(
    "text", ["", "id: [", "- a", "nodes: {}", "id: ../x", "a: 1\na: 2", "ü\t{"]
)
async def test_half_a_text_is_kept_under_the_id_it_is_meant_for(store, text):
    whole = await store.save(text_of("half"))
    info = await store.save(text, expected=whole.etag, draft_of="half")
    assert (info.id, info.revision, info.name, info.hash) == ("half", 2, "half", "")
    assert info.problem
    stored = await store.get("half")
    assert stored.text == text
    assert (stored.info.etag, stored.info.hash) == (info.etag, "")
    (listed,) = (await store.list()).items
    assert listed.problem
    assert await store.save(text, expected=info.etag, draft_of="half") == stored.info
    assert (await store.restore("half", 1)).problem is None
    assert (await store.restore("half", 2)).problem
    assert (await store.get("half")).text == text
    finished = await store.save(text_of("half"), draft_of="half")
    assert (finished.revision, finished.problem) == (5, None)


async def test_a_text_that_names_an_id_is_kept_under_that(store):
    assert (await store.save(text_of("mine"), draft_of="other")).id == "mine"
    with pytest.raises(AtomitonError):
        await store.save("id: [", draft_of="../x")
    for refused in ("id: [" + "x" * 1024 * 1024, "id: a\0"):
        with pytest.raises(BlueprintError):
            await store.save(refused, draft_of="large")
    assert [info.id for info in (await store.list()).items] == ["mine"]


ATTACKS = [
    *("", ".", "..", "../x", "a/../../x", "/etc/passwd", "a/b", "a\\b", "..\\x", "C:x", "a\0b"),
    *(
        "A",
        "a.yaml",
        "a\n",
        " a",
        "a ",
        "ａ",
        "a\u0301",
        "%2e%2e",
        "-a",
        "~",
        "$HOME",
        "a" * 65,
        "é",
    ),
    *("'; DROP TABLE blueprint_heads; --", "a:b", ".atomiton", "\ud800", 7, None, b"a"),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
async def test_no_name_leads_out_of_the_store(store, attack):
    await store.save(text_of("a"))
    calls = [
        lambda: store.get(attack),
        lambda: store.get(attack, 1),
        lambda: store.history(attack),
        lambda: store.restore(attack, 1),
        lambda: store.delete(attack),
        lambda: store.undelete(attack),
    ]
    if attack is not None:
        calls.append(lambda: store.list(after=attack))
    for call in calls:
        with pytest.raises(AtomitonError) as caught:
            await call()
        assert caught.value.code == "INVALID_INPUT"


@pytest.mark.parametrize("limit", [0, -1, True, "1", None, 1.5])
async def test_a_limit_is_a_number_from_one(store, limit):
    await store.save(text_of())
    for call in (store.list(limit=limit), store.history("order-report", limit=limit)):
        with pytest.raises(AtomitonError, match="limit"):
            await call


async def test_what_is_not_there_is_not_found(store):
    for call in (
        store.get("gone"),
        store.get("gone", 1),
        store.history("gone"),
        store.history("gone", before=3),
        store.restore("gone", 1),
        store.delete("gone"),
        store.undelete("gone"),
    ):
        with pytest.raises(NotFound, match="gone"):
            await call


async def test_a_large_text_comes_back(store):
    text = text_of() + "# " + "ü" * 400_000 + "\n"
    await store.save(text)
    assert (await store.get("order-report")).text == text
    with pytest.raises(BlueprintError, match="1 MiB"):
        await store.save(text + text)


async def test_a_clock_that_goes_back_leaves_the_history_in_order(store):
    await store.save(text_of(body="n: 1"))
    store._now = lambda: 5.0
    await store.save(text_of(body="n: 2"))
    assert [info.updated_at for info in await store.history("order-report")] == [1000.0, 1000.0]


async def test_a_closed_store_says_so(store):
    await store.save(text_of())
    await store.close()
    await store.close()
    for call in (
        store.save(text_of("b")),
        store.get("order-report"),
        store.list(),
        store.history("order-report"),
        store.delete("order-report"),
    ):
        with pytest.raises(StoreError, match="not open"):
            await call


@pytest.mark.parametrize(
    "url",
    [
        *("redis:x", "sqlite:", "sqlite::memory:", "a\0b", "http://x", "", "file:"),
        *("s3:", "s3://", "s3://key:secret@bucket", "s3://b?secret_access_key=x", "postgresql://h"),
    ],
)
def test_an_address_that_names_no_store_is_refused(url):
    with pytest.raises(StoreError):
        create_storage(url)
