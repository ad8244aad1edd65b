"""Fakes answer as they are told, remember what they were asked, and refuse everything else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from atomiton.blueprint.document import read_document
from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes.guard import Capabilities
from atomiton.ports.capabilities import Clock, Files, Http, Process, ProcessResult, Random
from atomiton.testing import (
    FakeClock,
    FakeFiles,
    FakeHttp,
    FakeProcess,
    FakeRandom,
    in_turn,
    reply,
    run,
)


def blueprint(nodes: dict[str, object], **keys: object):
    return read_document({"atomiton": 1, "id": "tested", "nodes": nodes, **keys})


def test_they_have_the_types_of_capabilities() -> None:
    doors: tuple[Files, Http, Process, Clock, Random] = (
        FakeFiles(), FakeHttp(), FakeProcess(), FakeClock(), FakeRandom(),
    )  # fmt: skip
    assert len(doors) == 5


# -- files ---------------------------------------------------------------------------------------


def test_the_whole_library_works_on_fake_files() -> None:
    files = FakeFiles({"orders.csv": "id,total\na,5\nb,7\n", "in/a.txt": "A"})
    nodes = {
        "read": {"uses": "sheet.read", "with": {"path": "orders.csv"}},
        "book": {"uses": "sheet.write", "with": {"path": "out/o.xlsx", "rows": "${{ read.rows }}"}},
        "copy": {"uses": "file.copy", "with": {"path": "in/a.txt", "to": "out/b.txt"}},
        "list": {"uses": "file.list", "needs": ["copy", "book"], "with": {"path": "out"}},
        "move": {"uses": "file.move", "needs": ["list"], "with": {"path": "out/b.txt", "to": "c"}},
        "gone": {"uses": "file.delete", "needs": ["list"], "with": {"path": "in/a.txt"}},
    }
    trial = run(
        blueprint(nodes, output="${{ list.count }}"), capabilities=Capabilities(files=files)
    )
    assert (trial.status, trial.output) == ("completed", 2), trial
    assert list(files) == ["c", "orders.csv", "out/o.xlsx"]
    assert files.text("c") == "A"
    assert files["out/o.xlsx"].startswith(b"PK")
    files.reset()
    assert dict(files) == {"orders.csv": b"id,total\na,5\nb,7\n", "in/a.txt": b"A"}
    with pytest.raises(KeyError):
        files["c"]


async def test_nothing_outside_can_be_reached(tmp_path: Path) -> None:
    files = FakeFiles({"a": "1"})
    for path in ("../x", "/etc/passwd", str(tmp_path)):
        with pytest.raises(NotAllowed, match="outside the folders"):
            await files.read(path)
    assert [line async for line in files.lines("a")] == ["1"]


async def test_what_lies_beside_is_read_and_never_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("real")
    files = FakeFiles({"b.txt": "told"}, beside=tmp_path)
    assert await files.read("data/a.txt") == b"real"
    assert await files.read(str(tmp_path / "data" / "a.txt")) == b"real"
    assert await files.read("b.txt") == b"told"
    await files.write("data/a.txt", b"new", append=False, overwrite=True, create_folders=False)
    await files.write("data/c.txt", b"more", append=False, overwrite=True, create_folders=False)
    assert await files.read("data/a.txt") == b"new"
    assert (tmp_path / "data" / "a.txt").read_text() == "real"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["a.txt"]
    assert FakeFiles(beside=tmp_path).resolve("data").joinpath("a.txt").read_text() == "real"


async def test_a_folder_holds_what_lies_beside_and_what_is_deleted_stays_so(tmp_path: Path) -> None:
    (tmp_path / "data" / ".git").mkdir(parents=True)
    (tmp_path / "data" / "empty").mkdir()
    for name in ("data/a.txt", "data/b.txt", "top.txt", "data/.git/x"):
        (tmp_path / name).write_text("real")
    files = FakeFiles({"data/told.txt": "told", "b.txt": "told"}, beside=tmp_path)
    assert await files.read("data/a.txt") == b"real"
    assert sorted(path.name for path in files.resolve("data").iterdir()) == [
        "a.txt", "b.txt", "empty", "told.txt",
    ]  # fmt: skip
    assert sorted(path.name for path in files.resolve(".").iterdir()) == [
        "b.txt", "data", "top.txt",
    ]  # fmt: skip
    files.resolve("top.txt").unlink()
    files.resolve("data/b.txt").unlink()
    assert not files.resolve("top.txt").exists()
    assert sorted(path.name for path in files.resolve("data").iterdir()) == [
        "a.txt", "empty", "told.txt",
    ]  # fmt: skip
    await files.write("top.txt", b"new", append=False, overwrite=True, create_folders=False)
    assert await files.read("top.txt") == b"new"
    assert (tmp_path / "top.txt").read_text() == "real"
    files.reset()
    assert await files.read("top.txt") == b"real"


def test_the_folder_goes_with_the_files() -> None:
    files = FakeFiles({"a": "1"})
    folder = files.folder
    assert folder.is_dir()
    del files
    assert not folder.exists()


# -- http ----------------------------------------------------------------------------------------


async def test_routes_are_found_by_method_address_and_query() -> None:
    http = FakeHttp({
        "https://a.example/x?b=2&a=1": "both",
        "https://a.example/x": "any query",
        "POST https://a.example/*": lambda request: {"got": request.json()},
        "* https://b.example": 204,
        "https://c.example/": reply("hi", status=201, headers={"X-A": "1"}),
        "https://d.example/": b"bytes",
    })  # fmt: skip
    asked = [
        ("GET", "https://a.example/x?a=1&b=2", 200, b"both"),
        ("GET", "https://a.example/x?a=1", 200, b"any query"),
        ("DELETE", "https://b.example/", 204, b""),
        ("GET", "https://c.example/", 201, b"hi"),
        ("GET", "https://d.example/", 200, b"bytes"),
    ]
    for method, url, status, body in asked:
        answer = await http.request(method, url)
        assert (answer.status, answer.body, answer.url) == (status, body, url)
    answer = await http.request("POST", "https://a.example/y", body=b"[1]", headers={"A-B": "c"})
    assert answer.body == b'{"got":[1]}'
    assert answer.headers == {"content-type": "application/json"}
    assert http.requests[-1].headers == {"a-b": "c"}
    assert http.requests[0].query == {"a": "1", "b": "2"}


async def test_an_unexpected_request_is_refused_with_what_is_near() -> None:
    http = FakeHttp({"https://rates.example/EUR": {"rate": 1}})
    with pytest.raises(
        NotAllowed, match=r"no answer to GET https://rates\.example/USD .did you mean"
    ):
        await http.request("GET", "https://rates.example/USD")
    with pytest.raises(NotAllowed, match=r"no answer to POST https://rates\.example/EUR"):
        await http.request("POST", "https://rates.example/EUR")
    with pytest.raises(ValueError, match="not a route"):
        FakeHttp({"FETCH https://a.example": 1})


def test_a_node_sees_answers_in_turn_and_delays_in_virtual_time() -> None:
    http = FakeHttp({
        "http://rates.example/*": in_turn(
            503, NodeError("reset", code="CONNECTION"), reply({"rate": 2}, delay=100)
        )
    })  # fmt: skip
    rate = {"uses": "http.request", "with": {"url": "http://rates.example/EUR"},
            "retry": {"attempts": 3, "delay": 10, "factor": 1, "jitter": 0}}  # fmt: skip
    trial = run(blueprint({"rate": rate}, output="${{ rate.json.rate }}"),
                capabilities=Capabilities(http=http))  # fmt: skip
    assert (trial.output, trial.seconds, len(http.requests)) == (2, 120, 3)
    http.reset()
    trial = run(blueprint({"rate": {**rate, "timeout": "30s", "retry": {"attempts": 1}}}),
                capabilities=Capabilities(http=FakeHttp({"*": reply(delay=31)})))  # fmt: skip
    assert trial.error is not None
    assert (trial.error.code, trial.seconds, http.requests) == ("TIMEOUT", 30, [])


# -- programs, time, chance ------------------------------------------------------------------------


async def test_programs_do_as_they_are_told() -> None:
    crash = ProcessResult(-9, b"", b"oops", 9, timed_out=False)
    process = FakeProcess({
        "git": 1, "git status": "clean", "make 'all of it'": in_turn(crash, b"made"),
        "cat": lambda command: command.stdin, "away": NodeError("no program", code="NOT_FOUND"),
    })  # fmt: skip
    assert (await process.run(["git", "push"])).exit_code == 1
    assert (await process.run(["git", "status", "-s"])).stdout == b"clean"
    assert await process.run(["make", "all of it"]) == crash
    assert (await process.run(["make", "all of it"])).stdout == b"made"
    assert (await process.run(["cat"], stdin=b"in", env={"A": "1"})).stdout == b"in"
    assert process.commands[-1].env == {"A": "1"}
    with pytest.raises(NodeError, match="no program"):
        await process.run(["away"])
    with pytest.raises(
        NotAllowed, match="does not say what 'rm -rf /' does; it knows git, git status"
    ):
        await process.run(["rm", "-rf", "/"])


async def test_time_and_chance_are_decided() -> None:
    clock = FakeClock("2026-01-01T00:00:10Z")
    await clock.sleep(5)
    assert (clock.now(), clock.slept) == (FakeClock().now() + 15, [5])
    one, other = FakeRandom(3), FakeRandom(3)
    assert [one.random(), one.token(4)] == [other.random(), other.token(4)]
    assert FakeRandom(4).random() != FakeRandom(3).random()
    await asyncio.sleep(0)
