"""Stopping nodes of every kind: how soon, with which reason, and what is cleaned up."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from atomiton import Conductor, node
from atomiton.blueprint.document import read_blueprint
from atomiton.ports.capabilities import Attempt

SEEN: list[str] = []


@node("test.obedient")
async def obedient(*, attempt: Attempt) -> None:
    """Notes why it is stopped."""
    attempt.on_cancel(lambda: SEEN.append(f"first: {attempt.reason}"))
    attempt.on_cancel(lambda: SEEN.append("second"))
    try:
        await asyncio.sleep(60)
    finally:
        SEEN.append("cleaned up")


@node("test.stubborn")
async def stubborn() -> None:
    """Refuses to be cancelled."""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            SEEN.append("refused")


@node("test.blocking")
def blocking() -> None:
    """Computes for ever in a thread."""
    while True:
        sum(range(1000))


@node("test.far", runtime="process")
def far() -> None:
    """Computes for ever in a process."""
    while True:
        sum(range(1000))


@node("test.note")
async def note(text: str) -> str:
    """Leaves a trace."""
    SEEN.append(text)
    return text


KINDS = {
    "an async node": "uses: test.obedient",
    "one that refuses": "uses: test.stubborn",
    "a thread": "uses: test.blocking",
    "a process": "uses: test.far",
    "a program": "{uses: shell.run, with: {command: [sh, -c, 'trap \"\" TERM; sleep 60 & wait']}}",
    "a time": "wait: {for: 1h}",
    "a signal": "wait: {signal: go}",
    "an approval": "wait: {approval: {}}",
    "a retry": "{uses: flow.fail, with: {message: no}, retry: {attempts: 5, delay: 1h}}",
    "a group": "nodes: {inner: {uses: test.blocking}}",
    "a loop's pause": "{uses: test.note, with: {text: turn}, loop: {times: 3, delay: 1h}}",
    "a wide map": "{uses: test.obedient, map: '${{ inputs.many }}'}",
}


def blueprint(kind: str) -> str:
    body = KINDS[kind] if KINDS[kind].startswith("{") else "{" + KINDS[kind] + "}"
    return f"""
atomiton: 1
id: stop
inputs: {{many: {{type: array, default: []}}}}
nodes:
  done: {{uses: test.note, with: {{text: done}},
         compensate: {{uses: test.note, with: {{text: undone}}}}}}
  work:
    needs: done
    nodes: {{it: {body}}}
  after: {{uses: test.note, with: {{text: after}}, needs: work}}
  clean: {{uses: test.note, with: {{text: clean}}, needs: work, join: settled}}
"""


@pytest.mark.timed
@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_node_stops_within_a_second(kind: str, tmp_path: Path) -> None:
    SEEN.clear()
    nodes = [obedient, stubborn, blocking, far, note]
    async with Conductor(store=str(tmp_path / "runs.db"), nodes=nodes) as conductor:
        many = list(range(10_000)) if kind == "a wide map" else []
        run = await conductor.start(read_blueprint(blueprint(kind))[0], {"many": many})
        await asyncio.sleep(1.0 if kind in ("a process", "a program", "a wide map") else 0.15)
        began = time.perf_counter()
        await run.cancel("enough")
        await run.cancel("too late to say why")
        result = await run.result()
        took = time.perf_counter() - began
    assert (result.status, result.error and result.error.message) == ("cancelled", "enough")
    assert took < 1.0, took
    assert result.nodes["work"].status == "cancelled"
    assert result.nodes["after"].status == "cancelled"
    assert result.compensation == {"completed": ["done"], "failed": []}
    assert [text for text in SEEN if text in ("clean", "undone")] == ["clean", "undone"]
    if kind == "an async node":
        assert SEEN[1:4] == ["second", "first: enough", "cleaned up"]


async def test_a_timeout_is_the_reason_too() -> None:
    SEEN.clear()
    text = "atomiton: 1\nid: t\nnodes:\n  a: {uses: test.obedient, timeout: 50ms}\n"
    async with Conductor(store="memory:", nodes=[obedient]) as conductor:
        result = await conductor.run(read_blueprint(text)[0])
    assert result.error is not None
    assert result.error.code == "TIMEOUT"
    assert SEEN == ["second", "first: the attempt took longer than 0.05 s", "cleaned up"]
