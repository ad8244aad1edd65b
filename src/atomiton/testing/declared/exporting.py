"""A recorded run as a test of its blueprint: what the world gave then, it gives in the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import cast

import msgspec

from atomiton.blueprint.emit import entry_lines
from atomiton.blueprint.model import Json
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.events import RunEvent
from atomiton.machine.events import AttemptCompleted, AttemptFailed, RunRequested
from atomiton.testing.declared.values import to_plain

__all__ = ["as_test", "file_text"]

Data = dict[str, object]


def as_test(
    result: RunResult,
    events: Sequence[RunEvent],
    is_pure: Callable[[str], bool],
) -> Data:
    """Make a test of a run that has ended.

    Args:
        result: The run.
        events: Its facts.
        is_pure: Whether the node at a path is pure: those are computed again, all others are
            replaced by what they gave.

    Returns:
        The test, as data.

    Raises:
        AtomitonError: The run has not ended.
    """
    first = events[0].fact if events else None
    if result.status not in ("completed", "failed", "cancelled") or not isinstance(
        first, RunRequested
    ):
        raise AtomitonError(f"run {result.run} has not ended yet", code="NOT_ALLOWED")
    if result.status == "cancelled":
        raise AtomitonError(
            f"run {result.run} was cancelled: a test has nobody who would cancel it again",
            code="NOT_ALLOWED",
        )
    test: Data = {
        "name": f"as in {result.run}",
        "start": datetime.fromtimestamp(first.time, UTC).isoformat(),
        "inputs": to_plain(first.inputs),
    }
    # Nobody is there to answer: what was answered in the run stands in for the wait.
    answered = {path: {"output": to_plain(it)} for path, it in result.answers.items()}
    stands = {**_stands(events, is_pure), **answered}
    if stands:
        test["replace"] = stands
    test["expect"] = _expected(result)
    return test


def _stands(events: Sequence[RunEvent], is_pure: Callable[[str], bool]) -> Data:
    """What each node that is not pure gave, attempt by attempt."""
    ends: dict[str, dict[int, Data]] = {}
    for event in events:
        if event.node is None or is_pure(event.node):
            continue
        if isinstance(event.fact, AttemptCompleted):
            end: Data = {"output": to_plain(event.fact.output)}
        elif isinstance(event.fact, AttemptFailed):
            end = _failed(event.fact.error)
        else:
            continue
        ends.setdefault(event.node, {})[event.fact.attempt] = end
    stands: Data = {}
    for path, attempts in ends.items():
        results = [attempts[number] for number in sorted(attempts)]
        stands[path] = results[0] if len(results) == 1 else {"in_turn": results}
    return stands


def _failed(error: ErrorInfo) -> Data:
    if error.code == "CANCELLED":
        return {"hang": True}  # it ran until it was stopped, as for its timeout
    fail: Data = {"code": error.code, "message": error.message, "retryable": error.retryable}
    if error.details:
        fail["details"] = to_plain(error.details)
    return {"fail": fail}


def _expected(result: RunResult) -> Data:
    expected: Data = {"status": result.status}
    if result.status == "completed":
        expected["output"] = to_plain(result.output)
    if result.error is not None:
        error = cast("Data", msgspec.to_builtins(result.error))
        expected["error"] = {
            key: error[key] for key in ("code", "message", "node") if error.get(key) is not None
        }
    if result.status == "completed":
        nodes = {
            path: node.status
            for path, node in result.nodes.items()
            if node.status in ("completed", "skipped")
        }
    else:
        # Who else was still at work when a node failed depends on the order of events.
        at = result.error.node if result.error is not None else None
        nodes = {path: node.status for path, node in result.nodes.items() if path == at}
    if nodes:
        expected["nodes"] = nodes
    return expected


def file_text(blueprint: str | Data, nodes: Sequence[str], test: Data) -> str:
    """A file with one test, as YAML.

    Args:
        blueprint: Its file, relative to the file of tests, or the blueprint itself.
        nodes: Files of node types, relative too.
        test: The test.
    """
    document: Data = {"blueprint": blueprint}
    if nodes:
        document["nodes"] = list(nodes)
    document["tests"] = [test]
    lines = [
        "# Made of a recorded run: nodes that are not pure give what they gave then, all others",
        "# are computed. Run it with: atomiton test FILE",
    ]
    for key, value in document.items():
        lines += entry_lines(key, cast("Json", value), 0, (key,))
    return "\n".join(lines) + "\n"
