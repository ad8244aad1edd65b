"""What is written: data on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from typing import IO

import click
import msgspec

from atomiton.conductor.result import RunResult
from atomiton.machine.state import error_value


def print_json(value: object, *, line: bool = False) -> None:
    """Print a value as JSON: indented, or as one line of a stream."""
    encoded = to_json(value)
    if not line:
        encoded = msgspec.json.format(encoded, indent=2)
    click.echo(encoded + b"\n", nl=False)


def to_json(value: object) -> bytes:
    """A value as JSON, UTF-8; bytes become Base64, times ISO 8601."""
    return msgspec.json.encode(value)


def print_output(value: object) -> None:
    """Print the output of a run: text and bytes as they are, everything else as JSON."""
    if isinstance(value, str):
        # UTF-8 whatever the terminal says it takes: what is piped on must not depend on it.
        end = "" if value.endswith("\n") else "\n"
        click.echo((value + end).encode("utf-8", "surrogatepass"), nl=False)
    elif isinstance(value, bytes):
        click.echo(value, nl=False)
    else:
        print_json(value)


def result_object(result: RunResult) -> dict[str, object]:
    """A run as ``--json`` shows it."""
    shown: dict[str, object] = {
        "run": result.run,
        "blueprint": result.blueprint,
        "status": result.status,
        "output": result.output,
        "error": None if result.error is None else error_value(result.error),
        "nodes": {
            path: {
                "status": node.status,
                "attempts": node.attempts,
                "duration_ms": node.duration_ms,
                "error": None if node.error is None else error_value(node.error),
            }
            for path, node in result.nodes.items()
        },
        "compensation": result.compensation,
        "duration_ms": result.duration_ms,
    }
    return shown | ({"cost": result.cost} if result.cost else {})


def is_terminal(stream: IO[str]) -> bool:
    """Whether a person watches a stream that can move its cursor."""
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # closed
        return False


def note(text: str, **style: object) -> None:
    """Write a line to standard error, in colour where that is wanted."""
    if style and is_terminal(sys.stderr) and not os.environ.get("NO_COLOR"):
        text = click.style(text, **style)  # type: ignore[arg-type]  # click checks them
    click.echo(text, err=True)


def duration(seconds: float) -> str:
    """A duration as people read it.

    Example:
        >>> [duration(s) for s in (0.0042, 0.25, 3.14159, 75, 7300)]
        ['4.2 ms', '250 ms', '3.1 s', '1m15s', '2h01m']
    """
    if seconds < 0.0995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, hours = whole // 60, whole // 3600
    if hours < 1:
        return f"{minutes}m{whole % 60:02d}s"
    if hours < 48:
        return f"{hours}h{minutes % 60:02d}m"
    return f"{hours // 24}d{hours % 24:02d}h"


def shown(value: object) -> str:
    """A value for a page of text: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.format(to_json(value), indent=2).decode()
