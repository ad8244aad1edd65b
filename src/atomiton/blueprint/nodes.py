"""Reading nodes, and the bodies that hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from atomiton.blueprint.expressions.parser import RESERVED as CEL_RESERVED
from atomiton.blueprint.model import Compensation, Node, Retry, Wait
from atomiton.blueprint.problems import Path
from atomiton.blueprint.properties import read_property
from atomiton.blueprint.reading import (
    ABSENT,
    Handler,
    Reader,
    Table,
    anything,
    as_mapping,
    boolean,
    choice,
    condition,
    delay,
    duration,
    integer,
    make,
    mapping,
    number,
    some_text,
    text,
    texts,
)
from atomiton.blueprint.types import describe

KINDS: Final = ("uses", "nodes", "call", "branch", "wait")
"""Keys that say what a node is; it has exactly one of them."""

RESERVED: Final = (
    frozenset({"inputs", "vars", "secrets", "run", "nodes", "item", "index", "acc"}) | CEL_RESERVED
)
"""Names that mean something else in an expression, and so cannot be ids of nodes."""

MAX_GROUPS: Final = 50
"""How deep groups may stand in each other."""

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""Ids of nodes."""

_ROUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_NEED = re.compile(r"[a-z][a-z0-9_]{0,63}(?:\.[A-Za-z][A-Za-z0-9_]{0,63})?")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_USES = re.compile(r"[^\s@]{1,200}(?:@[1-9][0-9]{0,5})?")
_CALL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}(?:@[^\s@]{1,64})?|\.{0,2}/[^\x00\n]{1,1000}")

_COMPANIONS: Final = {
    "output": "nodes",
    "race": "nodes",
    "mode": "branch",
    "as": "map",
    "concurrency": "map",
    "on_item_error": "map",
}
_SYNONYMS: Final = {
    "type": "uses",
    "action": "uses",
    "params": "with",
    "parameters": "with",
    "inputs": "with",
    "args": "with",
    "steps": "nodes",
    "after": "needs",
    "depends_on": "needs",
    "dependsOn": "needs",
    "when": "if",
    "condition": "if",
    "foreach": "map",
    "for_each": "map",
    "retries": "retry",
    "title": "name",
    "disabled": "enabled",
}


def read_body(reader: Reader, value: object, path: Path) -> object:
    """Read the nodes of one body, by id, in their order."""
    body = as_mapping(value)
    if body is None or not body:
        got = "nothing" if not value else describe(value)
        hint = "write each node as `id:` with its keys below"
        return reader.wrong(path, f"'nodes' must hold at least one node, got {got}", hint)
    if len(reader.bodies) > MAX_GROUPS:
        return reader.wrong(path, f"groups stand in each other deeper than {MAX_GROUPS} levels")
    reader.bodies.append(body)
    read: dict[str, Node] = {}
    for name, node in body.items():
        place = (*path, name)
        if name in RESERVED or name in reader.item_names or not NAME.fullmatch(name):
            _refuse_name(reader, name, place, "the id of a node")
        read[name] = read_node(reader, node, place)
    reader.bodies.pop()
    return read


def _refuse_name(reader: Reader, name: str, path: Path, what: str) -> None:
    if NAME.fullmatch(name):
        message = f"'{name}' cannot be {what}: in expressions it means something else"
        reader.wrong(path, message, f"such as '{name}_'", at_key=True)
        return
    better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:64]
    hint = "a small letter, then small letters, digits and _, at most 64"
    if NAME.fullmatch(better) and better not in RESERVED:
        hint = f"write '{better}': {hint}"
    reader.wrong(path, f"'{name[:60]}' cannot be {what}", hint, at_key=True)


def read_node(
    reader: Reader, value: object, path: Path, more: Mapping[str, Handler] | None = None
) -> Node:
    """Read one node.

    Args:
        reader: Collects what is wrong.
        value: The node.
        path: Where it stands.
        more: Keys that it may have besides; they are checked, and not part of the reading.
    """
    body = as_mapping(value)
    if body is None:
        got = "nothing" if value is None else describe(value)
        hint = "write `uses:` and the name of a node type"
        reader.wrong(path, f"a node must hold keys and values, got {got}", hint)
        return Node()
    within = _enter_repeat(reader, body, path)
    read: dict[str, object] = {}
    for key, part in body.items():
        field = FIELDS.get(key)
        if field is not None:
            result = field[1](reader, part, (*path, key))
            if result is not ABSENT:
                read[field[0]] = result
            companion = _COMPANIONS.get(key)
            if companion is not None and companion not in body:
                message = f"'{key}' belongs to a node with '{companion}'"
                reader.wrong((*path, key), message, at_key=True)
        elif more is not None and key in more:
            more[key](reader, part, (*path, key))
        else:
            reader.unknown((*path, key), (*FIELDS, *(more or ())), "a node", _SYNONYMS)
    if within:
        reader.item_names.pop()
    _check_kind(reader, body, path)
    return make(Node, read)


