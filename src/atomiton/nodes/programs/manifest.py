"""Node types declared in a file of YAML: programs and WebAssembly modules.

Read as strictly as a blueprint: every problem at once, each with its line and the nearest right
word. The page ``docs/reference/programs.md`` says what can be declared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import msgspec

from atomiton.blueprint.model import Json, Retry
from atomiton.blueprint.nodes import read_retry
from atomiton.blueprint.problems import Path as Place
from atomiton.blueprint.properties import read_property
from atomiton.blueprint.reading import (
    ABSENT,
    Reader,
    Table,
    as_list,
    as_mapping,
    choice,
    duration,
    integer,
    mapping,
    some_text,
    text,
    texts,
)
from atomiton.blueprint.types import describe
from atomiton.errors import BlueprintError, Problem
from atomiton.nodes.programs import command as programs
from atomiton.nodes.programs import module as modules
from atomiton.nodes.programs.checking import Ports
from atomiton.nodes.programs.command import Command, Limits
from atomiton.nodes.spec import Effect, NodeType

#: The version of the format that is read here.
FORMAT: Final = 1
#: What stands for the folder of the file, in commands.
HERE: Final = "{here}"
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_PORT = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)")
_UNITS: Final = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def read_manifest(path: Path) -> list[NodeType]:
    """The node types of a file.

    Args:
        path: The file; paths in it are relative to its folder.

    Raises:
        BlueprintError: It cannot be read, or is not as it must be; with every problem.
    """
    from atomiton.blueprint.yaml import load

    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"cannot read node types from {str(path)!r}: {error.strerror}"
        raise BlueprintError([Problem("INVALID_BLUEPRINT", message)]) from error
    document = load(content, filename=str(path))
    reader = Reader(document.positions, document.key_positions)
    whole: Table = {
        "atomiton-nodes": ("format", _format),
        "nodes": ("nodes", lambda at, value, place: _types(at, value, place, path.parent)),
    }
    required = ("atomiton-nodes", "nodes")
    read = reader.fields(document.data, (), whole, "a file of node types", required)
    reader.raise_any()
    found = cast("list[NodeType]", (read or {})["nodes"])
    return [msgspec.structs.replace(type_, source=str(path)) for type_ in found]


def _format(reader: Reader, value: object, path: Place) -> object:
    if type(value) is int and value == FORMAT:
        return value
    message = f"'atomiton-nodes' is the version of the format, {FORMAT}, got {describe(value)}"
    return reader.wrong(path, message, f"write 'atomiton-nodes: {FORMAT}'")


def _types(reader: Reader, value: object, path: Place, here: Path) -> object:
    found = as_mapping(value)
    if not found:
        return reader.wrong(path, "'nodes' must hold at least one node type")
    types: list[NodeType] = []
    for name, body in found.items():
        place = (*path, name)
        if not _TYPE.fullmatch(name):
            message = f"'{name[:60]}' cannot be the name of a node type"
            reader.wrong(place, message, "family.name in small letters", at_key=True)
            continue
        read = reader.fields(body, place, _NODE, "a node type")
        if read is None:
            continue
        written = as_mapping(body) or {}
        if ("command" in written) == ("module" in written):
            reader.wrong(place, "a node type needs exactly one of command or module")
        type_ = _make(reader, name, read, place, here)
        if type_ is not None:
            types.append(type_)
    return types


def _make(
    reader: Reader, name: str, read: dict[str, object], path: Place, here: Path
) -> NodeType | None:
    inputs = cast("dict[str, dict[str, Json]]", read.get("inputs", {}))
    output = cast("dict[str, Json]", read.get("output", {}))
    ports = Ports(inputs, output)
    limits = Limits(**cast("dict[str, int]", read.get("limits", {})))
    command, module = read.get("command"), read.get("module")
    if command is None and module is None:  # it was told what is wrong
        return None
    function: Callable[..., object]
    if module is not None:
        _refuse_keys(reader, read, path, ("env", "pass_env"), ("cpu",), "a module")
        function = modules.module_function(name, here / str(module), limits, ports)
    else:
        _refuse_keys(reader, read, path, (), ("fuel",), "a program")
        words = [word.replace(HERE, str(here.resolve())) for word in cast("list[str]", command)]
        env = cast("dict[str, str]", read.get("env", {}))
        passed = cast("tuple[str, ...]", read.get("pass_env", ()))
        function = programs.command_function(name, Command(words, env, passed, limits), ports)
    return NodeType(
        name=name,
        function=function,
        is_async=module is None,
        effect=cast("Effect", read.get("effect", "idempotent")),
        runtime="program" if module is None else "wasm",
        parameters=ports.parameters(),
        capabilities=dict(programs.DOORS if module is None else modules.DOORS),
        result=cast("dict[str, object]", output),
        version=cast("int", read.get("version", 1)),
        title=cast("str", read.get("title", "")) or _title(name),
        description=cast("str", read.get("description", "")),
        category=name.partition(".")[0],
        icon=cast("str", read.get("icon", "")),
        retry=cast("Retry | None", read.get("retry")),
        timeout=cast("float | None", read.get("timeout")),
    )


def _refuse_keys(
    reader: Reader,
    read: dict[str, object],
    path: Place,
    keys: tuple[str, ...],
    bounds: tuple[str, ...],
    what: str,
) -> None:
    for key in keys:
        if key in read:
            reader.wrong((*path, key), f"{what} has no '{key}'", at_key=True)
    for key in bounds:
        if key in cast("dict[str, object]", read.get("limits", {})):
            reader.wrong((*path, "limits", key), f"{what} has no limit '{key}'", at_key=True)


def _title(name: str) -> str:
    last = name.rpartition(".")[2].replace("_", " ")
    return last[:1].upper() + last[1:]


def _command(reader: Reader, value: object, path: Place) -> object:
    words = as_list(value)
    if not words:
        message = f"'command' must list a program and its arguments, got {describe(value)}"
        return reader.wrong(path, message, f'write ["{HERE}/program", argument]')
    for number, word in enumerate(words):
        if not isinstance(word, str) or not word or "\0" in word:
            return reader.wrong(
                (*path, number), f"a word of a command is text, got {describe(word)}"
            )
    first = str(words[0])
    if "/" in first and not first.startswith(("/", HERE)):
        better = f"{HERE}/{first.removeprefix('./')}"
        message = f"'{first[:60]}' would depend on the folder in which a run is started"
        return reader.wrong((*path, 0), message, f"write '{better}': beside this file")
    return words


def _inputs(reader: Reader, value: object, path: Place) -> object:
    found = as_mapping(value)
    if found is None:
        return mapping(reader, value, path)
    read: dict[str, object] = {}
    for name, part in found.items():
        if not _PORT.fullmatch(name):
            message = f"'{name[:60]}' cannot be the name of an input"
            hint = "a small letter, then small letters, digits and _"
            reader.wrong((*path, name), message, hint, at_key=True)
        schema = read_property(reader, part, (*path, name))
        if schema is not ABSENT:
            read[name] = schema
    return read


def _size(reader: Reader, value: object, path: Place) -> object:
    if type(value) is int and value > 0:
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        message = f"'{path[-1]}' must be a number of bytes, got {describe(value)}"
        return reader.wrong(path, message, "such as 64MiB")
    return int(match[1]) * _UNITS[match[2]]


def _seconds(reader: Reader, value: object, path: Place) -> object:
    read = duration(reader, value, path)
    if read is ABSENT:
        return ABSENT
    seconds = cast("float", read)
    if seconds != int(seconds):
        return reader.wrong(path, f"'{path[-1]}' must be whole seconds, got {describe(value)}")
    return int(seconds)


_LIMITS: Final[Table] = {
    "memory": ("memory", _size),
    "cpu": ("cpu", _seconds),
    "fuel": ("fuel", integer(1, 2**63 - 1)),
    "output": ("output", _size),
}


def _limits(reader: Reader, value: object, path: Place) -> object:
    read = reader.fields(value, path, _LIMITS, "'limits'")
    return ABSENT if read is None else read


def _env(reader: Reader, value: object, path: Place) -> object:
    found = as_mapping(value)
    if found is None:
        return mapping(reader, value, path)
    for name, part in found.items():
        if not _VARIABLE.fullmatch(name):
            message = f"'{name[:60]}' cannot be the name of a variable"
            reader.wrong((*path, name), message, "such as LANG", at_key=True)
        text(reader, part, (*path, name))
    return found


_NODE: Final[Table] = {
    "command": ("command", _command),
    "module": ("module", some_text),
    "title": ("title", text),
    "description": ("description", text),
    "icon": ("icon", text),
    "version": ("version", integer(1)),
    "effect": ("effect", choice("pure", "idempotent", "once")),
    "inputs": ("inputs", _inputs),
    "output": ("output", read_property),
    "timeout": ("timeout", duration),
    "retry": ("retry", read_retry),
    "limits": ("limits", _limits),
    "env": ("env", _env),
    "pass_env": ("pass_env", texts(_VARIABLE, "the name of a variable", "LANG")),
}
