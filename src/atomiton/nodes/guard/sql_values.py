"""Values on their way to a database and back, whichever it is."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import json

_OUTSIDE = re.compile(
    r"(?:[\s\ufeff;]|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
    r"(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE|VACUUM|ATTACH|DETACH)\b",
    re.IGNORECASE | re.DOTALL,
)


def check_statement(statement: str) -> None:
    """Refuse what is about transactions, or other databases; ``NotAllowed``.

    Example:
        >>> check_statement("SELECT 1")
    """
    if _OUTSIDE.match(statement):
        message = "transactions are the node's own, and databases stay by themselves"
        raise NotAllowed(f"this statement is not run: {message}")


def as_text(value: object) -> object:
    """A value as databases without types of their own take it: moments and data as text.

    Example:
        >>> as_text([1, {"a": None}])
        '[1,{"a":null}]'
    """
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if type(value) in (list, dict):
        return json.encode(value).decode()
    return value


def numbered(columns: Sequence[str]) -> list[str]:
    """Names of columns, each once.

    Example:
        >>> numbered(["id", "name", "id"])
        ['id', 'name', 'id_2']
    """
    found: list[str] = []
    for name in columns:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found


def check_number(most: int) -> NodeError:
    """Say that there are more rows than are wanted."""
    message = f"there are more than {most} rows; ask for fewer, or say max_rows"
    return NodeError(message, code="LIMIT_EXCEEDED")


def too_many(given: int, used: int) -> NodeError:
    """Say that a list has items that no placeholder stands for."""
    message = f"parameters: {given} are given, but the statement has {used} placeholders"
    return NodeError(message, code="INVALID_INPUT")
