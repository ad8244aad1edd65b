"""Blueprints run in virtual time, with nodes replaced."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from atomiton import node
from atomiton.blueprint.document import read_document
from atomiton.errors import AtomitonError, BlueprintError, NodeError
from atomiton.nodes.guard import Capabilities
from atomiton.ports.capabilities import Attempt, Clock, Files
from atomiton.testing import (
    REAL,
    VirtualConductor,
    crash_at_every_step,
    fails,
    in_turn,
    run,
    virtual_run,
)
from atomiton.testing.virtual_time import START

DAY = 24 * 3600.0


def blueprint(nodes: dict[str, object], **keys: object):
    return read_document({"atomiton": 1, "id": "tested", "nodes": nodes, **keys})


@node("t.double", effect="pure")
def double(number: int) -> int:
    return number * 2


@node("t.clock")
async def clock_node(seconds: float, *, clock: Clock) -> list[float]:
    before = clock.now()
    await clock.sleep(seconds)
    return [before, clock.now()]


@node("t.sleepy")
def sleepy(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@node("t.slow")
async def slow(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


def test_a_month_is_over_at_once() -> None:
    nap = blueprint({"nap": {"wait": {"for": "30d"}}, "end": {
        "uses": "data.value", "needs": ["nap"], "with": {"value": "${{ string(run.started_at) }}"},
    }}, output="${{ end }}")  # fmt: skip
    began = time.monotonic()
    trial = run(nap)
    assert time.monotonic() - began < 20
    assert (trial.status, trial.seconds) == ("completed", 30 * DAY)
    assert trial.output == "2026-01-01T00:00:00Z"
    assert trial.nodes["nap"].duration_ms == 30 * DAY * 1000


def test_the_clock_of_nodes_is_that_of_the_run() -> None:
    trial = run(blueprint({"nap": {"wait": {"for": "1d"}}, "ask": {
        "uses": "t.clock", "needs": ["nap"], "with": {"seconds": 3600},
    }}), nodes=[clock_node])  # fmt: skip
    assert trial.outputs["ask"] == [START + DAY, START + DAY + 3600]


def test_retries_timeouts_and_deadlines_happen_as_they_would() -> None:
    retry = {"attempts": 3, "delay": "2h", "factor": 3, "max_delay": "1d", "jitter": 0}
    retried = {"uses": "t.slow", "with": {"seconds": 7200}, "timeout": "1h", "retry": retry}
    trial = run(blueprint({"slow": retried}), nodes=[slow])
    assert trial.status == "failed"
    assert trial.error is not None
    assert trial.error.code == "TIMEOUT"
    assert trial.nodes["slow"].attempts == 3
    assert trial.seconds == 3 * 3600 + 2 * 3600 + 6 * 3600
    trial = run(blueprint({"slow": {**retried, "deadline": "4h"}}), nodes=[slow])
    assert (trial.status, trial.seconds) == ("failed", 4 * 3600)
    trial = run(blueprint({"nap": {"wait": {"for": "2d"}}}, limits={"timeout": "1d"}))
    assert (trial.status, trial.seconds) == ("failed", DAY)


def test_threads_and_workers_are_waited_for() -> None:
    """The hour of the other node must not be over before the thread is."""
    both = {
        "thread": {"uses": "t.sleepy", "with": {"seconds": 0.1}},
        "hour": {"wait": {"for": "1h"}},
    }
    trial = run(blueprint(both), nodes=[sleepy])
    assert trial.status == "completed"
    ended = {event.kind: event.number for event in trial.events}
    assert ended["attempt_completed"] < ended["timer_fired"]


def test_a_timeout_of_a_thread_holds() -> None:
    release = threading.Event()

    @node("t.stuck")
    def stuck() -> None:
        while not release.wait(0.01):
            pass

    trial = run(blueprint({"stuck": {"uses": "t.stuck", "timeout": "100ms"}}), nodes=[stuck])
    release.set()
    assert trial.error is not None
    assert trial.error.code == "TIMEOUT"
    assert trial.seconds == pytest.approx(0.1, abs=10)


def test_a_durable_run_in_sqlite_waits_in_virtual_time(tmp_path) -> None:
    two = {"uses": "t.double", "needs": ["nap"], "with": {"number": 2}}
    nap = blueprint({"nap": {"wait": {"for": "365d"}}, "two": two}, output="${{ two }}")
    began = time.monotonic()
    trial = run(nap, nodes=[double], store=str(tmp_path / "runs.db"))
    assert (trial.status, trial.output) == ("completed", 4)
    assert trial.seconds == pytest.approx(365 * DAY, abs=30)
    assert time.monotonic() - began < 40


def test_a_run_can_be_steered_in_virtual_time() -> None:
    async def main() -> tuple[str, float]:
        async with VirtualConductor() as conductor:
            started = await conductor.start(blueprint({"nap": {"wait": {"for": "30d"}}}))
            await asyncio.sleep(DAY)
            await started.cancel("late")
            result = await started.result()
            return result.status, result.duration_ms / 1000

    assert virtual_run(main()) == ("cancelled", DAY)


async def test_a_virtual_conductor_needs_virtual_time() -> None:
    with pytest.raises(AtomitonError, match="virtual_run"):
        await VirtualConductor().__aenter__()


CHAIN = {
    "rate": {"uses": "http.request", "with": {"url": "http://rates.example/${{ inputs.to }}"}},
    "total": {"uses": "t.double", "with": {"number": "${{ rate.json.rate }}"}},
}


def chain(**keys: object):
    return blueprint(CHAIN, inputs={"to": "string"}, output="${{ total }}", **keys)


@pytest.mark.parametrize("name", ["rate", "http.request", "http.request@1"])
def test_a_node_is_replaced_by_a_value(name) -> None:
    if "@" in name:
        source = blueprint({**CHAIN, "rate": {**CHAIN["rate"], "uses": name}},
                           inputs={"to": "string"}, output="${{ total }}")  # fmt: skip
    else:
        source = chain()
    trial = run(source, {"to": "EUR"}, nodes=[double], replace={name: {"json": {"rate": 21}}})
    assert trial.output == 42
    assert trial.calls == {"rate": [{"url": "http://rates.example/EUR"}]}
    assert trial.outputs == {"rate": {"json": {"rate": 21}}, "total": 42}


def test_a_node_is_replaced_by_a_function_of_what_it_is_given() -> None:
    async def rates(url: str) -> object:
        await asyncio.sleep(60)
        return {"json": {"rate": len(url)}}

    trial = run(chain(), {"to": "EUR"}, nodes=[double],
                replace={"rate": rates, "total": lambda **given: given["number"] + 1})  # fmt: skip
    assert trial.output == len("http://rates.example/EUR") + 1
    assert trial.seconds == 60


def test_a_node_is_replaced_by_another_node_with_its_doors(tmp_path) -> None:
    @node("t.file")
    async def from_file(url: str, *, files: Files, me: Attempt) -> dict[str, object]:
        return {"json": {"rate": int(await files.read("rate.txt"))}, "key": me.key}

    (tmp_path / "rate.txt").write_text("4")
    trial = run(chain(), {"to": "EUR"}, nodes=[double], replace={"rate": from_file},
                capabilities=Capabilities(base=tmp_path))  # fmt: skip
    assert trial.output == 8
    assert trial.outputs["rate"]["key"].endswith("/rate")


def test_errors_and_results_come_in_turn_for_each_attempt() -> None:
    retried = {**CHAIN["rate"], "retry": {"attempts": 3, "delay": 10, "factor": 1, "jitter": 0}}
    source = blueprint({**CHAIN, "rate": retried}, inputs={"to": "string"}, output="${{ total }}")
    answers = in_turn(NodeError("down"), ConnectionError("no route"), {"json": {"rate": 1}})
    trial = run(source, {"to": "EUR"}, nodes=[double], replace={"rate": answers})
    assert (trial.output, trial.nodes["rate"].attempts, trial.seconds) == (2, 3, 20)
    trial = run(
        source, {"to": "EUR"}, nodes=[double], replace={"rate": NodeError("off", code="OFF")}
    )
    assert trial.error is not None
    assert (trial.error.code, trial.error.attempt) == ("OFF", 3)
    trial = run(source, {"to": "EUR"}, nodes=[double], replace={"rate": KeyError})
    assert trial.status == "failed"


def test_the_real_node_may_have_its_turn() -> None:
    retried = {"uses": "t.double", "with": {"number": 4}, "retry": {"attempts": 3, "delay": 1}}
    trial = run(blueprint({"two": retried}, output="${{ two }}"), nodes=[double],
                replace={"two": fails("down", times=2)})  # fmt: skip
    assert (trial.output, trial.nodes["two"].attempts) == (8, 3)
    trial = run(blueprint({"two": retried}, output="${{ two }}"), nodes=[double],
                replace={"t.double": in_turn(REAL)})  # fmt: skip
    assert trial.output == 8
    slowly = {"uses": "t.slow", "with": {"seconds": 9}, "retry": {"attempts": 2, "jitter": 0}}
    trial = run(blueprint({"one": slowly}), nodes=[slow], replace={"one": fails(times=1)})
    assert trial.seconds == 10


def test_a_wait_and_a_node_that_is_not_installed_can_be_replaced() -> None:
    nodes = {
        "nap": {"wait": {"until": "timestamp(inputs.at)"}},
        "pay": {"uses": "bank.pay", "needs": ["nap"], "with": {"amount": 3}},
    }
    source = blueprint(nodes, inputs={"at": "string"}, output="${{ pay }}")
    with pytest.raises(BlueprintError, match=r"no node type 'bank\.pay'"):
        run(source, {"at": "2027-01-01T00:00:00Z"})
    trial = run(source, {"at": "2027-01-01T00:00:00Z"},
                replace={"nap": None, "pay": lambda amount: amount + 1})  # fmt: skip
    assert (trial.output, trial.seconds) == (4, 0)
    assert list(trial.calls) == ["nap", "pay"]


def test_a_wrong_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        AtomitonError, match=r"no node or node type 'rat' \(did you mean 'rate'\?\)"
    ):
        run(chain(), {"to": "EUR"}, nodes=[double], replace={"rat": 1})
    with pytest.raises(AtomitonError, match=r"'x'; it has http\.request, rate, t\.double, total"):
        run(chain(), {"to": "EUR"}, nodes=[double], replace={"x": 1})


def test_a_function_that_wants_something_else_says_so() -> None:
    trial = run(chain(), {"to": "EUR"}, nodes=[double], replace={"rate": lambda uri: uri})
    assert trial.error is not None
    assert trial.error.message == "the replacement of 'rate' wants 'uri', but is given url"


def test_a_result_is_nobody_elses() -> None:
    shared = {"json": {"rate": 1, "list": []}}
    trial = run(chain(), {"to": "EUR"}, nodes=[double], replace={"rate": shared})
    trial.outputs["rate"]["json"]["list"].append(1)
    assert shared["json"]["list"] == []


def test_problems_have_their_places_also_when_nodes_are_replaced(tmp_path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "atomiton: 1\nid: wrong\nnodes:\n  a: {uses: data.value, with: {value: 1}}\n"
        "  b:\n    uses: data.valu\n    with: {value: 1}\n"
    )
    with pytest.raises(BlueprintError, match="6:11"):
        run(path, replace={"a": 2})


def test_the_same_run_comes_out_the_same() -> None:
    flaky = {"uses": "data.value", "with": {"value": 1}, "retry": {"attempts": 4, "jitter": 1}}
    trials = [run(blueprint({"a": flaky}), replace={"a": fails(times=3)}) for _ in range(3)]
    assert len({trial.seconds for trial in trials}) == 1
    assert trials[0].seconds > 0


def test_a_parked_run_of_an_earlier_process_goes_on_in_virtual_time(tmp_path) -> None:
    store = str(tmp_path / "runs.db")
    nap = blueprint({"nap": {"wait": {"for": "30d"}}})

    async def before() -> str:
        async with VirtualConductor(store) as conductor:
            run = await conductor.start(nap)
            await asyncio.sleep(1)
            conductor.driver.let_go(conductor.driver.runs[run.id])
            assert await conductor.journal.park(run.id, START + 30 * DAY)
            return run.id

    async def after(run: str) -> tuple[str, float]:
        async with VirtualConductor(store) as conductor:
            result = await conductor.result(run)
            return result.status, result.duration_ms / 1000

    run = virtual_run(before())
    assert virtual_run(after(run), start=START + 60) == ("completed", pytest.approx(30 * DAY, 60))


ASKS = read_document({
    "atomiton": 1,
    "id": "asks",
    "nodes": {
        "ask": {"wait": {"approval": {"title": "Sure?"}}},
        "paid": {"wait": {"signal": "money"}},
    },
})  # fmt: skip


@pytest.mark.parametrize("test", [run, crash_at_every_step])
def test_who_waits_for_an_answer_is_named(test) -> None:
    with pytest.raises(AtomitonError) as told:
        test(ASKS, answers={"paid": 1})
    assert "'ask' for approval still waits, and nobody answers: give answers={'ask': ...}" in str(
        told.value
    )
    assert "paid" not in str(told.value)
    with pytest.raises(AtomitonError, match="'paid' for the signal 'money'"):
        test(ASKS, answers={"ask": True})
