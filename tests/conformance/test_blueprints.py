"""Every store of blueprints keeps the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from atomiton.errors import Conflict, NotFound
from atomiton.ports.blueprints import BlueprintStore
from atomiton.ports.journal import Journal
from atomiton.store.open import open_journal


@pytest.fixture(params=["memory:", "sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    address = "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")
    journal = open_journal(address)
    await journal.open()
    yield journal
    await journal.close()


@pytest.fixture
def store(journal: Journal) -> BlueprintStore:
    return journal.blueprints


async def test_what_was_saved_is_given(store: BlueprintStore) -> None:
    saved = await store.save("a", "id: a # ü\n", "h1", 10.0, by="ada")
    assert (saved.version, saved.hash, saved.created_at, saved.by) == (1, "h1", 10.0, "ada")
    assert await store.get("a") == saved
    assert (await store.get("a")).source == "id: a # ü\n"


async def test_versions_count_up_and_the_same_text_makes_none(store: BlueprintStore) -> None:
    first = await store.save("a", "one", "h1", 10.0)
    same = await store.save("a", "one", "h1", 11.0)
    second = await store.save("a", "two", "h2", 12.0)
    assert same == first
    assert (second.version, second.created_at, second.updated_at) == (2, 10.0, 12.0)
    assert [of.version for of in await store.history("a")] == [2, 1]
    assert [of.version for of in await store.history("a", before=2)] == [1]
    assert [of.version for of in await store.history("a", limit=1)] == [2]
    assert (await store.get("a", 1)).source == "one"
    with pytest.raises(NotFound, match="version 3"):
        await store.get("a", 3)


async def test_a_change_of_something_else_is_refused(store: BlueprintStore) -> None:
    first = await store.save("a", "one", "h1", 10.0, expected="")
    with pytest.raises(Conflict, match="already"):
        await store.save("a", "other", "h", 11.0, expected="")
    await store.save("a", "two", "h2", 12.0, expected=first.etag)
    with pytest.raises(Conflict, match="version 2"):
        await store.save("a", "three", "h3", 13.0, expected=first.etag)
    with pytest.raises(Conflict):
        await store.delete("a", expected=first.etag)
    with pytest.raises(Conflict):
        await store.save("b", "one", "h", 13.0, expected="something")
    assert (await store.get("a")).source == "two"


async def test_a_list_goes_by_id_in_pages(store: BlueprintStore) -> None:
    for name in ("c", "a", "b", "d"):
        await store.save(name, f"text of {name}", name, 10.0)
    assert [of.id for of in await store.list()] == ["a", "b", "c", "d"]
    assert [of.id for of in await store.list(limit=2)] == ["a", "b"]
    assert [of.id for of in await store.list("b")] == ["c", "d"]
    assert {of.source for of in await store.list()} == {""}


async def test_a_deleted_one_keeps_its_history(store: BlueprintStore) -> None:
    await store.save("a", "one", "h1", 10.0)
    await store.delete("a")
    with pytest.raises(NotFound):
        await store.get("a")
    with pytest.raises(NotFound):
        await store.delete("a")
    assert await store.list() == []
    assert (await store.get("a", 1)).source == "one"
    again = await store.save("a", "one", "h1", 20.0, expected="")
    assert (again.version, again.created_at) == (2, 10.0)
    assert [of.id for of in await store.list()] == ["a"]


async def test_what_is_not_there_is_not_found(store: BlueprintStore) -> None:
    for asked in (store.get("a"), store.history("a"), store.delete("a"), store.get("a", 1)):
        with pytest.raises(NotFound, match="'a'"):
            await asked


async def test_of_many_at_once_one_is_first(store: BlueprintStore) -> None:
    saving = [store.save("a", f"text {n}", "h", 1.0, expected="") for n in range(10)]
    done = await asyncio.gather(*saving, return_exceptions=True)
    assert sum(isinstance(of, Conflict) for of in done) == 9
    assert len(await store.history("a")) == 1