def _check_kind(reader: Reader, body: dict[str, object], path: Path) -> None:
    kinds = [key for key in KINDS if key in body]
    if len(kinds) != 1:
        if kinds:
            message = f"a node has one kind, but this has {' and '.join(map(repr, kinds))}"
            reader.wrong((*path, kinds[1]), message, "write two nodes", at_key=True)
        else:
            message = f"'{path[-1]}' does not say what it is"
            reader.wrong(path, message, f"add one of {', '.join(KINDS)}", at_key=True)
    repeats = [key for key in ("map", "loop") if key in body]
    if len(repeats) > 1:
        message = "a node is repeated by 'map' or by 'loop', not by both"
        reader.wrong((*path, "loop"), message, "put one of them around a group", at_key=True)
    elif repeats and kinds and kinds[0] in ("branch", "wait"):
        message = f"a node with '{kinds[0]}' cannot be repeated"
        reader.wrong((*path, repeats[0]), message, "put it into a group", at_key=True)


def _enter_repeat(reader: Reader, body: dict[str, object], path: Path) -> bool:
    """Check the name of the item, and note it for the nodes inside."""
    if "as" not in body:
        return False
    name = body["as"]
    place = (*path, "as")
    if not isinstance(name, str):
        return False  # told where the key is read
    if not NAME.fullmatch(name) or (name in RESERVED and name != "item"):
        _refuse_name(reader, name, place, "the name of an item")
    elif any(name in nodes for nodes in reader.bodies):
        message = f"'{name}' is the id of a node, so it cannot be the name of an item"
        reader.wrong(place, message, f"such as '{name}_item'")
    reader.item_names.append(name)
    return True


