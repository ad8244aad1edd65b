"""Blueprints that are kept in the store: saved, named by id, called by each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from atomiton import BlueprintError, Conductor
from atomiton.errors import Conflict, NotFound

ADD = """
atomiton: 1
id: add
inputs: {x: integer}
nodes:
  sum: {uses: data.value, with: {value: "${{ inputs.x + 1 }}"}}
output: ${{ sum }}
"""
TWICE = """
atomiton: 1
id: twice
inputs: {x: integer}
nodes:
  one: {call: add, with: {x: "${{ inputs.x }}"}}
  two: {call: add, with: {x: "${{ one }}"}}
output: ${{ two }}
"""


@pytest.fixture(params=["memory:", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")


async def test_a_kept_blueprint_is_run_by_its_id(store: str) -> None:
    async with Conductor(store) as conductor:
        saved = await conductor.save_blueprint(ADD, by="ada")
        assert (saved.id, saved.version, saved.by) == ("add", 1, "ada")
        assert (await conductor.run("add", {"x": 1})).output == 2
        with pytest.raises(NotFound, match="no blueprint 'other'"):
            await conductor.run("other")


async def test_runs_take_the_newest_version_of_all_that_is_called(store: str) -> None:
    async with Conductor(store) as conductor:
        await conductor.save_blueprint(ADD)
        await conductor.save_blueprint(TWICE)
        assert (await conductor.run("twice", {"x": 1})).output == 3
        await conductor.save_blueprint(ADD.replace("+ 1", "+ 10"))
        assert (await conductor.run("twice", {"x": 1})).output == 21
        await conductor.delete_blueprint("add")
        with pytest.raises(BlueprintError, match="there is no blueprint 'add'"):
            await conductor.run("twice", {"x": 1})


async def test_what_is_saved_over_something_else_is_refused(store: str) -> None:
    async with Conductor(store) as conductor:
        first = await conductor.save_blueprint(ADD, expected="")
        await conductor.save_blueprint(ADD.replace("+ 1", "+ 2"), expected=first.etag)
        with pytest.raises(Conflict):
            await conductor.save_blueprint(ADD.replace("+ 1", "+ 3"), expected=first.etag)
        assert [of.version for of in await conductor.blueprint_history("add")] == [2, 1]
        assert "+ 2" in (await conductor.blueprint("add")).source
        assert [of.id for of in await conductor.blueprints()] == ["add"]


async def test_every_problem_is_told_and_nothing_is_kept(store: str) -> None:
    broken = ADD.replace("data.value", "data.valu").replace("inputs.x + 1", "nobody")
    async with Conductor(store) as conductor:
        problems = await conductor.validate(broken)
        assert [problem.code for problem in problems] == ["UNKNOWN_NODE_TYPE", "UNKNOWN_REFERENCE"]
        assert problems[0].line == 6
        assert await conductor.validate(ADD) == ()
        assert await conductor.blueprints() == []
        with pytest.raises(BlueprintError):
            await conductor.save_blueprint("id: [")


async def test_where_files_are_not_read_callers_cannot_name_them(tmp_path: Path) -> None:
    (tmp_path / "add.yaml").write_text(ADD)
    reaching = TWICE.replace("call: add", f"call: {tmp_path}/add.yaml")
    async with Conductor("memory:") as conductor:
        conductor.library.confined = True
        with pytest.raises(NotFound, match="files are not read here"):
            await conductor.run(str(tmp_path / "add.yaml"), {"x": 1})
        problems = await conductor.validate(reaching)
        assert "files are not read here" in problems[0].message


async def test_a_closed_door_refuses_the_node_types_that_need_it(store: str) -> None:
    shell = "atomiton: 1\nid: sh\nnodes:\n  a: {uses: shell.run, with: {command: ['true']}}\n"
    async with Conductor(store) as conductor:
        conductor.library.closed["process"] = "no programs here"
        await conductor.save_blueprint(shell)
        with pytest.raises(BlueprintError, match="no programs here") as refused:
            await conductor.run("sh")
        assert refused.value.problems[0].path == "nodes.a.uses"
