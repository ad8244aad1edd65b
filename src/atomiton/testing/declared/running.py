"""Running the tests of a file, and telling how what is given differs from what is expected."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import msgspec

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.positions import nearest_place
from atomiton.blueprint.problems import Path as Place
from atomiton.blueprint.problems import dotted, nearest
from atomiton.conductor.inputs import own_inputs
from atomiton.errors import AtomitonError, BlueprintError, InputError, Problem
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry
from atomiton.testing.comparing import Difference, differences
from atomiton.testing.conductor import ReplacingLibrary
from atomiton.testing.declared.model import ABSENT, DeclaredTest, Expected, Suite
from atomiton.testing.declared.reading import below, inner, read_suite
from atomiton.testing.fakes.ambient import FakeRandom
from atomiton.testing.fakes.files import FakeFiles
from atomiton.testing.fakes.http import FakeHttp
from atomiton.testing.fakes.mail import ClosedMail, ClosedObjects, ClosedQueues
from atomiton.testing.fakes.process import FakeProcess
from atomiton.testing.replacing import is_called, nodes_of, unnumbered
from atomiton.testing.trial import Trial, run

__all__ = ["Outcome", "load_suite", "run_test"]


class Outcome(msgspec.Struct, frozen=True):
    """How one test went.

    Attributes:
        name: Its name.
        differences: What is not as expected; empty when the test passed.
        error: What the run failed with, when that was not expected.
        took: Real seconds.
    """

    name: str
    differences: tuple[Difference, ...]
    error: str | None
    took: float

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.differences


class Unusable(BlueprintError):
    """A file that tests need cannot be used.

    Attributes:
        file: The file in which the problems are; empty when they name it themselves.
    """

    def __init__(self, error: AtomitonError, file: str) -> None:
        problems = (
            error.problems
            if isinstance(error, BlueprintError)
            else (Problem(error.code, error.message),)
        )
        super().__init__(problems)
        self.file = file


def load_suite(path: Path) -> Suite:
    """Read a file of tests and check all that can be checked before any of them runs.

    Args:
        path: The file.

    Raises:
        Unusable: The file, its blueprint or a file of nodes cannot be used, or a test names what
            is not there.
    """
    try:
        suite = read_suite(path)
    except AtomitonError as error:
        raise Unusable(error, str(path) if isinstance(error, BlueprintError) else "") from error
    problems: list[Problem] = []
    secrets: tuple[str, ...] = ()
    for test in suite.tests:
        blueprint = _load(suite, test)
        secrets = blueprint.secrets
        problems += _problems(suite, test, blueprint)
    if problems:
        raise Unusable(BlueprintError(problems), str(path))
    return msgspec.structs.replace(suite, secrets=secrets)


def _problems(suite: Suite, test: DeclaredTest, blueprint: Blueprint) -> Iterator[Problem]:
    """What is wrong with a test: a name that is not there, an input that does not fit."""
    at: Place = ("tests", test.place)
    document = cast("dict[str, object]", blueprint.document)
    nodes = dict(nodes_of(document))
    for name in test.expect.nodes:
        if unnumbered(name) not in nodes and not is_called(unnumbered(name), nodes):
            message = f"the blueprint has no node '{name}'"
            hint = nearest(name, nodes)
            place = (*at, "expect", "nodes", name)
            yield _problem(suite, place, message, "UNKNOWN_REFERENCE", hint, at_key=True)
    for name in test.secrets:
        if name not in blueprint.secrets:
            message = f"the blueprint does not declare the secret '{name}'"
            hint = nearest(name, blueprint.secrets)
            place = (*at, "secrets", name)
            yield _problem(suite, place, message, "UNKNOWN_REFERENCE", hint, at_key=True)
    try:
        own_inputs(blueprint, test.inputs)
    except InputError as error:
        for problem in error.problems:
            key = problem.path.removeprefix("inputs.").partition(".")[0].partition("[")[0]
            place = (*at, "inputs", key) if key in test.inputs else (*at, "inputs")
            yield _problem(suite, place, problem.message, problem.code, None)


def _problem(
    suite: Suite, path: Place, message: str, code: str, hint: str | None, *, at_key: bool = False
) -> Problem:
    key = suite.key_positions.get(path) if at_key else None
    line, column = key or nearest_place(suite.positions, path)
    return Problem(code, message, dotted(path), line, column, hint)


def _load(suite: Suite, test: DeclaredTest) -> Blueprint:
    """The blueprint as a test runs it; a problem is told in the file it is in."""
    try:
        library = ReplacingLibrary(Registry.builtin(), Capabilities(), suite.nodes, test.replace)
    except AtomitonError as error:
        raise Unusable(error, "") from error
    source = suite.blueprint
    try:
        if isinstance(source, Blueprint):
            return library.prepare(source, inner(suite.positions))
        return library.load(source)
    except BlueprintError as error:
        if isinstance(source, Blueprint):
            raise Unusable(below(error), str(suite.path)) from None
        raise Unusable(error, str(source)) from None
    except AtomitonError as error:
        raise Unusable(BlueprintError(_refused(suite, test, error)), str(suite.path)) from None


def _refused(suite: Suite, test: DeclaredTest, error: AtomitonError) -> list[Problem]:
    """The problems of what stands in for nodes: each name that is not there, with its place."""
    details = error.details or {}
    key = details.get("replace")
    if key is None:
        return [_problem(suite, ("blueprint",), error.message, error.code, None)]
    messages = cast("Mapping[str, str]", details.get("problems", {str(key): error.message}))
    at: Place = ("tests", test.place, "replace")
    return [
        _problem(suite, (*at, name), message, error.code, None, at_key=True)
        for name, message in messages.items()
    ]


def run_test(suite: Suite, test: DeclaredTest) -> Outcome:
    """Run one test, in virtual time, with a world of its own.

    Files that are asked for are those of the test, and those beside its file; they are never
    changed. Servers and programs that the test does not speak of are refused.
    """
    began = time.perf_counter()
    files = FakeFiles(test.files, beside=suite.path.parent)
    world = Capabilities(
        files=files,
        http=FakeHttp(test.http),
        process=FakeProcess(test.programs),
        mail=ClosedMail(),
        objects=ClosedObjects(),
        sftp=ClosedObjects(),
        ftp=ClosedObjects(),
        queues=ClosedQueues(),
        random=FakeRandom(),
    )
    try:
        trial = run(
            suite.blueprint,
            test.inputs,
            nodes=suite.nodes,
            replace=test.replace,
            capabilities=world,
            secrets={name: f"test-{name.lower()}" for name in suite.secrets} | {**test.secrets},
            start=test.start,
        )
    except AtomitonError as error:
        found = [Difference("status", _status(test.expect), error.code)]
        text = f"{error.message} [{error.code}]"
        return Outcome(test.name, tuple(found), text, time.perf_counter() - began)
    found = list(_compare(test.expect, trial, files))
    said = None
    if found and trial.error is not None and test.expect.error is None:
        where = f"{trial.error.node}: " if trial.error.node else ""
        said = _relative(f"{where}{trial.error.message} [{trial.error.code}]", files)
    return Outcome(test.name, tuple(found), cast("str | None", said), time.perf_counter() - began)


def _status(expect: Expected) -> str:
    return expect.status or ("completed" if expect.error is None else "failed")


def _compare(expect: Expected, trial: Trial, files: FakeFiles) -> Iterator[Difference]:
    yield from differences(_status(expect), trial.status, "status")
    if expect.output is not ABSENT and trial.ok:
        yield from differences(expect.output, _relative(trial.output, files), "output")
    error = None if trial.error is None else msgspec.to_builtins(trial.error)
    if expect.error is not None and error is not None:
        yield from _some(expect.error, _relative(error, files), "error")
    for path, node in expect.nodes.items():
        place = f"nodes.{path}"
        given = trial.nodes.get(path)
        if given is None:
            yield Difference(place, node.status or "there", None, "missing")
            continue
        if node.status is not None:
            yield from differences(node.status, given.status, f"{place}.status")
        if node.attempts is not None:
            yield from differences(node.attempts, given.attempts, f"{place}.attempts")
        if node.output is not ABSENT:
            output = _relative(trial.outputs.get(path), files)
            yield from differences(node.output, output, f"{place}.output")
        if node.error is not None:
            failed = cast("object", msgspec.to_builtins(given.error) if given.error else {})
            yield from _some(node.error, _relative(failed, files), f"{place}.error")
    for path, content in expect.files.items():
        yield from _file(path, content, files)


def _file(path: str, content: str | bytes, files: FakeFiles) -> Iterator[Difference]:
    place = f"files.{path}"
    if path not in files:
        yield Difference(place, content, None, "missing")
        return
    given = files[path]
    text = given.decode(errors="replace") if isinstance(content, str) else given
    yield from differences(content, text, place)


def _some(expected: Mapping[str, object], given: object, path: str) -> Iterator[Difference]:
    """Compare only what is expected."""
    of = cast("dict[str, object]", given)
    yield from differences(dict(expected), {key: of.get(key) for key in expected}, path)


def _relative(value: object, files: FakeFiles) -> object:
    """A value in which paths into the files of the test are relative to them."""
    if isinstance(value, str):
        return value.replace(f"{files.folder}/", "").replace(str(files.folder), ".")
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {key: _relative(it, files) for key, it in items}
    if isinstance(value, list | tuple):
        return [_relative(it, files) for it in cast("list[object]", value)]
    return value
