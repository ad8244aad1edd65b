"""Buses of several processes as one: each fact is heard everywhere, once, in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.contract.places import Process, serving

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.client import connect
from atomiton.client.bridge import Bridge
from atomiton.events import Announcement, Bus, RunEvent
from atomiton.machine.events import Paused

CHAIN = read_document(
    {
        "atomiton": 1,
        "id": "chain",
        "nodes": {
            "a": {"uses": "data.value", "with": {"value": 1}},
            "b": {"uses": "data.value", "with": {"value": "${{ a }}"}},
        },
    }
)


def event(number: int, run: str = "run_1") -> RunEvent:
    return RunEvent(run, number, "paused", None, Paused(0.0))


def test_a_bus_takes_nothing_twice_and_nothing_of_its_own() -> None:
    one, two, other = Bus(), Bus(), Bus("other")
    heard: list[int] = []
    local: list[int] = []
    two.listen(lambda of: heard.append(of.number))
    two.listen(lambda of: local.append(of.number), local=True)
    sent: list[Announcement] = []
    one.tap(sent.append)
    for number in (1, 2, 3):
        one.publish(event(number))
    assert [(of.origin, of.sequence) for of in sent] == [(one.origin, n) for n in (1, 2, 3)]
    assert [two.relay(of) for of in (sent[0], sent[0], sent[2], sent[1])] == [
        True, False, True, False,
    ]  # fmt: skip
    assert (heard, local) == ([1, 3], [])
    assert not one.relay(sent[0])
    assert not other.relay(sent[0])
    back: list[Announcement] = []
    two.tap(back.append)
    two.publish(event(9))
    assert [of.origin for of in back] == [two.origin]


async def test_three_processes_in_a_ring_hear_everything_once(tmp_path: Path) -> None:
    """Two conductors, joined over a server, and with each other's bus by a second server."""
    second = tmp_path / "second"
    second.mkdir()
    async with (
        serving(str(tmp_path / "s.db"), tmp_path) as hub,
        serving(str(second / "s.db"), second) as other,
        Conductor(str(tmp_path / "a.db")) as one,
        Conductor(str(tmp_path / "b.db")) as two,
        connect(f"unix://{hub.socket}") as to_hub,
        connect(hub.address, token=hub.tokens.owner()) as to_hub_too,
        connect(f"unix://{other.socket}") as to_other,
        connect(f"unix://{other.socket}") as to_other_too,
        Bridge(one.bus, to_hub),
        Bridge(two.bus, to_hub_too),
        Bridge(one.bus, to_other),
        Bridge(two.bus, to_other_too),
    ):
        conductors = [one, two, hub.around.conductor, other.around.conductor]
        heard: list[list[tuple[str, int]]] = [[] for _ in conductors]
        for conductor, log in zip(conductors, heard, strict=True):
            conductor.bus.listen(lambda of, log=log: log.append((of.run, of.number)))
        runs = [(await conductor.run(CHAIN)).run for _ in range(5) for conductor in conductors]
        expected = len(heard[0])
        async with asyncio.timeout(20):
            while any(len({run for run, _ in log}) < len(runs) for log in heard):
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)  # what would come twice has come by now
        assert expected > 0
        for log in heard:
            assert len(log) == len(set(log))  # no doubles
            for run in runs:
                numbers = [number for of, number in log if of == run]
                assert numbers == list(range(1, len(numbers) + 1))  # in order, none missing
        assert len({len(log) for log in heard}) == 1


@pytest.mark.slow
async def test_a_server_that_comes_back_is_joined_again(tmp_path: Path) -> None:
    server = Process(str(tmp_path / "runs.db"), tmp_path)
    again: Process | None = None
    try:
        async with (
            Conductor("memory:") as conductor,
            connect(server.http, token=server.token, patience=20) as client,
            Bridge(conductor.bus, client),
        ):
            heard: list[str] = []
            conductor.bus.listen(lambda of: heard.append(of.run))
            before = (await client.run(CHAIN)).run
            async with asyncio.timeout(10):
                while before not in heard:
                    await asyncio.sleep(0.05)
            await asyncio.to_thread(server.stop)
            again = Process(str(tmp_path / "runs.db"), tmp_path, server.port)
            async with asyncio.timeout(20):
                while True:  # the stream is made anew in a moment
                    after = (await client.run(CHAIN)).run
                    await asyncio.sleep(0.3)
                    if after in heard:
                        break
    finally:
        if again is not None:
            again.stop()
        elif server.process.poll() is None:
            server.stop()
