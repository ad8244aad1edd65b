"""Crashing a blueprint at every step: what survives is told apart from what does not."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from atomiton import Conductor, call, node
from atomiton import blueprint as built
from atomiton.blueprint.document import read_document
from atomiton.drivers.local import LocalDriver
from atomiton.errors import AtomitonError, BlueprintError
from atomiton.machine.events import AttemptCompleted, AttemptLost
from atomiton.machine.records import decode
from atomiton.nodes.guard import Capabilities
from atomiton.ports.capabilities import Attempt
from atomiton.testing import CrashFailure, FakeFiles, FakeHttp, crash_at_every_step, fails, in_turn
from atomiton.testing.crash_journal import CrashingJournal


def blueprint(nodes: dict[str, object], **keys: object):
    return read_document({"atomiton": 1, "id": "tested", "nodes": nodes, **keys})


@node("t.pay", effect="once")
async def pay(amount: int) -> int:
    await asyncio.sleep(5)
    return amount


@node("t.thread")
def in_thread(value: object) -> object:
    time.sleep(0.001)
    return value


@node("t.worker", runtime="process")
def in_worker(value: object) -> object:
    return value


def value(of: object, **keys: object) -> dict[str, object]:
    return {"uses": "data.value", "with": {"value": of}, **keys}


def test_a_run_with_everything_survives_every_crash() -> None:
    nodes = {
        "a": value("${{ inputs.amount }}"),
        "nap": {"wait": {"for": "3d"}, "needs": ["a"]},
        "pay": {"uses": "t.pay", "needs": ["nap"], "with": {"amount": "${{ a }}"}},
        "thread": {"uses": "t.thread", "with": {"value": "${{ pay }}"}, "retry": {"attempts": 3}},
        "worker": {"uses": "t.worker", "with": {"value": "${{ pay }}"}},
        "skip": value(1, **{"if": "pay > 100"}),
        "end": {"uses": "flow.log", "with": {"message": "${{ thread + worker }}"}},
    }
    source = blueprint(nodes, inputs={"amount": "integer"}, output="${{ end.message }}")
    report = crash_at_every_step(source, {"amount": 7}, nodes=[pay, in_thread, in_worker],
                                 replace={"thread": fails("down", times=1)})  # fmt: skip
    assert report.status == "completed"
    assert report.writes >= 7
    assert report.crashes >= 2 * report.writes
    assert report.decisions >= 1  # the payment acted, and its end was not seen
    assert report.acts > report.crashes


def test_a_second_death_in_every_recovery() -> None:
    source = blueprint({"a": value(1), "p": {"uses": "t.pay", "with": {"amount": "${{ a }}"}}})
    one = crash_at_every_step(source, nodes=[pay])
    two = crash_at_every_step(source, nodes=[pay], deaths=2)
    assert two.crashes > 3 * one.crashes
    assert two.decisions > one.decisions


def test_a_run_that_fails_fails_the_same() -> None:
    source = blueprint({"a": value(1), "p": {"uses": "flow.fail", "needs": ["a"],
                        "with": {"message": "no", "code": "REFUSED"}}})  # fmt: skip
    report = crash_at_every_step(source)
    assert (report.status, report.decisions) == ("failed", 0)
    assert str(report).startswith("failed after each of")


def test_fakes_begin_anew_for_each_run() -> None:
    files = FakeFiles({"count": "1"})
    http = FakeHttp({"http://x.example/": in_turn(503, {"n": 1})})
    nodes = {
        "ask": {"uses": "http.request", "with": {"url": "http://x.example/"},
                "retry": {"attempts": 4}},
        "read": {"uses": "file.read", "with": {"path": "count", "as": "json"}},
        "write": {"uses": "file.write", "with": {
            "path": "count", "content": "${{ read.content + ask.json.n }}"}},
    }  # fmt: skip
    report = crash_at_every_step(
        blueprint(nodes, output="${{ read.content }}"),
        capabilities=Capabilities(files=files, http=http),
    )
    assert report.status == "completed"
    assert files.text("count") == "2\n"


def test_what_depends_on_how_often_it_acts_is_found() -> None:
    """A node that says it may be repeated, but gives something else each time."""
    counter = itertools.count()

    @node("t.count")
    async def count() -> int:
        await asyncio.sleep(1)
        return next(counter)

    source = blueprint({"a": {"uses": "t.count"}, "b": value("${{ a > 0 }}")}, output="${{ b }}")
    with pytest.raises(CrashFailure, match=r"tested: \d+ failures in \d+ crashes") as caught:
        crash_at_every_step(source, nodes=[count])
    assert "it gave True instead of False" in caught.value.failures[0]
    assert "crash before write 2 (run_requested)" in "\n".join(caught.value.failures)
    assert crash_at_every_step(source, nodes=[count], same=lambda _one, _other: True).crashes > 4


def test_a_store_that_forgets_what_it_was_to_keep_is_found(monkeypatch) -> None:
    """Were the start of a payment not on disk before it acts, power loss would pay twice."""
    real = CrashingJournal.append

    async def forgetful(self, run, after, records, change=None, *, sync):
        await real(self, run, after, records, change, sync=False)

    source = blueprint({"p": {"uses": "t.pay", "with": {"amount": 1}}})
    assert crash_at_every_step(source, nodes=[pay]).status == "completed"
    monkeypatch.setattr(CrashingJournal, "append", forgetful)
    with pytest.raises(CrashFailure, match="'p' must act once, but attempt 1 acted 2 times"):
        crash_at_every_step(source, nodes=[pay])


def test_a_driver_that_forgets_results_is_found(monkeypatch) -> None:
    recovering: list[bool] = []
    real = Conductor._recover

    async def recover(self, run):
        recovering.append(True)
        try:
            return await real(self, run)
        finally:
            recovering.pop()

    def forgetful(record):
        fact = decode(record)
        if isinstance(fact, AttemptCompleted) and recovering:
            return AttemptLost(fact.time, fact.frame, fact.node, fact.attempt)
        return fact

    monkeypatch.setattr("atomiton.conductor.core.decode", forgetful)
    monkeypatch.setattr(Conductor, "_recover", recover)

    @node("t.one")
    async def one() -> int:
        await asyncio.sleep(1)
        return 1

    source = blueprint({"a": {"uses": "t.one"}, "nap": {"wait": {"for": "1h"}, "needs": ["a"]}})
    with pytest.raises(CrashFailure, match=r"'a' acted again .attempt 1. though its end was"):
        crash_at_every_step(source, nodes=[one])


def test_a_run_that_nobody_goes_on_with_is_found(monkeypatch) -> None:
    def asleep(self, run, program, facts, secrets=None):
        execution = real(self, run, program, facts, secrets)
        execution.interrupt()
        return execution

    real = LocalDriver.recover
    monkeypatch.setattr(LocalDriver, "recover", asleep)
    with pytest.raises(CrashFailure, match=r"stuck|instead of completed"):
        crash_at_every_step(blueprint({"a": value(1), "b": {"wait": {"for": 1}, "needs": ["a"]}}))


def test_the_dead_do_nothing_more() -> None:
    """What a node had still to do when its process died is not done, not even its tidying up."""
    done: list[str] = []

    @node("t.long")
    async def long(*, me: Attempt) -> int:
        try:
            await asyncio.sleep(10)
            done.append(me.node)
        finally:
            done.append("tidy")
        return 1

    @node("t.short")
    async def short() -> int:
        await asyncio.sleep(1)
        return 1

    source = blueprint({"long": {"uses": "t.long"}, "short": {"uses": "t.short"},
                        "after": value("${{ short }}")})  # fmt: skip
    report = crash_at_every_step(source, nodes=[long, short])
    finished = done.count("long")
    # Once for the run without a crash and once for each other, except where the node had ended.
    assert report.crashes + 1 <= finished <= report.crashes + 1 + 6


def test_what_cannot_be_tried_is_refused() -> None:
    with pytest.raises(AtomitonError, match="durability: none"):
        crash_at_every_step(blueprint({"a": value(1)}, durability="none"))
    with pytest.raises(BlueprintError, match="no node type"):
        crash_at_every_step(blueprint({"a": {"uses": "data.valu"}}))


def test_a_blueprint_file_and_a_maker_of_stand_ins(tmp_path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "atomiton: 1\nid: two\nnodes:\n"
        "  a: {uses: bank.pay, with: {amount: 2}, retry: {attempts: 2}}\n"
        "  b: {uses: data.value, with: {value: '${{ a }}'}}\n"
    )
    made: list[object] = []

    def stand_ins() -> dict[str, object]:
        made.append(in_turn(KeyError("x"), 3))
        return {"bank.pay": made[-1]}

    report = crash_at_every_step(path, replace=stand_ins, capabilities=Capabilities)
    assert report.status == "completed"
    assert len(made) > report.crashes


def test_a_blueprint_that_was_built_in_python_and_calls_another() -> None:
    @node("t.twice", effect="idempotent")
    async def twice(number: int) -> int:
        await asyncio.sleep(1)
        return 2 * number

    @built
    def inner(number: int) -> int:
        return twice(number)

    @built
    def outer(number: int) -> int:
        return call(inner, number=twice(number))

    report = crash_at_every_step(outer, {"number": 3})
    assert report.status == "completed"
    assert report.crashes >= 2 * report.writes


def test_a_file_that_calls_a_file_beside_it(tmp_path) -> None:
    (tmp_path / "inner.yaml").write_text(
        "atomiton: 1\nid: inner\nnodes: {a: {uses: flow.log, with: {message: hello}}}\n"
    )
    path = tmp_path / "outer.yaml"
    path.write_text("atomiton: 1\nid: outer\nnodes: {c: {call: ./inner.yaml}}\n")
    assert crash_at_every_step(path).status == "completed"
