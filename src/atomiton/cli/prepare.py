"""Everything before a run begins: files read, node types loaded, inputs checked.

Whatever is wrong here is a refusal: nothing has run, and no store was opened.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.inputs import check_inputs
from atomiton.blueprint.model import Blueprint, Durability
from atomiton.cli.refusal import Refused, problems_of
from atomiton.conductor.library import Library
from atomiton.errors import AtomitonError, InputError, NotFound, Problem
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Prepared(NamedTuple):
    """What a run needs, checked."""

    blueprint: Blueprint
    inputs: dict[str, object]
    library: Library
    durability: Durability
    kept: bool = False


def make_library(nodes: Sequence[str], registry: Registry | None = None) -> Library:
    """The node types of a registry, by default the built-in ones, and those of files.

    Raises:
        Refused: A file of node types cannot be read or run.
    """
    library = Library(registry or Registry.builtin(), Capabilities())
    for file in nodes:
        try:
            library.load_nodes(Path(file))
        except AtomitonError as error:
            raise Refused(problems_of(error), file) from error
    return library


def read_source(file: str) -> bytes:
    """The bytes of a blueprint's file.

    Raises:
        Refused: It cannot be read.
    """
    try:
        return Path(file).read_bytes()
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise Refused([Problem("NOT_FOUND", message)]) from error


def prepare(
    file: str,
    library: Library,
    given: Sequence[str],
    inputs_file: str | None,
    durability: Durability | None,
    timeout: str | None,
    store: str | None = None,
) -> Prepared:
    """Read and compile a blueprint and check its inputs.

    Args:
        file: Its file, or the id of one that is kept.
        library: The node types.
        given: Inputs as ``name=value``.
        inputs_file: File of a mapping of inputs, ``-`` for standard input.
        durability: Instead of the blueprint's own.
        timeout: Instead of the blueprint's own ``limits.timeout``.
        store: Where blueprints are kept.

    Raises:
        Refused: Something is wrong.
    """
    try:
        kept = is_kept(file)
        blueprint = asyncio.run(_kept(file, store)) if kept else library.load(file)
    except AtomitonError as error:
        raise Refused(problems_of(error), "" if error.code == "NOT_FOUND" else file) from error
    try:
        texts = _texts(given)
        read = _read_inputs(inputs_file) if inputs_file is not None else {}
        read.update({name: _typed(blueprint, name, text) for name, text in texts.items()})
        checked = check_inputs(blueprint, read)
        if timeout is not None:
            blueprint = _with_timeout(blueprint, timeout)
        chosen: Durability = durability or blueprint.durability
        return Prepared(blueprint, checked, library, chosen, kept and timeout is None)
    except Refused as refused:
        refused.blueprint = blueprint.id
        raise
    except AtomitonError as error:
        raise Refused(problems_of(error), blueprint=blueprint.id) from error


def is_kept(name: str) -> bool:
    """Whether a blueprint is named by the id of one that is kept: no file has that name.

    Example:
        >>> is_kept("order-report"), is_kept("report.yaml")
        (True, False)
    """
    return _ID.fullmatch(name) is not None and not Path(name).exists()


async def _kept(id_: str, store: str | None) -> Blueprint:
    """The newest revision of a kept blueprint, without what it calls."""
    from atomiton.blueprint.document import read_blueprint
    from atomiton.cli.runs.opening import reached

    message = f"there is no blueprint file {id_}, and none is kept under this id"
    try:
        async with reached(store) as conductor:
            return read_blueprint((await conductor.blueprint(id_)).text, filename=id_)[0]
    except NotFound as error:
        raise NotFound(message) from error


def given_inputs(document: Mapping[str, object], given: Sequence[str]) -> dict[str, object]:
    """Inputs as ``name=value``, read as the blueprint of a stored run needs them.

    Args:
        document: The blueprint, as it is on record; needed only if something is given.
        given: Texts.

    Raises:
        InputError: One is no input, or cannot be read.
    """
    if not given:
        return {}
    from atomiton.blueprint.document import read_document
    from atomiton.conductor.calls import BUNDLE, StoredCalls

    bundle = dict(document)
    bundled = BUNDLE in bundle
    blueprint = StoredCalls(read_document).open(bundle) if bundled else read_document(bundle)
    try:
        return {name: _typed(blueprint, name, text) for name, text in _texts(given).items()}
    except Refused as refused:
        raise InputError(refused.problems) from refused


def _texts(given: Sequence[str]) -> dict[str, str]:
    """The texts of inputs by name."""
    texts: dict[str, str] = {}
    for name, text in map(_split, given):
        if name in texts:
            hint = f"a list is written {name}=[1, 2]"
            raise _refused(f"--input {name} is given more than once", name, hint)
        texts[name] = text
    return texts


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise _refused(f"--input takes name=value, got {text!r}", "")
    return name, value


def _refused(message: str, name: str, hint: str | None = None) -> Refused:
    path = f"inputs.{name}" if name else "inputs"
    return Refused([Problem("INVALID_INPUT", message, path, hint=hint)])


def _typed(blueprint: Blueprint, name: str, text: str) -> object:
    """Read the text of an input as its declared type needs it."""
    if name not in blueprint.inputs:
        return text
    try:
        return typed(blueprint.inputs[name], text)
    except ValueError as error:
        raise _refused(f"input '{name}': {error}", name) from error


def typed(schema: Mapping[str, object], text: str) -> object:
    """Read a text of the command line as a type needs it; ``ValueError`` if that cannot be."""
    types = schema.get("type")
    if types == "string" or (isinstance(types, list) and "string" in types):
        return text
    from atomiton.blueprint.scalars import resolve

    stripped = text.strip()
    return _structure(stripped) if stripped[:1] in ("[", "{", '"') else resolve(stripped)


def _structure(text: str) -> object:
    """A list or an object, in JSON or in the brackets of YAML."""
    try:
        value: object = json.loads(text)
    except ValueError:
        from atomiton.blueprint.yaml import load

        try:
            value = load(f"value: {text}").data["value"]
        except AtomitonError as error:
            message = problems_of(error)[0].message
            raise ValueError(f"this is neither JSON nor YAML: {message}") from error
    return value


def _read_inputs(name: str) -> dict[str, object]:
    from atomiton.blueprint.yaml import load

    label = "<stdin>" if name == "-" else name
    try:
        text = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        message = f"the file of inputs {name} cannot be read: {error.strerror}"
        raise Refused([Problem("INVALID_INPUT", message, "inputs")]) from error
    try:
        return dict(load(text, filename=label).data)
    except AtomitonError as error:
        problems = [_about_inputs(problem) for problem in problems_of(error)]
        raise Refused(problems, label) from error


def _about_inputs(problem: Problem) -> Problem:
    """A problem of a text, told of inputs."""
    from atomiton.blueprint.syntax import BEGINNING

    message, hint = problem.message, problem.hint
    if hint == BEGINNING:
        message = f"inputs are a mapping of names to values, but {message}"
        hint = "write `name: value` on a line for each, or {} for none"
    path = f"inputs.{problem.path}" if problem.path else "inputs"
    return msgspec.structs.replace(
        problem, code="INVALID_INPUT", message=message, path=path, hint=hint
    )


def read_turn(priority: int, lane: str, delay: str | None) -> tuple[int, str, float]:
    """When a run is to begin: its priority, its lane and the seconds before.

    Raises:
        Refused: Something is wrong with them.
    """
    from atomiton.conductor.inputs import check_turn

    try:
        seconds = 0.0 if delay is None else parse_duration(delay)
    except ValueError as error:
        raise Refused([Problem("INVALID_INPUT", f"--delay: {error}")]) from error
    try:
        check_turn(priority, lane, seconds)
    except AtomitonError as error:
        raise Refused(problems_of(error)) from error
    return priority, lane, seconds


def _with_timeout(blueprint: Blueprint, text: str) -> Blueprint:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise Refused([Problem("INVALID_INPUT", f"--timeout: {error}")]) from error
    if seconds <= 0:
        raise Refused([Problem("INVALID_INPUT", "--timeout must be more than 0")])
    limits = blueprint.document.get("limits")
    written = {**limits} if isinstance(limits, dict) else {}
    return msgspec.structs.replace(
        blueprint,
        limits=msgspec.structs.replace(blueprint.limits, timeout=seconds),
        document={**blueprint.document, "limits": {**written, "timeout": seconds}},
    )