def _uses(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and _USES.fullmatch(value):
        return value
    message = f"'uses' must be the name of a node type, got {describe(value)}"
    return reader.wrong(path, message, "such as file.read or file.read@1")


def _call(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and _CALL.fullmatch(value):
        return value
    message = f"'call' must name a blueprint, got {describe(value)}"
    return reader.wrong(path, message, "such as order-report, order-report@1.0.0 or ./order.yaml")


def _branch(reader: Reader, value: object, path: Path) -> object:
    routes = as_mapping(value)
    if not routes:
        got = "nothing" if not value else describe(value)
        message = f"'branch' must hold routes with their conditions, got {got}"
        return reader.wrong(path, message, "write `high: score.value > 80` below it")
    read: dict[str, object] = {}
    otherwise = 0
    for name, when in routes.items():
        place = (*path, name)
        if name == "error" or not _ROUTE.fullmatch(name):
            hint = "a letter, then letters, digits and _; not 'error'"
            reader.wrong(place, f"'{name[:60]}' cannot be the name of a route", hint, at_key=True)
        read[name] = condition(reader, when, place)
        if when == "else":
            otherwise += 1
            if otherwise == 2:
                reader.wrong(place, "a branch has at most one 'else'")
    return ABSENT if ABSENT in read.values() else read


def _map(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, dict | list) or (isinstance(value, str) and "${{" in value):
        return cast("object", value)
    hint = f"write ${{{{ {value} }}}}" if isinstance(value, str) else "such as ${{ big.items }}"
    return reader.wrong(path, f"'map' must be a list or an object, got {describe(value)}", hint)


def _times(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and value.strip():
        return value
    return integer(0)(reader, value, path)


_LOOP: Final[Table] = {
    "while": ("while", condition),
    "until": ("until", condition),
    "times": ("times", _times),
    "start": ("start", anything),
    "max": ("max", integer(1)),
    "delay": ("delay", delay),
}


def _loop(reader: Reader, value: object, path: Path) -> object:
    read = reader.fields(value, path, _LOOP, "'loop'")
    if read is None:
        return ABSENT
    _exactly_one(reader, as_mapping(value) or {}, path, ("while", "until", "times"), "'loop'")
    return value


def _exactly_one(
    reader: Reader, body: dict[str, object], path: Path, keys: tuple[str, ...], what: str
) -> None:
    found = [key for key in keys if key in body]
    if len(found) != 1:
        listed = ", ".join(keys[:-1]) + f" or {keys[-1]}"
        reader.wrong(path, f"{what} needs exactly one of {listed}")


def _wait_for(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and "${{" in value:
        return value
    return delay(reader, value, path)


_APPROVAL: Final[Table] = {
    "title": ("title", text),
    "description": ("description", text),
    "fields": ("fields", lambda reader, value, path: _approval_fields(reader, value, path)),
}


def _approval_fields(reader: Reader, value: object, path: Path) -> object:
    found = as_mapping(value)
    if found is None:
        return mapping(reader, value, path)
    return {name: read_property(reader, part, (*path, name)) for name, part in found.items()}


def _approval(reader: Reader, value: object, path: Path) -> object:
    return ABSENT if reader.fields(value, path, _APPROVAL, "'approval'") is None else value


_WAIT: Final[Table] = {
    "for": ("seconds", _wait_for),
    "until": ("until", some_text),
    "signal": ("signal", some_text),
    "match": ("match", condition),
    "approval": ("approval", _approval),
    "timeout": ("timeout", duration),
}


def _wait(reader: Reader, value: object, path: Path) -> object:
    body = as_mapping(value)
    if body is None:
        message = f"'wait' must hold keys and values, got {describe(value)}"
        return reader.wrong(path, message, "write {for: 10s}")
    read = reader.fields(body, path, _WAIT, "'wait'")
    _exactly_one(reader, body, path, ("for", "until", "signal", "approval"), "'wait'")
    for key, owners in (("match", ("signal",)), ("timeout", ("signal", "approval"))):
        if key in body and not any(owner in body for owner in owners):
            message = f"'{key}' belongs to a wait with {' or '.join(map(repr, owners))}"
            reader.wrong((*path, key), message, at_key=True)
    return make(Wait, read or {})


_RUNTIMES = choice("inline", "thread", "process")
_QUEUE: Final[Table] = {"queue": ("queue", some_text)}


def read_runtime(reader: Reader, value: object, path: Path) -> object:
    """Read where code runs: how, or on whose queue."""
    if not isinstance(value, dict):
        return _RUNTIMES(reader, value, path)
    read = reader.fields(cast("object", value), path, _QUEUE, "'runtime'", ("queue",))
    return read or ABSENT


_CODES = texts(_CODE, "the code of an error", "TIMEOUT", single=True)
_RETRY: Final[Table] = {
    "attempts": ("attempts", integer(1, 1_000_000)),
    "delay": ("delay", delay),
    "factor": ("factor", number(1, 1000)),
    "max_delay": ("max_delay", delay),
    "jitter": ("jitter", number(0, 1)),
    "on": ("on", _CODES),
    "not_on": ("not_on", _CODES),
}


def read_retry(reader: Reader, value: object, path: Path) -> object:
    """Read a retry rule."""
    if isinstance(value, int) and not isinstance(value, bool):
        message = f"'retry' must hold keys and values, got {describe(value)}"
        return reader.wrong(path, message, f"write {{attempts: {value}}}")
    read = reader.fields(value, path, _RETRY, "'retry'")
    if read is None:
        return ABSENT
    return make(Retry, read)


_JOINS = choice("all", "any", "first", "settled")
_AT_LEAST: Final[Table] = {"at_least": ("at_least", integer(1))}


def _join(reader: Reader, value: object, path: Path) -> object:
    if not isinstance(value, dict):
        return _JOINS(reader, value, path)
    read = reader.fields(cast("object", value), path, _AT_LEAST, "'join'", ("at_least",))
    return read or ABSENT


def _on_error(reader: Reader, value: object, path: Path) -> object:
    if value == "continue":
        return {"continue": True}
    body = as_mapping(value)
    if body is not None and set(body) == {"value"}:
        return body
    if body is not None:
        reader.fields(body, path, {"value": ("value", anything)}, "'on_error'")
        if "value" in body:
            return ABSENT  # beside a key that it has not, which is told
    hint = reader.near(value, ("continue",)) if isinstance(value, str) else None
    message = f"'on_error' must be continue or {{value: ...}}, got {describe(value)}"
    return reader.wrong(path, message, hint)


_NOT_IN_COMPENSATION: Final = ("compensate", "map", "loop", "needs", "join", "if", "on_error")


def _compensate(reader: Reader, value: object, path: Path) -> object:
    body = as_mapping(value)
    if body is None:
        return mapping(reader, value, path)
    node = read_node(reader, body, path, {"when_failed": boolean})
    for key in _NOT_IN_COMPENSATION:
        if key in body:
            message = f"a compensation cannot have '{key}'"
            reader.wrong((*path, key), message, at_key=True)
    return Compensation(node, body.get("when_failed") is True)


_CACHE: Final[Table] = {"ttl": ("ttl", duration), "key": ("key", some_text)}


def _cache(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, bool):
        return value
    body = as_mapping(value)
    if body is not None:
        return ABSENT if reader.fields(body, path, _CACHE, "'cache'") is None else body
    return ABSENT if duration(reader, value, path) is ABSENT else value


FIELDS: Final[Table] = {
    "name": ("name", text),
    "description": ("description", text),
    "uses": ("uses", _uses),
    "nodes": ("nodes", read_body),
    "output": ("output", anything),
    "call": ("call", _call),
    "branch": ("branch", _branch),
    "mode": ("mode", choice("first", "all")),
    "wait": ("wait", _wait),
    "race": ("race", boolean),
    "map": ("map", _map),
    "as": ("as_", some_text),
    "concurrency": ("concurrency", integer(1)),
    "on_item_error": ("on_item_error", choice("fail", "collect", "skip")),
    "loop": ("loop", _loop),
    "with": ("with_", mapping),
    "needs": (
        "needs",
        texts(_NEED, "the id of a node, its route or its error", "read", single=True),
    ),
    "if": ("if_", condition),
    "join": ("join", _join),
    "enabled": ("enabled", boolean),
    "retry": ("retry", read_retry),
    "timeout": ("timeout", duration),
    "deadline": ("deadline", duration),
    "on_error": ("on_error", _on_error),
    "compensate": ("compensate", _compensate),
    "runtime": ("runtime", read_runtime),
    "cache": ("cache", _cache),
    "weight": ("weight", number(0)),
}
"""Keys of a node: the field of the model, and what reads it."""
