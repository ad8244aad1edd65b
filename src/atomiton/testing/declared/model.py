"""What a file of tests says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.positions import Places
from atomiton.testing.virtual_time import START, Moment

ABSENT = msgspec.UNSET


class ExpectedNode(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of one node; what is not said is not looked at."""

    status: str | None = None
    output: object = ABSENT
    attempts: int | None = None
    error: Mapping[str, object] | None = None


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of a run; what is not said is not looked at, except its status.

    Attributes:
        status: completed, unless an error is expected.
        files: Content of files that are there afterwards, by path.
    """

    status: str | None = None
    output: object = ABSENT
    error: Mapping[str, object] | None = None
    nodes: Mapping[str, ExpectedNode] = {}
    files: Mapping[str, str | bytes] = {}


class DeclaredTest(msgspec.Struct, frozen=True, kw_only=True):
    """One test.

    Attributes:
        place: Number of the test in its file, from 0.
        replace: Stand-ins, as ``testing.run`` takes them.
        secrets: Values by name; one that is not told is ``test-NAME``.
        files: Files that are there at first, besides those beside the file of tests.
        http: Answers of servers, as ``FakeHttp`` takes them.
        programs: What programs do, as ``FakeProcess`` takes it.
        start: When the run begins.
    """

    place: int
    name: str
    description: str = ""
    inputs: Mapping[str, object] = {}
    secrets: Mapping[str, str] = {}
    replace: Mapping[str, object] = {}
    files: Mapping[str, str | bytes] = {}
    http: Mapping[str, object] = {}
    programs: Mapping[str, object] = {}
    start: Moment = START
    expect: Expected = Expected()


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """A file of tests.

    Attributes:
        path: The file.
        blueprint: What is tested: a file, or a blueprint that stands in the file of tests.
        positions: Path to line and column of every value of the file of tests.
        nodes: Files of node types.
        tests: In order.
        secrets: Names of the secrets that the blueprint declares; known once it was loaded.
    """

    path: Path
    blueprint: Path | Blueprint
    positions: Places
    key_positions: Places
    nodes: tuple[Path, ...] = ()
    tests: tuple[DeclaredTest, ...] = ()
    secrets: tuple[str, ...] = ()
