"""Hooks around nodes, runs and compensation, on every store: who is called, when, with what."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.integration.conductor.hook_nodes import DID, NODES, add, document

from atomiton import CompensationEvent, Conductor, Hooks, NodeEvent, RunHookEvent
from atomiton.drivers.execution import Execution
from atomiton.drivers.hooked import HookedExecution


@pytest.fixture(params=["memory:", "file"])
async def conductor(request: pytest.FixtureRequest, tmp_path: Path):
    DID.clear()
    store = "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")
    async with Conductor(store, nodes=NODES, grace=0.1) as conductor:
        yield conductor


class Heard:
    """Notes what it is told."""

    def __init__(self, hooks: Hooks) -> None:
        self.events: list[NodeEvent | RunHookEvent | CompensationEvent] = []
        self.hooks = hooks

    def all(self, *moments: str, **selection: object) -> Heard:
        for moment in moments:
            getattr(self.hooks, moment)(self.note, **selection)
        return self

    def note(self, event: NodeEvent | RunHookEvent | CompensationEvent) -> None:
        self.events.append(event)

    def short(self) -> list[tuple[str, str | None]]:
        return [(event.moment, getattr(event, "node", None)) for event in self.events]


NODE_MOMENTS = ("before", "after", "error", "retry", "skip")
RUN_MOMENTS = ("run_start", "run_success", "run_failure", "run_cancel", "run_always")
UNDO_MOMENTS = ("compensation_start", "compensation_step", "compensation_end")


async def test_hooks_of_a_node_are_told_what_it_is_called_on_and_what_it_gives(
    conductor: Conductor,
) -> None:
    heard = Heard(conductor.hooks).all("before", "after")
    result = await conductor.run(document({"a": add()}))
    before, after = heard.events
    assert isinstance(before, NodeEvent)
    assert isinstance(after, NodeEvent)
    assert (before.run, before.blueprint, before.node, before.id) == (result.run, "test", "a", "a")
    assert (before.type, before.attempt, before.parameters) == ("h.add", 1, {"x": 1, "y": 2})
    assert (before.output, after.output, after.parameters) == (None, 3, {"x": 1, "y": 2})
    assert "x" not in repr(before)


async def test_every_moment_of_a_node(conductor: Conductor) -> None:
    heard = Heard(conductor.hooks).all(*NODE_MOMENTS)
    result = await conductor.run(
        document(
            {
                "good": add(),
                "off": add(enabled=False),
                "flaky": {
                    "uses": "h.fail",
                    "with": {"times": 1},
                    "retry": {"attempts": 2, "delay": 0.01},
                },
                "bad": {"uses": "h.fail", "needs": ["flaky"], "on_error": "continue"},
            }
        )
    )
    assert result.ok
    events = {}
    for event in heard.events:
        assert isinstance(event, NodeEvent)
        events.setdefault(event.node, []).append(
            (event.moment, event.attempt, event.error and event.error.message)
        )
    assert events == {
        "good": [("before", 1, None), ("after", 1, None)],
        "off": [("skip", 0, None)],
        "flaky": [
            ("before", 1, None),
            ("retry", 1, "broken"),
            ("before", 2, None),
            ("after", 2, None),
        ],
        "bad": [("before", 1, None), ("error", 1, "broken")],
    }


async def test_nodes_that_call_no_type_have_moments_too(conductor: Conductor) -> None:
    heard = Heard(conductor.hooks).all(*NODE_MOMENTS)
    result = await conductor.run(
        document(
            {
                "pause": {"wait": {"for": 0.01}},
                "way": {"branch": {"up": "true", "down": "else"}, "needs": ["pause"]},
                "up": add(needs=["way.up"]),
                "down": add(needs=["way.down"]),
                "each": {
                    "map": "${{ [5] }}",
                    "needs": ["up"],
                    "uses": "h.add",
                    "with": {"x": "${{ item }}"},
                },
                "body": {"needs": ["each"], "nodes": {"inner": add()}},
            }
        )
    )
    assert result.ok
    assert heard.short() == [
        ("before", "pause"),
        ("after", "pause"),
        ("before", "way"),
        ("after", "way"),
        ("skip", "down"),
        ("before", "up"),
        ("after", "up"),
        ("before", "each"),
        ("before", "each[0]"),
        ("after", "each[0]"),
        ("after", "each"),
        ("before", "body"),
        ("before", "body.inner"),
        ("after", "body.inner"),
        ("after", "body"),
    ]
    outputs = {e.node: e.output for e in heard.events if isinstance(e, NodeEvent) and e.output}
    assert outputs["each"] == [6]
    assert outputs["way"] == {"route": "up"}


async def test_hooks_are_chosen_by_id_path_and_type(conductor: Conductor) -> None:
    chosen = {
        name: Heard(conductor.hooks).all("before", **selection)
        for name, selection in {
            "id": {"node": "a"},
            "path": {"node": "body.a"},
            "type": {"type": "h.inline"},
            "two": {"node": ["a", "each"], "type": "h.inline"},
        }.items()
    }
    twice = {"uses": "h.inline", "with": {"x": 1}}
    result = await conductor.run(
        document(
            {
                "a": add(),
                "body": {"needs": ["a"], "nodes": {"a": twice}},
                "each": {"map": "${{ [1] }}", "needs": ["body"], **twice},
            }
        )
    )
    assert result.ok
    nodes = {name: [node for _, node in heard.short()] for name, heard in chosen.items()}
    assert nodes == {
        "id": ["a", "body.a"],
        "path": ["body.a"],
        "type": ["body.a", "each[0]"],
        "two": ["body.a", "each[0]"],
    }


async def test_called_blueprints_have_their_nodes_under_the_caller(conductor: Conductor) -> None:
    heard = Heard(conductor.hooks).all("before", node="one.a")
    conductor.library.add(document({"a": add()}, id="inner"))
    caller = document({"one": {"call": "inner"}, "two": {"call": "inner"}}, id="outer")
    assert (await conductor.run(caller)).ok
    assert heard.short() == [("before", "one.a")]


async def test_hooks_are_called_in_order_plain_or_not(conductor: Conductor) -> None:
    order: list[tuple[str, str]] = []

    def register(moment: str) -> None:
        async def slow(_event: object) -> None:
            await asyncio.sleep(0.01)
            order.append((moment, "1 slow"))

        async def quick(_event: object) -> None:
            order.append((moment, "3 quick"))

        point = getattr(conductor.hooks, moment)
        point(slow)
        point(lambda _event: order.append((moment, "2 plain")))
        point(quick)

    moments = ("run_start", "before", "after", "error", "run_failure")
    for moment in moments:
        register(moment)
    nodes = {"a": add(), "bad": {"uses": "h.fail", "needs": ["a"]}}
    assert (await conductor.run(document(nodes))).status == "failed"
    for moment in moments:
        told = [who for at, who in order if at == moment]
        times = 2 if moment == "before" else 1
        assert told == ["1 slow", "2 plain", "3 quick"] * times


@pytest.mark.parametrize(
    ("nodes", "moments"),
    [
        ({"a": {"uses": "h.add"}}, ["run_start", "run_success", "run_always"]),
        ({"a": {"uses": "h.fail"}}, ["run_start", "run_failure", "run_always"]),
        ({"a": {"uses": "h.slow"}}, ["run_start", "run_cancel", "run_always"]),
    ],
)
async def test_moments_of_a_run(
    conductor: Conductor, nodes: dict[str, object], moments: list[str]
) -> None:
    heard = Heard(conductor.hooks).all(*RUN_MOMENTS)
    blueprint = document(nodes, version="2", inputs={"x": {"type": "integer", "default": 4}})
    run = await conductor.start(blueprint)
    if "run_cancel" in moments:
        await run.cancel("enough")
    result = await run.result()
    assert [event.moment for event in heard.events] == moments
    first, *_, last = heard.events
    assert isinstance(first, RunHookEvent)
    assert isinstance(last, RunHookEvent)
    assert (first.run, first.blueprint, first.version) == (result.run, "test", "2")
    assert (first.status, first.inputs, first.output, first.error) == (
        "running",
        {"x": 4},
        None,
        None,
    )
    assert (last.status, last.output, last.error) == (result.status, result.output, result.error)


async def test_a_run_is_over_once_its_hooks_have_ended(conductor: Conductor) -> None:
    ended: list[str] = []

    @conductor.hooks.run_always
    async def tidy(event: RunHookEvent) -> None:
        await asyncio.sleep(0.05)
        ended.append(event.run)

    result = await conductor.run(document({"a": add()}))
    assert ended == [result.run]
    run = await conductor.start(document({"a": add()}))
    async for _event in run.events():
        pass
    assert ended == [result.run, run.id]


async def test_moments_of_compensation(conductor: Conductor) -> None:
    heard = Heard(conductor.hooks).all(*UNDO_MOMENTS)
    undo = {"compensate": {"uses": "h.add"}}
    result = await conductor.run(
        document(
            {
                "first": add(**undo),
                "each": {**add(**undo), "map": "${{ [1] }}", "needs": ["first"]},
                "body": {
                    "needs": ["each"],
                    "nodes": {"last": add(compensate={"uses": "h.fail"})},
                },
                "bad": {"uses": "h.fail", "needs": ["body"]},
            }
        )
    )
    assert result.status == "failed"
    assert heard.short() == [
        ("compensation_start", None),
        ("compensation_step", "body.last"),
        ("compensation_step", "each[0]"),
        ("compensation_step", "first"),
        ("compensation_end", None),
    ]
    start, step, *_, end = heard.events
    assert isinstance(start, CompensationEvent)
    assert isinstance(step, CompensationEvent)
    assert isinstance(end, CompensationEvent)
    assert start.nodes == ("body.last", "each[0]", "first")
    assert step.error is not None
    assert step.error.message == "broken"
    assert (end.failed, end.completed) == (
        ("body.last",),
        ("each[0]", "first"),
    )


async def test_compensations_and_closing_nodes_have_hooks_of_nodes(conductor: Conductor) -> None:
    heard = Heard(conductor.hooks).all("before", "error", type=["h.inline", "h.fail"])
    undo = {"uses": "h.inline", "with": {"x": 1}}
    nodes = {"a": add(compensate=undo), "bad": {"uses": "h.fail", "needs": ["a"]}}
    await conductor.run(document(nodes, on={"failure": {"uses": "h.fail"}}))
    assert heard.short() == [
        ("before", "bad"),
        ("error", "bad"),
        ("before", "a:compensate"),
        ("before", "on:failure"),
        ("error", "on:failure"),
    ]


async def test_what_a_hook_does_to_what_it_is_told_changes_nothing(conductor: Conductor) -> None:
    @conductor.hooks.before
    @conductor.hooks.after
    def spoil(event: NodeEvent) -> dict[str, object]:
        event.parameters["items"].append(99)  # type: ignore[attr-defined]
        if isinstance(event.output, list):
            event.output.append(99)
        return {"items": []}

    nodes = {"a": {"uses": "h.keep", "with": {"items": "${{ vars.list }}", "where": "item < 50"}}}
    result = await conductor.run(document(nodes, variables={"list": [1, 2, 60]}))
    assert result.output == {"a": [1, 2]}


async def test_a_hook_may_ask_for_something_of_its_run(conductor: Conductor) -> None:
    @conductor.hooks.skip
    async def stop(event: NodeEvent) -> None:
        await conductor.cancel(event.run, "a node was skipped")

    nodes = {"off": add(enabled=False), "slow": {"uses": "h.slow"}}
    result = await asyncio.wait_for(conductor.run(document(nodes)), 5)
    assert result.status == "cancelled"


async def test_hooks_given_to_the_conductor_and_in_files_of_nodes_are_taken_up(
    tmp_path: Path,
) -> None:
    file = tmp_path / "my_nodes.py"
    file.write_text(
        "from atomiton import Hooks, NodeEvent, node\n"
        "hooks = Hooks()\n"
        "again = hooks\n"
        "@node('my.one', effect='pure')\n"
        "async def one() -> int:\n"
        "    return 1\n"
        "@hooks.output(type='my.one')\n"
        "def more(event: NodeEvent) -> int:\n"
        "    return event.output + 10\n",
        encoding="utf-8",
    )
    given = Hooks()
    given.output(lambda event: event.output * 2)
    async with Conductor("memory:", nodes=[file], hooks=given) as conductor:
        result = await conductor.run(document({"a": {"uses": "my.one"}}))
    assert result.output == {"a": 12}


@pytest.mark.parametrize("registered", ["none", "others"])
async def test_a_run_without_a_hook_that_fits_pays_nothing(
    conductor: Conductor, registered: str
) -> None:
    if registered == "others":
        conductor.hooks.before(lambda _event: None, type="http.request")
        conductor.hooks.error(lambda _event: None, node="elsewhere")
        conductor.hooks.compensation_end(lambda _event: None)
    blueprint = document({"a": add(), "b": {"uses": "h.slow"}})
    run = await conductor.start(blueprint)
    execution = conductor.driver.runs[run.id]
    assert type(execution) is Execution
    assert execution.state.notices is None
    assert execution.state.top.quick
    assert execution.steps is conductor.library.program(blueprint).steps
    await run.cancel()


async def test_only_nodes_with_hooks_are_called_in_another_way(conductor: Conductor) -> None:
    conductor.hooks.before(lambda _event: None, node="a")
    blueprint = document({"a": add(), "b": {"uses": "h.slow"}})
    run = await conductor.start(blueprint)
    execution = conductor.driver.runs[run.id]
    plain = conductor.library.program(blueprint).steps
    assert isinstance(execution, HookedExecution)
    assert execution.state.notices is None
    assert execution.state.top.quick
    assert execution.steps[0] is not plain[0]
    assert execution.steps[1] is plain[1]
    await run.cancel()


async def test_hooks_do_not_keep_a_run_alive_that_has_ended(conductor: Conductor) -> None:
    import gc
    import weakref

    conductor.hooks.before(lambda _event: None)
    conductor.hooks.run_always(lambda _event: None)
    run = await conductor.start(document({"a": {"uses": "h.slow", "with": {"seconds": 0.01}}}))
    call = weakref.ref(conductor.driver.runs[run.id].steps[0].call)
    gc.disable()
    try:
        await run.result()
        del run
        await asyncio.sleep(0.01)
        assert call() is None
    finally:
        gc.enable()
