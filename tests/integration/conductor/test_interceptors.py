"""Interceptors change what nodes are called on and what they give; both are on record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.integration.conductor.hook_nodes import DID, NODES, add, document, kinds

from atomiton import Conductor, Hooks, NodeEvent, node
from atomiton.machine.events import InputChanged
from atomiton.machine.records import decode
from atomiton.nodes.spec import Lambda


@pytest.fixture(params=["memory:", "file"])
async def conductor(request: pytest.FixtureRequest, tmp_path: Path):
    DID.clear()
    store = "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")
    secrets = {"TOKEN": "s3cr3t-value"}
    async with Conductor(store, nodes=NODES, grace=0.1, secrets=secrets) as conductor:
        yield conductor


def one(uses: str, more: dict[str, object] | None = None, **parameters: object):
    return document({"a": {"uses": uses, "with": parameters, **(more or {})}})


def plus(event: NodeEvent) -> dict[str, object]:
    return {**event.parameters, "x": event.parameters["x"] + 10}  # type: ignore[operator]


async def changes(conductor: Conductor, run: str) -> list[InputChanged]:
    events = [event async for event in conductor.events(run)]
    return [event.fact for event in events if isinstance(event.fact, InputChanged)]


@pytest.mark.parametrize(
    ("uses", "given", "output"),
    [
        ("h.add", {"x": 1, "y": 2}, 13),
        ("h.pure", {"x": 1}, 12),
        ("h.once", {"x": 1}, 11),
        ("h.inline", {"x": 1}, 22),
        ("h.thread", {"x": 1}, {"x": 11, "main": False}),
    ],
)
async def test_an_input_can_be_changed_wherever_the_node_runs(
    conductor: Conductor, uses: str, given: dict[str, object], output: object
) -> None:
    conductor.hooks.input(plus)
    result = await conductor.run(one(uses, **given))
    assert result.output == {"a": output}
    (change,) = await changes(conductor, result.run)
    assert change.parameters == {**given, "x": 11}
    assert (change.by, change.attempt) == (f"hook {__name__}.plus", 1)
    assert (await conductor.show(result.run)).output == result.output


async def test_nodes_without_hooks_run_after_one_whose_input_was_changed(
    conductor: Conductor,
) -> None:
    conductor.hooks.input(plus, node="a")
    nodes = {
        "a": {"uses": "h.add", "with": {"x": 1}},
        "b": {"uses": "h.pure", "with": {"x": "${{ a }}"}},
    }
    async with asyncio.timeout(10):
        result = await conductor.run(document(nodes))
    assert result.output == {"b": 13}


async def test_interceptors_follow_each_other_and_hooks_before_see_what_they_made(
    conductor: Conductor,
) -> None:
    seen: list[object] = []
    conductor.hooks.before(lambda event: seen.append(event.parameters))
    conductor.hooks.input(plus)

    @conductor.hooks.input
    async def double(event: NodeEvent) -> dict[str, object]:
        return {"x": event.parameters["x"] * 2}  # type: ignore[operator]

    result = await conductor.run(one("h.add", x=1, y=2))
    assert result.output == {"a": 23}
    assert seen == [{"x": 22}]
    (change,) = await changes(conductor, result.run)
    assert change.by == f"hook {__name__}.plus, {double.__module__}.{double.__qualname__}"


@pytest.mark.parametrize("answer", [None, {"x": 1, "y": 2}])
async def test_what_is_left_as_it_is_is_not_put_on_record(
    conductor: Conductor, answer: object
) -> None:
    conductor.hooks.input(lambda _event: answer)
    result = await conductor.run(one("h.add", x=1, y=2))
    assert await kinds(conductor, result) == [
        "run_requested",
        "attempt_started",
        "attempt_completed",
    ]


async def test_a_change_of_type_alone_is_a_change(conductor: Conductor) -> None:
    conductor.hooks.input(lambda _event: {"value": True})
    result = await conductor.run(one("data.value", value=1))
    assert result.output == {"a": True}
    assert len(await changes(conductor, result.run)) == 1


async def test_every_attempt_is_asked_anew_on_the_nodes_own_input(conductor: Conductor) -> None:
    asked: list[tuple[int, object]] = []

    @conductor.hooks.input
    def sign(event: NodeEvent) -> dict[str, object]:
        asked.append((event.attempt, event.parameters["message"]))
        return {**event.parameters, "message": f"try {event.attempt}"}

    retry = {"retry": {"attempts": 2, "delay": 0.01}}
    result = await conductor.run(one("h.fail", retry, message="own"))
    assert asked == [(1, "own"), (2, "own")]
    assert result.error is not None
    assert result.error.message == "try 2"
    assert [change.attempt for change in await changes(conductor, result.run)] == [1, 2]


async def test_parameters_that_are_expressions_stay_the_nodes_own(conductor: Conductor) -> None:
    told: list[object] = []

    @conductor.hooks.input
    def fewer(event: NodeEvent) -> dict[str, object]:
        told.append(event.parameters)
        return {"items": [1, 2, 3, 9]}

    result = await conductor.run(one("h.keep", items=[7], where="item < 9", least=1))
    assert told == [{"items": [7], "least": 1}]
    assert result.output == {"a": [1, 2, 3]}


@pytest.mark.parametrize("uses", ["h.add", "h.thread", "h.inline"])
async def test_an_output_can_be_changed(conductor: Conductor, uses: str) -> None:
    conductor.hooks.output(lambda event: {"was": event.output})
    conductor.hooks.output(lambda _event: None)
    seen: list[object] = []
    conductor.hooks.after(lambda event: seen.append(event.output))
    result = await conductor.run(one(uses, x=1))
    assert isinstance(result.output, dict)
    assert result.output["a"].keys() == {"was"}
    assert seen == [result.output["a"]]
    assert (await conductor.show(result.run)).output == result.output


async def test_an_output_can_become_null(conductor: Conductor) -> None:
    conductor.hooks.output(lambda _event: Hooks.NULL)
    assert (await conductor.run(one("h.add"))).output == {"a": None}


async def test_what_an_interceptor_keeps_is_not_the_runs(conductor: Conductor) -> None:
    kept: list[int] = [1]
    conductor.hooks.output(lambda _event: kept, node="a")
    conductor.hooks.before(lambda _event: kept.append(2), node="b")
    nodes = {"a": add(), "b": {"uses": "data.value", "with": {"value": "${{ a }}"}}}
    assert (await conductor.run(document(nodes))).output == {"b": [1]}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"x": 1, "z": 2}, "has no parameter 'z'"),
        ({"x": "text"}, "'x'"),
        ([1], "returned list"),
        ({"x": object()}, "no JSON form"),
    ],
)
async def test_an_input_that_does_not_fit_is_the_failure_of_its_hook(
    conductor: Conductor, caplog: pytest.LogCaptureFixture, answer: object, words: str
) -> None:
    conductor.hooks.input(lambda _event: answer, node="a")
    conductor.hooks.input(lambda _event: answer, node="b", strict=True)
    result = await conductor.run(document({"a": add(), "b": add(on_error="continue")}))
    assert result.ok
    assert (result.nodes["a"].status, result.nodes["b"].status) == ("completed", "failed")
    error = result.nodes["b"].error
    assert error is not None
    assert error.code == "HOOK_FAILED"
    assert words in error.message
    assert words in caplog.text


async def test_secrets_in_a_changed_input_are_not_on_record(
    conductor: Conductor, tmp_path: Path
) -> None:
    told: list[object] = []

    @conductor.hooks.input
    def authorise(event: NodeEvent) -> dict[str, object]:
        told.append(event.parameters)
        return {"value": [event.parameters["value"], "more"]}

    conductor.hooks.output(lambda event: len(str(event.output)))
    blueprint = document(
        {"a": {"uses": "data.value", "with": {"value": "Bearer ${{ secrets.TOKEN }}"}}},
        secrets=["TOKEN"],
    )
    result = await conductor.run(blueprint)
    assert told == [{"value": "Bearer s3cr3t-value"}]
    assert result.output == {"a": len("['Bearer s3cr3t-value', 'more']")}
    events = [event async for event in conductor.events(result.run)]
    assert any(isinstance(event.fact, InputChanged) for event in events)
    assert "s3cr3t-value" not in repr(events)
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"s3cr3t-value" not in file.read_bytes()


# -- on record, and after a crash ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "durability", "waits"),
    [
        ("idempotent", "sync", True),
        ("once", "sync", True),
        ("pure", "sync", False),
        ("idempotent", "async", False),
    ],
)
async def test_a_changed_input_is_on_disk_before_the_node_acts_on_it(
    tmp_path: Path, effect: str, durability: str, waits: bool
) -> None:
    hooks = Hooks()
    hooks.input(plus)
    on_disk: list[bool] = []
    synced: set[int] = set()

    @node("h.look", effect=effect)  # type: ignore[arg-type]
    async def look(x: int) -> int:
        (run,) = conductor.driver.runs
        records = await conductor.journal.read(run)
        facts = [decode(record) for record in records]
        places = [n for n, fact in enumerate(facts, 1) if isinstance(fact, InputChanged)]
        on_disk.append(bool(places) and places[0] in synced)
        return x

    async with Conductor(str(tmp_path / "runs.db"), nodes=[look, *NODES], hooks=hooks) as conductor:
        append = conductor.journal.append

        async def noted(run: str, after: int, records: Sequence[object], *rest, sync: bool) -> None:
            await append(run, after, records, *rest, sync=sync)  # type: ignore[arg-type]
            if sync:
                synced.update(range(1, after + len(records) + 1))

        conductor.journal.append = noted  # type: ignore[method-assign]
        # Something else is at work: a commit would not be synced for the sake of that.
        nodes = {
            "other": {"uses": "h.slow", "with": {"seconds": 0.2}},
            "a": {"uses": "h.look", "with": {"x": 1}},
        }
        result = await conductor.run(document(nodes, durability=durability, output="${{ a }}"))
    assert result.output == 11
    assert on_disk == [waits]


async def test_nodes_whose_inputs_are_changed_together_each_wait_for_their_own(
    tmp_path: Path,
) -> None:
    hooks = Hooks()
    hooks.input(plus)
    nodes = {
        "pure": {"uses": "h.pure", "with": {"x": 1}},
        "one": {"uses": "h.add", "with": {"x": 1, "y": 1}},
        "free": {"uses": "h.pure", "with": {"x": 2}},
        "two": {"uses": "h.add", "with": {"x": 2, "y": 2}},
    }
    async with Conductor(str(tmp_path / "runs.db"), nodes=NODES, hooks=hooks) as conductor:
        result = await asyncio.wait_for(conductor.run(document(nodes, durability="sync")), 10)
        assert len(await changes(conductor, result.run)) == 4
    assert result.output == {"pure": 12, "one": 12, "free": 13, "two": 14}


@pytest.mark.parametrize("hooked", [True, False])
async def test_an_attempt_that_is_made_again_is_called_on_what_is_on_record(
    tmp_path: Path, hooked: bool
) -> None:
    calls: list[tuple[int, str]] = []
    asked: list[object] = []
    acts = asyncio.Event()

    @node("h.act")
    async def act(x: int, token: str) -> int:
        calls.append((x, token))
        acts.set()
        await asyncio.sleep(0 if len(calls) > 1 else 30)
        return x

    def other_each_time(event: NodeEvent) -> dict[str, object]:
        asked.append(event.attempt)
        return {"x": 100 + len(asked), "token": f"{event.parameters['token']}!"}

    store, secrets = str(tmp_path / "runs.db"), {"TOKEN": "s3cr3t-value"}
    hooks = Hooks()
    hooks.input(other_each_time)
    given = {"x": 1, "token": "${{ secrets.TOKEN }}"}
    blueprint = document({"a": {"uses": "h.act", "with": given}}, secrets=["TOKEN"])
    async with Conductor(store, nodes=[act], hooks=hooks, secrets=secrets) as first:
        run = (await first.start(blueprint)).id
        await asyncio.wait_for(acts.wait(), 5)
    again = hooks if hooked else None
    async with Conductor(store, nodes=[act], hooks=again, secrets=secrets) as second:
        result = await asyncio.wait_for(second.result(run), 10)
    assert calls == [(101, "s3cr3t-value!")] * 2
    assert asked == [1]
    assert result.output == {"a": 101}


async def test_after_a_crash_expressions_are_still_the_nodes_own(tmp_path: Path) -> None:
    acts = asyncio.Event()
    lives: list[int] = []

    @node("h.pick", effect="pure")
    async def pick(items: list[object], where: Lambda) -> list[object]:
        lives.append(len(lives))
        acts.set()
        await asyncio.sleep(30 if len(lives) == 1 else 0)
        return [item for n, item in enumerate(items) if where(item, n)]

    hooks = Hooks()
    hooks.input(lambda _event: {"items": [1, 2, 30]})
    given = {"items": [7], "where": "item < vars.limit"}
    blueprint = document({"a": {"uses": "h.pick", "with": given}}, variables={"limit": 9})
    store = str(tmp_path / "runs.db")
    async with Conductor(store, nodes=[pick], hooks=hooks, grace=0.1) as first:
        run = (await first.start(blueprint)).id
        await asyncio.wait_for(acts.wait(), 5)
    async with Conductor(store, nodes=[pick]) as second:
        result = await asyncio.wait_for(second.result(run), 10)
    assert (result.output, lives) == ({"a": [1, 2]}, [0, 1])


async def test_a_secret_that_is_missing_after_a_crash_fails_the_attempt(tmp_path: Path) -> None:
    acts = asyncio.Event()

    @node("h.act")
    async def act(token: str) -> str:
        acts.set()
        await asyncio.sleep(30)
        return token

    hooks = Hooks()
    hooks.input(lambda event: {"token": f"{event.parameters['token']}!"})
    blueprint = document(
        {"a": {"uses": "h.act", "with": {"token": "${{ secrets.TOKEN }}"}}}, secrets=["TOKEN"]
    )
    store = str(tmp_path / "runs.db")
    async with Conductor(store, nodes=[act], hooks=hooks, secrets={"TOKEN": "abcdef"}) as first:
        run = (await first.start(blueprint)).id
        await asyncio.wait_for(acts.wait(), 5)
    async with Conductor(store, nodes=[act], secrets={}) as second:
        result = await asyncio.wait_for(second.result(run), 10)
    assert result.status == "failed"
    assert result.error is not None
    assert "'TOKEN'" in result.error.message


async def test_results_on_record_are_not_asked_about_again(tmp_path: Path) -> None:
    told: list[tuple[str, str | None]] = []
    hooks = Hooks()
    for moment in ("before", "after", "error", "skip", "run_start", "run_always"):
        getattr(hooks, moment)(
            lambda event: told.append((event.moment, getattr(event, "node", None)))
        )
    hooks.output(lambda event: f"{event.output}!")
    nodes = {
        "off": add(enabled=False),
        "a": add(),
        "b": {"uses": "h.slow", "needs": ["a"], "with": {"seconds": 0.2}},
    }
    store = str(tmp_path / "runs.db")
    blueprint = document(nodes, output=["${{ a }}", "${{ b }}"])
    async with Conductor(store, nodes=NODES, hooks=hooks) as first:
        run = (await first.start(blueprint)).id
        await asyncio.sleep(0.05)
    before_crash = [("run_start", None), ("skip", "off"), ("before", "a"), ("after", "a")]
    assert told == [*before_crash, ("before", "b")]
    told.clear()
    async with Conductor(store, nodes=NODES, hooks=hooks) as second:
        result = await asyncio.wait_for(second.result(run), 10)
    assert result.output == ["3!", "slept!"]
    assert told == [("before", "b"), ("after", "b"), ("run_always", None)]
