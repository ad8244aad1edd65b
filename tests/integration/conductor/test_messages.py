"""What errors say: codes once, everything that is wrong, and all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.errors import BlueprintError, InputError, Problem

CHILD = """
atomiton: 1
id: child
inputs: {n: integer, m: integer}
nodes: {a: {uses: data.value, with: {value: "${{ inputs.n }}"}}}
"""


async def test_the_error_of_a_call_says_all_that_is_wrong_and_its_code_once(tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "parent.yaml").write_text(
        "atomiton: 1\nid: parent\nnodes:\n"
        "  x: {uses: data.value, with: {value: text}}\n"
        "  c: {call: ./child.yaml, with: {n: '${{ x }}', m: '${{ x }}'}}\n"
    )
    async with Conductor("memory:") as conductor:
        result = await conductor.run(tmp_path / "parent.yaml")
    assert result.error is not None
    assert result.error.code == "INVALID_INPUT"
    assert result.error.message == (
        "input 'n': expected integer, got text 'text'; input 'm': expected integer, got text 'text'"
    )


async def test_wrong_fields_of_an_approval_are_all_told() -> None:
    ask = {"wait": {"approval": {"title": "ok?", "fields": {"a": "integer", "b": "integer"}}}}
    async with Conductor("memory:") as conductor:
        run = await conductor.start(
            read_document({"atomiton": 1, "id": "asks", "nodes": {"ask": ask}})
        )
        with pytest.raises(InputError) as caught:
            await conductor.approve(run.id, "ask", fields={"a": "x", "b": "y"})
        await run.cancel()
    assert "[INVALID_INPUT]" not in caught.value.message
    assert [name in caught.value.message for name in ("'a'", "'b'")] == [True, True]


def test_very_many_problems_are_counted() -> None:
    error = BlueprintError([Problem("INVALID_BLUEPRINT", f"p{n}", hint="h") for n in range(12)])
    assert error.message.startswith("p0 (h); p1 (h); ")
    assert error.message.endswith("p9 (h); and 2 more")
