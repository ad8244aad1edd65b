"""Reading a file of tests: its model, or everything that is wrong with it, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as File
from typing import cast

import msgspec

from atomiton.blueprint.document import read_document
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.problems import Path
from atomiton.blueprint.reading import (
    ABSENT,
    Reader,
    Table,
    as_list,
    as_mapping,
    choice,
    integer,
    mapping,
    some_text,
    text,
)
from atomiton.blueprint.types import describe
from atomiton.blueprint.yaml import Document, load
from atomiton.errors import AtomitonError, BlueprintError, NotFound, Problem
from atomiton.testing.declared.model import DeclaredTest, Expected, ExpectedNode, Suite
from atomiton.testing.declared.standing import programs, replace, routes
from atomiton.testing.declared.values import from_plain
from atomiton.testing.virtual_time import seconds

__all__ = ["read_suite"]

_STATUSES = ("completed", "failed", "cancelled")
_NODE_STATUSES = (*_STATUSES, "skipped", "pending", "running", "waiting")


class SuiteReader(Reader):
    """A ``Reader`` for files that are no blueprints: what is wrong with them is another code."""

    def wrong(
        self,
        path: Path,
        message: str,
        hint: str | None = None,
        *,
        at_key: bool = False,
        code: str = "INVALID_INPUT",
    ) -> object:
        """Note a problem; gives ``ABSENT`` so that a handler can return it."""
        return super().wrong(path, message, hint, at_key=at_key, code=code)


def read_suite(path: File) -> Suite:
    """Read a file of tests.

    Args:
        path: The file.

    Raises:
        NotFound: There is no such file.
        BlueprintError: It is no file of tests; carries every problem with its place.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotFound(f"there is no file of tests {path}") from error
    try:
        document = load(content, filename=str(path))
    except BlueprintError as error:
        raise BlueprintError([_of_tests(problem) for problem in error.problems]) from None
    reader = SuiteReader(document.positions, document.key_positions)
    blueprint = _blueprint(reader, document, path.parent)
    read = reader.fields(document.data, (), _SUITE, "a file of tests", ("blueprint", "tests"))
    reader.raise_any()
    assert read is not None
    assert blueprint is not None
    return Suite(
        path=path,
        blueprint=blueprint,
        positions=document.positions,
        key_positions=document.key_positions,
        nodes=tuple(path.parent / name for name in cast("tuple[str, ...]", read.get("nodes", ()))),
        tests=cast("tuple[DeclaredTest, ...]", read["tests"]),
    )


def _of_tests(problem: Problem) -> Problem:
    """A problem of YAML, in words for a file of tests."""
    hint = problem.hint
    if hint is not None and hint.startswith("a blueprint begins"):
        hint = "a file of tests begins with `blueprint: ./FILE.yaml`"
    return msgspec.structs.replace(problem, code="INVALID_INPUT", hint=hint)


def _blueprint(reader: Reader, document: Document, folder: File) -> File | Blueprint | None:
    """The blueprint that is tested: a file, or the one that stands here."""
    value = document.data.get("blueprint")
    if isinstance(value, str):
        return folder / value
    if not isinstance(value, dict):
        if "blueprint" in document.data:
            message = f"'blueprint' must be a file or a blueprint, got {describe(value)}"
            reader.wrong(("blueprint",), message)
        return None
    try:
        return read_document(value, inner(document.positions), inner(document.key_positions))
    except BlueprintError as error:
        # Its own problems first: what stands beside it can be told once it is a blueprint.
        raise below(error) from None


def inner(positions: Mapping[Path, tuple[int, int]]) -> dict[Path, tuple[int, int]]:
    """The places of a blueprint that stands in a file of tests."""
    return {path[1:]: place for path, place in positions.items() if path[:1] == ("blueprint",)}


def below(error: BlueprintError) -> BlueprintError:
    """The problems of such a blueprint, with the paths they have in the file of tests."""
    return BlueprintError(
        [
            msgspec.structs.replace(
                problem, path=f"blueprint.{problem.path}" if problem.path else "blueprint"
            )
            for problem in error.problems
        ]
    )


def _passed(_reader: Reader, value: object, _path: Path) -> object:
    return value  # it is read apart


def _nodes(reader: Reader, value: object, path: Path) -> object:
    names = [value] if isinstance(value, str) else as_list(value)
    if names is None or not all(isinstance(name, str) and name for name in names):
        return reader.wrong(path, "'nodes' must be a Python file, or a list of them")
    return tuple(names)


