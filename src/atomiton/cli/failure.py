"""Why a run failed, told to a person: where, what, how often it was tried, and what may help."""

from __future__ import annotations

from atomiton.cli.output import note
from atomiton.cli.refusal import excerpt
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError, ErrorInfo

_HINTS = {
    "TIMEOUT": "give it more time with 'timeout:', or --timeout for the whole run",
    "AUTHENTICATION": "check the credentials; secrets are read from ATOMITON_SECRET_<NAME>",
    "LIMIT_EXCEEDED": "raise the limit under 'limits:' if it is meant to take this much",
    "ATTEMPT_LOST": "start it again if that does no harm: nobody saw how it ended",
    "INTERNAL": "this is a bug in Atomiton",
}


def show_failure(result: RunResult, file: str | None, taken: str) -> None:
    """Write why a run did not complete.

    Args:
        result: The run.
        file: Its blueprint's file, for the place of the node; None when it is not known.
        taken: How long the run took.
    """
    error = result.error
    assert error is not None
    if result.status == "cancelled":
        why = "" if error.message in ("cancelled", "interrupted") else f": {error.message}"
        note(f"cancelled after {taken}{why}", fg="yellow")
        return
    where = f"{error.node}: " if error.node else ""
    note(f"error: {where}{error.message} [{error.code}]", fg="red")
    for line in [*_expression(error), *_facts(result, error, file)]:
        note(f"  {line}")
    note(f"failed after {taken}", fg="red")


def _facts(result: RunResult, error: ErrorInfo, file: str | None) -> list[str]:
    lines: list[str] = []
    node = result.nodes.get(error.node or "")
    if node is not None and node.attempts > 1:
        lines.append(f"attempts: {node.attempts}")
    details = error.details or {}
    if "file" in details and "line" in details:
        kind = f" ({details['type']})" if "type" in details else ""
        lines.append(f"raised at: {details['file']}:{details['line']}{kind}")
    place = _place(file, error.node) if file and error.node else None
    if place is not None:
        lines.append(f"place: {place}")
    hint = _HINTS.get(error.code)
    if hint:
        lines.append(f"hint: {hint}")
    return lines


def _expression(error: ErrorInfo) -> list[str]:
    """The expression that failed, with a caret at the place."""
    details = error.details or {}
    source, offset = details.get("expression"), details.get("offset")
    if not isinstance(source, str) or not isinstance(offset, int):
        return []
    line = source.count("\n", 0, offset) + 1
    column = offset - (source.rfind("\n", 0, offset) + 1) + 1
    return [part[2:] for part in excerpt(source.split("\n"), line, column)]


def _place(file: str, node: str) -> str | None:
    """Line and column of a node in the file of its blueprint."""
    from pathlib import Path

    from atomiton.blueprint.yaml import load

    try:
        document = load(Path(file).read_bytes(), filename=file)
    except (OSError, AtomitonError):
        return None  # it was changed since; the place would be a guess
    path: tuple[str, ...] = ()
    for part in node.split("."):
        path = (*path, "nodes", part.partition("[")[0])
    found = document.key_positions.get(path)
    return None if found is None else f"{file}:{found[0]}:{found[1]}"
