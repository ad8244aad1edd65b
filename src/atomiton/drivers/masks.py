"""Changed parameters as they go on record: with marks where the values of secrets stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast

from atomiton.drivers.answers import SHORTEST_SECRET
from atomiton.errors import NodeError
from atomiton.machine import RunState
from atomiton.machine.commands import StartAttempt

#: A mark is this character, the name of a secret, and a semicolon; the name 0 is the character.
_MARK = "\x1a"
_ITSELF = f"{_MARK}0;"
_FIND = re.compile(rf"{_MARK}(\w+);")


def masked(value: object, secrets: object) -> object:
    r"""A plain value with marks in place of the values of secrets; ``unmasked`` puts them back.

    Example:
        >>> masked({"key": "Bearer s3cr3t"}, {"TOKEN": "s3cr3t"})
        {'key': 'Bearer \x1aTOKEN;'}
    """
    names: dict[str, str] = {}
    if isinstance(secrets, Mapping):
        for name, secret in cast("Mapping[str, object]", secrets).items():
            if isinstance(secret, str) and len(secret) >= SHORTEST_SECRET:
                names.setdefault(secret, name)
    longest_first = sorted(names, key=len, reverse=True)
    # At once, or what a secret is replaced by could be taken for another one.
    find = re.compile("|".join(map(re.escape, [*longest_first, _MARK])))

    def mark(found: re.Match[str]) -> str:
        name = names.get(found[0])
        return _ITSELF if name is None else f"{_MARK}{name};"

    return _through(value, lambda text: find.sub(mark, text))


def unmasked(value: object, secrets: object) -> object:
    r"""What ``masked`` was given.

    Raises:
        NodeError: If a secret is not set here; it names it.

    Example:
        >>> unmasked({"key": "Bearer \x1aTOKEN;"}, {"TOKEN": "s3cr3t"})
        {'key': 'Bearer s3cr3t'}
    """
    values: Mapping[str, object] = {}
    if isinstance(secrets, Mapping):
        values = cast("Mapping[str, object]", secrets)

    def fill(found: re.Match[str]) -> str:
        if found[0] == _ITSELF:
            return _MARK
        secret = values.get(found[1])
        if not isinstance(secret, str):
            message = f"the secret {found[1]!r}, which stands in a changed parameter, is not set"
            raise NodeError(message, code="NOT_FOUND")
        return secret

    return _through(value, lambda text: _FIND.sub(fill, text))


def changed_parameters(state: RunState, start: StartAttempt) -> dict[str, object] | None:
    """What an attempt is called on instead of the node's own parameters; None for its own.

    Parameters that take an expression cannot be changed: they are always the node's own.
    """
    of, changed = (start.frame, start.node), state.changed
    found = changed.get((*of, start.attempt), changed.get((*of, 0)))
    if found is None:
        return None
    parameters = cast("dict[str, object]", unmasked(found, state.secrets))
    node = state.plan.uses[start.step]
    if node.type is not None and any(port.expression for port in node.type.parameters):
        own = node.prepare(state.frames[start.frame].scope(start.node))
        parameters.update((name, value) for name, value in own.items() if callable(value))
    return parameters


def _through(value: object, change: Callable[[str], str]) -> object:
    """Change every text of a plain value, in bytes too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, bytes):
        return change(value.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {change(key): _through(item, change) for key, item in items}
    if isinstance(value, list):
        return [_through(item, change) for item in cast("list[object]", value)]
    return value
