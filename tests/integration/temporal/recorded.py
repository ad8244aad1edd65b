"""Runs whose histories are kept, and how a history is replayed.

``python -m tests.integration.temporal.recorded`` (``make histories``) runs them on a development
server and keeps their histories under the version of the package: once for each release.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

from tests.integration.temporal.nodes import NODES

from atomiton.blueprint.document import read_document
from atomiton.conductor.conductor import Conductor
from atomiton.conductor.library import Library
from atomiton.conductor.run import Run
from atomiton.conductor.temporal.address import parse
from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings
from atomiton.drivers.temporal.wire import Options
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry

FOLDER = Path(__file__).with_name("histories")
#: What the task queue is called in a replay.
REPLAYED = "replay-None"
Doc = dict[str, object]
Meanwhile = Callable[[Conductor, Run], Awaitable[object]]


def touch(needs: list[str] | None = None, **more: object) -> Doc:
    after: Doc = {"needs": needs} if needs else {}
    return {"uses": "t.touch", "with": {"log": "/dev/null", **more}, **after}


def add(x: object, **more: object) -> Doc:
    return {"uses": "t.add", "with": {"x": x}, **more}


CHAIN = {
    "a": add(1),
    "b": touch(value="${{ a }}"),
    "c": add("${{ b }}", timeout="5s"),
    "d": touch(value="${{ c }}", seconds=0.1),
}
RETRY = {"a": {"uses": "t.flaky", "with": {"times": 2}, "retry": {"attempts": 3, "delay": 0.1}}}
MAP = {
    "wide": {"map": "${{ [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }}", **touch(value="${{ item }}")}
}
LOOP = {"turns": {"loop": {"times": 4, "start": 0}, **add("${{ acc }}")}}
LONG = {"turns": {"loop": {"times": 20, "start": 0}, **touch(value="${{ acc + 1 }}")}}
WAITS = {
    "timer": {"wait": {"for": "200ms"}},
    "go": {"wait": {"signal": "go"}, "needs": ["timer"]},
    "ok": {"wait": {"approval": {"title": "Really?"}}, "needs": ["go"]},
}
UNDONE = {
    "one": {**touch(value="one"), "compensate": touch(value="undone one")},
    "two": {**touch(["one"], value="two"), "compensate": add(2)},
    "bad": {"uses": "t.flaky", "with": {"times": 9}, "needs": ["two"]},
}
RACE = {
    "first": {
        "race": True,
        "nodes": {"quick": add(1), "slow": touch(seconds=30), "timer": {"wait": {"for": "30s"}}},
    }
}
PARTS = {
    "group": {"nodes": {"a": add(1), "b": touch(value="${{ a }}")}, "output": "${{ b }}"},
    "way": {"branch": {"high": "group > 5", "low": "else"}},
    "taken": add(1, needs=["way.low"]),
    "other": add(1, needs=["way.high"]),
}
STEPS = {
    "a": touch(value=1, seconds=0.5),
    "b": add("${{ a }}"),
    "c": touch(value="${{ b }}"),
    "d": add("${{ c }}"),
}
LIMIT = {"late": {**touch(seconds=30), "timeout": "300ms", "on_error": {"value": "late"}}}


async def waiting(conductor: Conductor, run: Run, kind: str) -> None:
    """Wait until a run waits for something of a kind."""
    while kind not in [wait.kind for wait in await conductor.waits(run.id)]:
        await asyncio.sleep(0.05)


async def signal(conductor: Conductor, run: Run) -> None:
    await waiting(conductor, run, "signal")
    await run.signal("go", {"amount": 5})
    await waiting(conductor, run, "approval")
    await run.approve("ok", by="Ada")


async def cancel(conductor: Conductor, run: Run) -> None:
    await asyncio.sleep(0.7)
    await run.cancel("enough")


async def ask(conductor: Conductor, run: Run) -> None:
    """Look at a run all the time while its pure nodes are at work."""
    for _ in range(40):
        await conductor.header(run.id)
        await asyncio.sleep(0.01)


async def pause(conductor: Conductor, run: Run) -> None:
    await run.pause()
    for _ in range(2):
        while (await conductor.header(run.id)).status != "paused":
            await asyncio.sleep(0.05)
        await run.step()
    await run.resume()


TURNS: Doc = {}
for n in range(5):
    TURNS[f"far{n}"] = touch(value=n, needs=[f"near{n - 1}"][:n])
    TURNS[f"near{n}"] = {
        "uses": "t.slow", "with": {"seconds": 0.01}, "timeout": "5s", "needs": [f"far{n}"]
    }  # fmt: skip
FAR = Options(heartbeat=5.0, local=0)
NEAR = Options(heartbeat=5.0)
#: What is run, with which options, and what is done to it meanwhile.
RUNS: dict[str, tuple[Doc, Options, Meanwhile | None]] = {
    "chain": (CHAIN, NEAR, None),
    "chain-far": (CHAIN, FAR, None),
    "retry": (RETRY, NEAR, None),
    "map": (MAP, NEAR, None),
    "loop": (LOOP, NEAR, None),
    "continued": (LONG, Options(heartbeat=5.0, history=60), None),
    "waits": (WAITS, NEAR, signal),
    "compensated": (UNDONE, NEAR, None),
    "cancelled": ({"a": touch(value=1), "b": touch(seconds=30)}, NEAR, cancel),
    "race": (RACE, NEAR, None),
    "parts": (PARTS, NEAR, None),
    "limit": (LIMIT, NEAR, None),
    "asked": (TURNS, NEAR, ask),
    "paused": (STEPS, NEAR, pause),
}


async def histories_of(client, run: str) -> list[str]:
    """Every history of a run as JSON: that it began with, and those that it went on in."""
    found = [listed.run_id async for listed in client.list_workflows(f"WorkflowId = '{run}'")]
    if not found:
        found = [(await client.get_workflow_handle(run).describe()).run_id]
    texts = []
    for number in found:
        history = await client.get_workflow_handle(run, run_id=number).fetch_history()
        texts.append(history.to_json())
    return texts


async def record(address: str) -> dict[str, list[str]]:
    """Run them all; gives their histories by name."""
    settings = WorkerSettings(parse(address), nodes=NODES)
    made: dict[str, str] = {}
    async with (
        TemporalWorker(settings),
        TemporalConductor(address, nodes=NODES) as conductor,
    ):

        async def one(name: str) -> None:
            nodes, options, meanwhile = RUNS[name]
            blueprint = read_document({"atomiton": 1, "id": name, "nodes": nodes})
            conductor._options = options
            run = await conductor.start(blueprint)
            if meanwhile is not None:
                await meanwhile(conductor, run)
            await run.result()
            made[name] = run.id

        for name in RUNS:
            await one(name)
        await asyncio.sleep(1.5)  # the server's list is behind by a moment
        client = conductor.journal.client
        return {name: await histories_of(client, run) for name, run in made.items()}


def replayer(client=None):
    """Replays histories as a worker with these node types would, from the first event on."""
    from temporalio.worker import Replayer

    from atomiton.conductor.temporal.worker import runner
    from atomiton.drivers.temporal.programs import Programs, serve
    from atomiton.drivers.temporal.values import converter
    from atomiton.drivers.temporal.workflow import BlueprintWorkflow

    library = Library(Registry.builtin(), Capabilities(), NODES)
    serve("default", REPLAYED, Programs(library.restore, lambda _program: {}))
    return Replayer(
        workflows=[BlueprintWorkflow],
        namespace="default",
        data_converter=converter(),
        workflow_runner=runner(),
    )


def main() -> None:
    from tests.temporal_server import TemporalServer

    folder = FOLDER / version("atomiton")
    if folder.exists() and "--again" not in sys.argv:
        sys.exit(f"{folder} is there already; --again records them anew, which no release may need")
    server = TemporalServer()
    server.start()
    try:
        kept = asyncio.run(record(server.address()))
    finally:
        server.stop()
    folder.mkdir(exist_ok=True, parents=True)
    for name, texts in kept.items():
        for number, text in enumerate(texts):
            file = folder / f"{name}-{number}.json.gz"
            file.write_bytes(gzip.compress(text.encode(), mtime=0))
            print(file.relative_to(FOLDER.parent), file.stat().st_size)


if __name__ == "__main__":
    main()
