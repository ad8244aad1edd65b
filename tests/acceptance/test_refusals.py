"""What cannot run is refused at once, with its place, and nothing of it runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from atomiton import BlueprintError, Conductor, InputError

HEAD = "atomiton: 1\nid: bad\n"
#: A node that would leave a trace if anything ran.
TRACE = "  trace: {uses: file.write, with: {path: TRACE, content: ran}}\n"
BOMB = (
    HEAD
    + "variables:\n  a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"  {name}: &{name} [{', '.join(['*' + chr(ord(name) - 1)] * 9)}]\n" for name in "bcdefghij"
    )
    + "nodes:\n"
    + TRACE
)
BAD: dict[str, tuple[str, str, tuple[int, int] | None]] = {
    "aliases that multiply": (BOMB, "INVALID_BLUEPRINT", None),
    "3,000 brackets": (
        f"{HEAD}variables: {{deep: {'[' * 3000}{']' * 3000}}}\nnodes:\n{TRACE}",
        "INVALID_BLUEPRINT",
        None,
    ),
    "3,000 brackets in an expression": (
        f"{HEAD}nodes:\n{TRACE}output: ${{{{ {'(' * 3000}1{')' * 3000} }}}}\n",
        "LIMIT_EXCEEDED",
        None,
    ),
    "a key twice": (
        f"{HEAD}name: one\nname: two\nnodes:\n{TRACE}",
        "INVALID_BLUEPRINT",
        (4, 1),
    ),
    "a cycle": (
        HEAD + "nodes:\n" + TRACE
        + "  a: {uses: data.value, with: {value: '${{ b }}'}}\n"
        + "  b: {uses: data.value, with: {value: '${{ a }}'}}\n",
        "CIRCULAR_DEPENDENCY",
        None,
    ),
    "a node type that does not exist": (
        f"{HEAD}nodes:\n{TRACE}  a: {{uses: http.requets, with: {{url: x}}}}\n",
        "UNKNOWN_NODE_TYPE",
        (5, 13),
    ),
    "a reference to nothing": (
        f"{HEAD}nodes:\n{TRACE}  a: {{uses: data.value, with: {{value: '${{{{ nobody }}}}'}}}}\n",
        "UNKNOWN_REFERENCE",
        None,
    ),
    "an unknown key": (f"{HEAD}nodse: {{}}\nnodes:\n{TRACE}", "INVALID_BLUEPRINT", (3, 1)),
    "a tag": (f"{HEAD}variables: {{a: !!python/name:os.system x}}\nnodes:\n{TRACE}",
              "INVALID_BLUEPRINT", None),
    "not YAML": (f"{HEAD}nodes: [a\n", "INVALID_BLUEPRINT", None),
    "nothing": ("", "INVALID_BLUEPRINT", None),
    "bytes that are no text": (f"{HEAD}\udcff\udcfe", "INVALID_BLUEPRINT", None),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_blueprint_is_refused_quickly_with_its_place(tmp_path: Path, name: str) -> None:
    text, code, place = BAD[name]
    trace = tmp_path / "trace.txt"
    path = tmp_path / "bad.yaml"
    path.write_bytes(text.replace("TRACE", str(trace)).encode(errors="surrogateescape"))
    async with Conductor("memory:") as conductor:
        started = time.perf_counter()
        with pytest.raises(BlueprintError) as refused:
            await conductor.run(path)
        seconds = time.perf_counter() - started
    problem = refused.value.problems[0]
    assert problem.code == code
    assert problem.line is not None
    assert problem.column is not None
    if place is not None:
        assert (problem.line, problem.column) == place
    assert seconds < 1
    assert not trace.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "'count' is missing"),
        ({"count": "three"}, "expected integer, got text 'three'"),
        ({"count": True}, "expected integer, got"),
        ({"count": 3, "cuont": 4}, "there is no input 'cuont'"),
        ({"count": 30}, "expected at most 9"),
    ],
)
async def test_inputs_that_do_not_fit_are_refused(
    tmp_path: Path, given: dict[str, object], words: str
) -> None:
    trace = tmp_path / "trace.txt"
    path = tmp_path / "good.yaml"
    inputs = "inputs: {count: {type: integer, maximum: 9}}\n"
    path.write_text(f"{HEAD}{inputs}nodes:\n{TRACE}".replace("TRACE", str(trace)))
    async with Conductor(str(tmp_path / "runs.db")) as conductor:
        with pytest.raises(InputError) as refused:
            await conductor.run(path, given)
        assert await conductor.list() == []
    assert words in str(refused.value)
    assert not trace.exists()


async def test_a_wrong_type_hides_no_wrong_reference(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(HEAD + "nodes:\n  a: {uses: http.requets, with: {url: '${{ nobody.url }}'}}\n")
    async with Conductor("memory:") as conductor:
        with pytest.raises(BlueprintError) as refused:
            await conductor.run(path)
    codes = [problem.code for problem in refused.value.problems]
    assert codes == ["UNKNOWN_NODE_TYPE", "UNKNOWN_REFERENCE"]
