"""What nodes do to the world is recorded, and played back without it."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from atomiton import Conductor, node
from atomiton.blueprint.document import read_document
from atomiton.errors import AtomitonError, NodeError
from atomiton.nodes.guard import Capabilities
from atomiton.ports.capabilities import Clock, Files, Http, Process, Random, Secrets, Sql
from atomiton.testing import FakeHttp, FakeProcess, in_turn, record, replay, reply, run
from atomiton.testing.tape import read_tape


def blueprint(nodes: dict[str, object], **keys: object):
    return read_document({"atomiton": 1, "id": "tested", "nodes": nodes, **keys})


@node("t.everything")
async def everything(
    *, http: Http, files: Files, process: Process, clock: Clock, random: Random, secrets: Secrets
) -> dict[str, object]:
    """Go through every door."""
    key = secrets.get("KEY")
    answer = await http.request(
        "POST", f"http://x.example/?key={key}", headers={"Authorization": f"Bearer {key}"},
        body=json.dumps({"key": key}).encode(),
    )  # fmt: skip
    await files.write("out.bin", b"\xff" + key.encode(), append=False, overwrite=True,
                      create_folders=True)  # fmt: skip
    lines = [line async for line in files.lines("in.txt")]
    ended = await process.run(["sign", key], stdin=b"in", env={"A": "1"})
    await clock.sleep(3600)
    try:
        await files.read("gone.txt")
        gone = ""
    except NodeError as error:
        gone = error.code
    return {
        "body": answer.body.decode(), "lines": lines, "out": ended.stdout.decode(), "gone": gone,
        "now": clock.now(), "drawn": [random.random(), random.token(3)],
        "at": str(files.resolve("in.txt")),
    }  # fmt: skip


SECRET = "s3cr3t/+ value"
ALL = {"all": {"uses": "t.everything"}}


def recorded(tmp_path: Path) -> tuple[Path, object]:
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    http = FakeHttp({"POST http://x.example/": lambda request: f"got {request.body.decode()}"})
    world = Capabilities(http=http, process=FakeProcess({"sign": "signed"}), base=tmp_path)
    path = tmp_path / "all.effects.jsonl"
    source = blueprint(ALL, secrets=["KEY"], output="${{ all }}")
    trial = run(source, nodes=[everything], capabilities=record(path, world),
                secrets={"KEY": SECRET})  # fmt: skip
    assert trial.status == "completed", trial
    return path, trial.output


def test_every_door_is_recorded_and_played_back(tmp_path) -> None:
    path, output = recorded(tmp_path)
    (tmp_path / "in.txt").unlink()
    tape = replay(path)
    source = blueprint(ALL, secrets=["KEY"], output="${{ all }}")
    again = run(source, nodes=[everything], capabilities=tape, secrets={"KEY": "another"})
    assert again.status == "completed", again
    expected = {**output, "body": output["body"].replace(SECRET, "***")}
    assert again.output == expected
    assert tape.left == []


def test_a_record_can_be_read_and_holds_no_secret(tmp_path) -> None:
    path, _ = recorded(tmp_path)
    text = path.read_text()
    for form in (SECRET, "s3cr3t%2F%2B%20value", "s3cr3t"):
        assert form not in text
    first, *lines = map(json.loads, text.splitlines())
    assert first == {"atomiton_effects": 1}
    assert [line["effect"] for line in lines] == [
        "http.request", "files.write", "files.lines", "process.run", "clock.sleep", "files.read",
        "clock.now", "random.random", "random.token", "files.resolve",
    ]  # fmt: skip
    assert lines[0] == {
        "node": "all",
        "attempt": 1,
        "effect": "http.request",
        "ask": {
            "method": "POST",
            "url": "http://x.example/?key=***",
            "headers": {"authorization": "***"},
            "body": {"text": '{"key": "***"}'},
        },
        "answer": {
            "status": 200,
            "url": "http://x.example/?key=***",
            "headers": {"content-type": "text/plain; charset=utf-8"},
            "body": {"text": 'got {"key": "***"}'},
            "elapsed_ms": 0.0,
        },
    }
    assert lines[5]["error"]["code"] == "NOT_FOUND"


def test_retries_and_stopped_attempts_are_played_back(tmp_path) -> None:
    http = FakeHttp({"*": in_turn(reply("late", delay=100), 503, {"rate": 2})})
    retry = {"attempts": 3, "delay": 1, "jitter": 0}
    ask = {"rate": {"uses": "http.request", "with": {"url": "http://x.example/"},
                    "timeout": "30s", "retry": retry}}  # fmt: skip
    path = tmp_path / "tape.jsonl"
    first = run(blueprint(ask), capabilities=record(path, Capabilities(http=http)))
    again = run(blueprint(ask), capabilities=replay(path))
    assert [effect.cancelled for effect in read_tape(path)] == [True, False, False]
    assert first.nodes["rate"].attempts == again.nodes["rate"].attempts == 3
    assert first.output == again.output
    assert first.seconds == again.seconds == 30 + 1 + 2


def test_another_question_fails_with_the_place(tmp_path) -> None:
    http = FakeHttp({"*": {"rate": 2}})
    ask = {"rate": {"uses": "http.request", "with": {"url": "${{ inputs.url }}"}}}
    source = blueprint(ask, inputs={"url": "string"})
    path = tmp_path / "tape.jsonl"
    run(source, {"url": "http://x.example/a"}, capabilities=record(path, Capabilities(http=http)))
    tape = replay(path)
    trial = run(source, {"url": "http://x.example/b"}, capabilities=tape)
    assert trial.error is not None
    assert trial.error.code == "REPLAY_MISMATCH"
    assert trial.error.message == (
        f"{path}:2: node 'rate' (attempt 1) was recorded asking http.request "
        '{"method":"GET","url":"http://x.example/a"}, but asks something else: '
        'url: expected "http://x.example/a", given "http://x.example/b"'
    )
    assert tape.left[0].startswith(f"{path}:2: node 'rate' (attempt 1) http.request")
    twice = blueprint({**ask, "more": {"uses": "http.request", "with": {"url": "http://y.example"}}},
                      inputs={"url": "string"})  # fmt: skip
    trial = run(twice, {"url": "http://x.example/a"}, capabilities=replay(path))
    assert trial.error is not None
    assert "node 'more' (attempt 1) asks http.request" in trial.error.message
    assert "nothing more of it is recorded" in trial.error.message


def test_questions_asked_at_once_may_come_in_any_order(tmp_path) -> None:
    @node("t.both")
    async def both(first: float, second: float, *, http: Http) -> list[str]:
        async def ask(name: str, after: float) -> str:
            await asyncio.sleep(after)
            return (await http.request("GET", f"http://x.example/{name}")).body.decode()

        return await asyncio.gather(ask("a", first), ask("b", second))

    def of(first: float, second: float):
        return blueprint({"both": {"uses": "t.both", "with": {"first": first, "second": second}}},
                         output="${{ both }}")  # fmt: skip

    path = tmp_path / "tape.jsonl"
    world = Capabilities(http=FakeHttp({"http://x.example/*": lambda request: request.url[-1]}))
    assert run(of(1, 2), nodes=[both], capabilities=record(path, world)).output == ["a", "b"]
    assert run(of(2, 1), nodes=[both], capabilities=replay(path)).output == ["a", "b"]


async def test_the_real_world_is_recorded_by_a_real_conductor(tmp_path) -> None:
    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"rate": 3}')

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    nodes = {
        "rate": {"uses": "http.request",
                 "with": {"url": f"http://127.0.0.1:{server.server_port}/"}},
        "say": {"uses": "shell.run",
                "with": {"command": ["echo", "${{ string(rate.json.rate) }}"]}},
    }  # fmt: skip
    source = blueprint(nodes, output="${{ [rate.json.rate, say.stdout] }}")
    path = tmp_path / "deep" / "tape.jsonl"
    async with Conductor("memory:", capabilities=record(path)) as conductor:
        first = await conductor.run(source)
    server.shutdown()
    server.server_close()
    assert first.output == [3, "3\n"], first.error
    async with Conductor("memory:", capabilities=replay(path)) as conductor:
        assert (await conductor.run(source)).output == [3, "3\n"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}\n", ":1: the first line is not"),
        ('{"atomiton_effects": 1}\nnonsense\n', ":2: JSON is malformed"),
        ('{"atomiton_effects": 1}\n\n{"node": 1}\n', ":3: Expected `str`"),
    ],
)
def test_a_file_that_is_no_record_is_refused_with_the_line(tmp_path, text, said) -> None:
    path = tmp_path / "tape.jsonl"
    path.write_text(text)
    with pytest.raises(AtomitonError, match=f"tape.jsonl{said}"):
        replay(path)
    with pytest.raises(AtomitonError, match="No such file"):
        replay(tmp_path / "gone.jsonl")


@node("t.database")
async def database(*, sql: Sql) -> list[object]:
    """Put values that JSON has no words for into a database, and take them out."""
    make = "CREATE TABLE t (a TEXT PRIMARY KEY, b BLOB)"
    await sql.execute("t.db", make, [[]], max_rows=1)
    insert = "INSERT INTO t VALUES (:a, :b)"
    done = await sql.execute("t.db", insert, [{"a": "k", "b": b"\xff"}], max_rows=1)
    try:
        await sql.execute("t.db", insert, [{"a": "k", "b": b""}], max_rows=1)
        code = ""
    except NodeError as error:
        code = error.code
    found = await sql.query("t.db", "SELECT * FROM t WHERE a = $1", ["k"], max_rows=9)
    return [done.changed, code, found.columns, [list(row) for row in found.rows]]


def test_databases_are_played_back(tmp_path) -> None:
    path = tmp_path / "sql.effects.jsonl"
    source = blueprint({"base": {"uses": "t.database"}}, output="${{ base }}")
    world = Capabilities(base=tmp_path)
    first = run(source, nodes=[database], capabilities=record(path, world))
    assert first.output == [1, "SQL_CONSTRAINT", ["a", "b"], [["k", b"\xff"]]], first
    (tmp_path / "t.db").unlink()
    again = run(source, nodes=[database], capabilities=replay(path))
    assert again.output == first.output, again
    assert not (tmp_path / "t.db").exists()


def test_files_that_are_arranged_are_played_back_and_nothing_is_touched(
    tmp_path, monkeypatch
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    nodes: dict[str, object] = {
        "copy": {"uses": "file.copy", "with": {"path": "work/a", "to": "work/b"}},
        "move": {"uses": "file.move", "needs": ["copy"], "with": {"path": "work/b", "to": "new/"}},
        "delete": {"uses": "file.delete", "needs": ["move"], "with": {"path": "work/a"}},
        "exists": {"uses": "file.exists", "needs": ["delete"], "with": {"path": "work/a"}},
        "list": {"uses": "file.list", "needs": ["delete"], "with": {"recursive": True}},
        "gone": {"uses": "file.list", "with": {"path": "nowhere"}, "on_error": "continue"},
    }
    source = blueprint(nodes, output={"all": "${{ [copy, move, delete, exists, list] }}"})

    def prepare() -> None:
        (folder / "a").write_text("one")
        (folder / "c").write_text("three")

    prepare()
    first = run(source, capabilities=record("tape.jsonl", Capabilities(base=tmp_path)))
    assert first.status == "completed", first
    assert not (folder / "a").exists()
    assert (tmp_path / "new" / "b").read_text() == "one"
    prepare()
    (folder / "d").write_text("four")
    (tmp_path / "new" / "b").unlink()
    (tmp_path / "new").rmdir()
    before = sorted(tmp_path.rglob("*"))
    tape = replay("tape.jsonl")
    again = run(source, capabilities=tape)
    assert again.output == first.output
    assert again.nodes["gone"].error == first.nodes["gone"].error
    assert again.nodes["gone"].error.code == "NOT_FOUND"
    assert sorted(tmp_path.rglob("*")) == before
    assert tape.left == []
