"""Kept results are the same wherever they are kept."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from atomiton.conductor.beside import Beside
from atomiton.conductor.caching import Results
from atomiton.ports.cache import Kept


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        given: str = request.getfixturevalue("postgres_url")
        return given
    return "memory:" if request.param == "memory" else str(tmp_path / "runs.db")


async def test_what_is_kept_is_found_until_its_time_is_over(address: str) -> None:
    moment = [100.0]
    beside = Beside(address)
    results = Results(beside, lambda: moment[0])
    output = {"text": "ü", "bytes": b"\0\xff", "list": [1, 1.5, None, True]}
    kept = Kept(output, "run_1", "a.b[2]", 100.0)
    await results.keep(b"key", "t.a", kept, 110.0)
    await results.keep(b"good", "t.b", Kept(1, "run_1", "c", 100.0), math.inf)
    assert await results.find(b"key", -math.inf) == kept
    assert await results.find(b"key", 99.0) == kept
    assert await results.find(b"key", 100.0) is None
    assert await results.find(b"other", -math.inf) is None
    moment[0] = 110.0
    assert await results.find(b"key", -math.inf) is None
    assert [of.type for of in await results.list()] == ["t.b"]
    await beside.close()


async def test_a_later_result_takes_the_place_of_an_earlier_one(address: str) -> None:
    beside = Beside(address)
    results = Results(beside, lambda: 100.0)
    for value in (1, 2):
        await results.keep(b"key", "t.a", Kept(value, f"run_{value}", "a", 90.0 + value), 200.0)
    found = await results.find(b"key", -math.inf)
    assert found == Kept(2, "run_2", "a", 92.0)
    (told,) = await results.list()
    assert (told.results, told.bytes, told.kept_at) == (1, 1, 92.0)
    assert await results.clear() == 1
    await beside.close()


async def test_many_may_keep_and_look_at_once(address: str) -> None:
    beside, other = Beside(address), Beside(address)
    results = Results(beside, lambda: 100.0)
    ours = [
        results.keep(bytes([n]), "t.a", Kept(n, "run_1", "a", 100.0), math.inf) for n in range(40)
    ]
    theirs = Results(other, lambda: 100.0)
    if address != "memory:":
        ours += [
            theirs.keep(bytes([n]), "t.a", Kept(n, "run_1", "a", 100.0), math.inf)
            for n in range(40)
        ]
    await asyncio.gather(*ours)
    found = await asyncio.gather(*(results.find(bytes([n]), -math.inf) for n in range(40)))
    assert [kept and kept.output for kept in found] == list(range(40))
    await beside.close()
    await other.close()