def _tests(reader: Reader, value: object, path: Path) -> object:
    tests = as_list(value)
    if not tests:
        return reader.wrong(path, "'tests' must list at least one test")
    read = [_test(reader, test, (*path, place), place) for place, test in enumerate(tests)]
    names: set[str] = set()
    for test in read:
        if test is not None and test.name in names:
            reader.wrong((*path, test.place, "name"), f"there are two tests named '{test.name}'")
        names |= {test.name} if test is not None else set()
    return tuple(test for test in read if test is not None)


def _test(reader: Reader, value: object, path: Path, place: int) -> DeclaredTest | None:
    read = reader.fields(value, path, _TEST, "a test", ("name",))
    if read is None or "name" not in read:
        return None
    return DeclaredTest(place=place, **read)  # type: ignore[arg-type]  # the handlers checked


def _value(reader: Reader, value: object, path: Path) -> object:
    """Any value, in which bytes and moments may be told."""
    try:
        return from_plain(value)
    except ValueError as error:
        return reader.wrong(path, str(error))


def _values(reader: Reader, value: object, path: Path) -> object:
    if as_mapping(value) is None:
        return mapping(reader, value, path)
    return _value(reader, value, path)


def _secrets(reader: Reader, value: object, path: Path) -> object:
    found = as_mapping(value)
    if found is None:
        return mapping(reader, value, path)
    for name, secret in found.items():
        text(reader, secret, (*path, name))
    return found


def _files(reader: Reader, value: object, path: Path) -> object:
    found = as_mapping(value)
    if found is None:
        return mapping(reader, value, path)
    read: dict[str, object] = {}
    for name, content in found.items():
        data = _value(reader, content, (*path, name))
        if data is not ABSENT and not isinstance(data, str | bytes):
            reader.wrong((*path, name), f"a file holds text, got {describe(data)}")
        read[name] = data
    return read


def _start(reader: Reader, value: object, path: Path) -> object:
    try:
        return seconds(value if isinstance(value, str | int | float) else "")
    except AtomitonError as error:
        return reader.wrong(path, error.message)


_ERROR: Table = {"code": ("code", some_text), "message": ("message", text), "node": ("node", text)}


def _error(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str):
        return {"code": value}
    read = reader.fields(value, path, _ERROR, "an expected error")
    return ABSENT if read is None else read


_NODE: Table = {
    "status": ("status", choice(*_NODE_STATUSES)),
    "output": ("output", _value),
    "attempts": ("attempts", integer(0)),
    "error": ("error", _error),
}


def _expected_nodes(reader: Reader, value: object, path: Path) -> object:
    found = as_mapping(value)
    if found is None:
        return mapping(reader, value, path)
    read: dict[str, ExpectedNode] = {}
    for name, node in found.items():
        place = (*path, name)
        if isinstance(node, str):
            status = choice(*_NODE_STATUSES)(reader, node, place)
            read[name] = ExpectedNode(status=None if status is ABSENT else str(status))
            continue
        fields = reader.fields(node, place, _NODE, "what is expected of a node")
        if fields is not None:
            read[name] = ExpectedNode(**fields)  # type: ignore[arg-type]  # the handlers checked
    return read


_EXPECT: Table = {
    "status": ("status", choice(*_STATUSES)),
    "output": ("output", _value),
    "error": ("error", _error),
    "nodes": ("nodes", _expected_nodes),
    "files": ("files", _files),
}


def _expect(reader: Reader, value: object, path: Path) -> object:
    read = reader.fields(value, path, _EXPECT, "'expect'")
    return ABSENT if read is None else Expected(**read)  # type: ignore[arg-type]  # the same


_TEST: Table = {
    "name": ("name", some_text),
    "description": ("description", text),
    "inputs": ("inputs", _values),
    "secrets": ("secrets", _secrets),
    "replace": ("replace", replace),
    "files": ("files", _files),
    "http": ("http", routes),
    "programs": ("programs", programs),
    "start": ("start", _start),
    "expect": ("expect", _expect),
}
"""Keys of a test."""

_SUITE: Table = {
    "blueprint": ("blueprint", _passed),
    "nodes": ("nodes", _nodes),
    "tests": ("tests", _tests),
}
"""Keys of a file of tests."""
