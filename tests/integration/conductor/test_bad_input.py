"""What callers get wrong is told in one sentence, with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from atomiton import AtomitonError, Conductor, InputError, run
from atomiton.blueprint.document import read_document
from atomiton.errors import NotFound, StoreError

DOCUMENT = {"atomiton": 1, "id": "x", "nodes": {"a": {"uses": "data.value", "with": {"value": 1}}}}
BLUEPRINT = read_document(DOCUMENT)


@pytest.mark.parametrize("source", [None, 5, [], b"x.yaml", DOCUMENT], ids=repr)
async def test_what_is_no_blueprint(source: object) -> None:
    async with Conductor("memory:") as conductor:
        for call in (conductor.run, conductor.start):
            with pytest.raises(AtomitonError, match="a Blueprint or the path of a file") as caught:
                await call(source)  # type: ignore[arg-type]
            assert caught.value.code == "INVALID_INPUT"


async def test_an_empty_path() -> None:
    async with Conductor("memory:") as conductor:
        with pytest.raises(AtomitonError, match="path of the blueprint is empty") as caught:
            await conductor.run("")
    assert caught.value.code == "INVALID_INPUT"


async def test_a_folder_and_a_place_inside_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    async with Conductor("memory:") as conductor:
        with pytest.raises(NotFound, match="is a folder"):
            await conductor.run(tmp_path)
        with pytest.raises(NotFound, match="cannot be read"):
            await conductor.run(tmp_path / "file" / "x.yaml")
        with pytest.raises(NotFound, match="cannot be read"):
            await conductor.run("a\0b.yaml")


@pytest.mark.parametrize("inputs", [5, [1], "x", {"a"}, {1: 2}], ids=repr)
async def test_inputs_that_are_no_mapping(inputs: object) -> None:
    with pytest.raises(InputError, match="inputs are a mapping of names to values, got"):
        async with Conductor("memory:") as conductor:
            await conductor.run(BLUEPRINT, inputs)  # type: ignore[arg-type]


@pytest.mark.parametrize("store", ["memory:", "runs.db"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"durability": "bogus"}, "durability is sync, async or none, got text 'bogus'"),
        ({"durability": 5}, "durability is sync, async or none, got integer 5"),
        ({"key": ""}, "key is text that is not empty, got text ''"),
        ({"key": 5}, "key is text that is not empty, got integer 5"),
    ],
)
async def test_options(
    tmp_path: Path, store: str, options: dict[str, object], message: str
) -> None:
    address = store if store.endswith(":") else str(tmp_path / store)
    async with Conductor(address) as conductor:
        for call in (conductor.run, conductor.start):
            with pytest.raises(AtomitonError) as caught:
                await call(BLUEPRINT, **options)  # type: ignore[arg-type]
            assert (caught.value.code, caught.value.message) == ("INVALID_INPUT", message)
        assert await conductor.list() == []


@pytest.mark.parametrize(
    ("store", "message"),
    [
        (":memory:", "use memory: to keep runs in memory only"),
        ("sqlite::memory:", "use memory: to keep runs in memory only"),
        ("/dev/null", "this is no ordinary file; name another"),
        ("{}/file/runs.db", "'{}/file' is a file, not a folder; name another place"),
        ("{}/file/deep/runs.db", "'{}/file' is a file, not a folder; name another place"),
        ("{}", "this is a folder; name a file inside it"),
        (".", "this is a folder; name a file inside it"),
        ("/", "this is a folder; name a file inside it"),
        ("a\0b", "the path holds a NUL character"),
    ],
)
def test_stores_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError) as caught:
        run(BLUEPRINT, store=store.format(tmp_path))
    assert message.format(tmp_path) in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
