"""What type checkers must say of the errors. Read by mypy, never run."""

from __future__ import annotations

from typing import assert_type

from atomiton.errors import BlueprintError, ErrorInfo, NodeError, NotAllowed, Problem, RunFailed


def readers_see_precise_types(
    blueprint: BlueprintError, node: NodeError, refused: NotAllowed, failed: RunFailed
) -> None:
    assert_type(blueprint.problems, tuple[Problem, ...])
    assert_type(blueprint.code, str)
    assert_type(node.retryable, bool)
    assert_type(failed.info, ErrorInfo)
    caught: NodeError = refused
    assert_type(caught, NodeError)


def misuse_is_found() -> None:
    NodeError("no such account", "NOT_FOUND")  # type: ignore[call-arg]
    NodeError("no such account", retryable="no")  # type: ignore[arg-type]
    BlueprintError("broken")  # type: ignore[arg-type]
    ErrorInfo(code="TIMEOUT")  # type: ignore[call-arg]
