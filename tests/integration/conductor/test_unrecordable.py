"""What could not be put on record is refused where it arises, kept or in memory alike."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from atomiton import Conductor, node
from atomiton.blueprint.document import read_document
from atomiton.errors import InputError

LARGE = 2**63 - 1


@node("t.undo")
def undo() -> str:
    return "undone"


@pytest.fixture(params=["memory", "kept"])
async def conductor(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Conductor]:
    store = "memory:" if request.param == "memory" else str(tmp_path / "runs.db")
    async with Conductor(store, nodes=[undo]) as made:
        yield made


def blueprint(nodes: dict[str, object], **keys: object):
    return read_document({"atomiton": 1, "id": "unfit", "nodes": nodes, **keys})


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([LARGE] * 3, "the result holds an integer of more than 64 bits"),
        ([1e308, 1e308], "the result holds inf at result.sum, which has no JSON form"),
    ],
)
async def test_a_sum_that_no_value_holds_fails_its_node(conductor, items, said) -> None:
    before = {"uses": "data.value", "with": {"value": 1}, "compensate": {"uses": "t.undo"}}
    figures = {"uses": "data.aggregate", "with": {"items": items}, "needs": ["before"]}
    result = await conductor.run(blueprint({"before": before, "figures": figures}))
    assert (result.status, result.error.code, result.error.node) == (
        "failed", "TYPE_MISMATCH", "figures",
    )  # fmt: skip
    assert result.error.message == said
    assert result.nodes["before"].status == "completed"
    assert result.compensation == {"completed": ["before"], "failed": []}


async def test_a_value_of_an_expression_that_no_value_holds_fails(conductor) -> None:
    value = {"uses": "data.value", "with": {"value": f"${{{{ {LARGE} * 3 }}}}"}}
    result = await conductor.run(blueprint({"value": value}))
    assert result.status == "failed"
    result = await conductor.run(
        blueprint(
            {"value": {"uses": "data.value", "with": {"value": LARGE}}},
            output="${{ value * 3 }}",
        )
    )
    assert result.status == "failed"


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes on POSIX only")
async def test_a_name_that_is_not_unicode_fails_the_listing_and_is_told(
    conductor, tmp_path
) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "b.csv").write_text("x")
    with open(os.fsencode(folder) + b"/a\xff.txt", "wb"):
        pass
    found = {"uses": "file.list", "with": {"path": str(folder)}}
    result = await conductor.run(blueprint({"found": found}))
    assert (result.status, result.error.code) == ("failed", "INVALID_INPUT")
    assert r"inbox/a\xff.txt' is not UTF-8" in result.error.message
    found = {"uses": "file.list", "with": {"path": str(folder), "pattern": "*.csv"}}
    result = await conductor.run(blueprint({"found": found}, output="${{ found.count }}"))
    assert result.output == 1


async def test_wishes_that_cannot_be_kept_are_refused_and_the_run_goes_on(conductor) -> None:
    wait = {"wait": {"signal": "go"}}
    run = await conductor.start(blueprint({"wait": wait}, output="${{ wait }}"))
    with pytest.raises(InputError, match="not valid Unicode") as caught:
        await run.cancel("\ud800")
    assert caught.value.code == "INVALID_INPUT"
    with pytest.raises(InputError, match="not valid Unicode"):
        await conductor.pause(run.id, "\ud800")
    await conductor.signal(run.id, "go", 1)
    assert (await run.result()).status == "completed"
