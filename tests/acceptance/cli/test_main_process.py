"""With a main process or without one: the command line says the same."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.acceptance.cli.shell import BLUEPRINTS, Done, Shell, eventually

from atomiton.conductor.places import socket_path

pytestmark = pytest.mark.slow

SIGNAL = """
atomiton: 1
id: asks
inputs: {x: {type: integer, default: 1}}
nodes:
  first: {uses: data.value, with: {value: "${{ inputs.x }}"}}
  s: {wait: {signal: go}, needs: [first]}
  ok: {wait: {approval: {title: "Go on?", fields: {n: integer}}}, needs: [s]}
  last: {uses: data.value, with: {value: "${{ [inputs.x, s, ok.fields.n] }}"}}
output: ${{ last }}
"""


@contextmanager
def opened(folder: Path, *, main: bool) -> Iterator[Shell]:
    """A folder whose store has a main process, or none."""
    folder.mkdir()
    for name, text in {**BLUEPRINTS, "asks": SIGNAL}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    shell = Shell(folder)
    runtime = Path(tempfile.mkdtemp(prefix="at-", dir="/tmp"))  # paths of sockets are short
    shell.env["XDG_RUNTIME_DIR"] = str(runtime)
    shell.env["XDG_DATA_HOME"] = str(folder / "data")
    process = shell.start("serve", "--no-port") if main else None
    try:
        if process is not None:
            eventually(lambda: list(runtime.glob("atomiton/*.sock")))
        yield shell
    finally:
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        shutil.rmtree(runtime)


@pytest.fixture(params=[False, True], ids=["in process", "main process"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    with opened(tmp_path / "work", main=request.param) as shell:
        yield shell


def plain(done: Done) -> tuple[int, str, str]:
    """What was printed, without what differs from run to run."""

    def same(text: str) -> str:
        text = re.sub(r"run_[0-9a-f]+", "RUN", text)
        text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "MOMENT", text)
        text = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "MOMENT", text)
        text = re.sub(r'"(time|started_at|duration_ms|seed)": ?[\d.]+', r'"\1": N', text)
        text = re.sub(r"[\d.]+ (ms|s)\b", "TIME", text)
        text = text.replace(", driven by nobody", "")  # the main process does
        return re.sub(r" +", " ", text)

    return done.code, same(done.out), same(done.err)


def test_the_same_is_said_of_the_same_runs(tmp_path: Path) -> None:
    with opened(tmp_path / "one", main=False) as alone, opened(tmp_path / "two", main=True) as two:
        one, other = conversation(alone), conversation(two)
    for mine, theirs in zip(one, other, strict=True):
        assert mine == theirs
    assert one[1][0] == 1
    assert [one[at][0] for at in (15, 17, 18, 19, 20)] == [1, 2, 2, 2, 2]


def conversation(shell: Shell) -> list[tuple[int, str, str]]:
    """What is printed by every verb that looks at runs or steers them."""
    said: list[tuple[int, str, str]] = []

    def ask(*arguments: str) -> Done:
        done = shell.run(*arguments)
        said.append(plain(done))
        return done

    ask("run", "hello.yaml", "--json", "--quiet")
    ask("run", "fails.yaml")
    ask("run", "asks.yaml", "--detach", "-i", "x=5")
    ask("runs", "list", "--limit", "10")
    ask("runs", "list", "--blueprint", "hello")
    ask("runs", "show", "last")
    ask("runs", "signal", "last", "go", '{"a": 1}')
    ask("runs", "show", "last", "--json")
    ask("runs", "approve", "last", "--field", "n=7", "--by", "me")
    ask("runs", "events", "last")
    shown = ask("runs", "show", "last")
    assert "status completed" in plain(shown)[1]
    ask("runs", "fork", "last", "s", "--detach", "-i", "x=6")
    ask("runs", "cancel", "last", "--reason", "enough")
    ask("runs", "retry", "last", "--detach")
    ask("runs", "cancel", "last")
    failed = [of["run"] for of in shell.listed() if of["blueprint"] == "fails"]
    ask("runs", "retry", failed[0])
    ask("runs", "retry", "--json", "--quiet", failed[0][-9:])
    ask("runs", "show", "nobody")
    ask("runs", "fork", failed[0], "nowhere")
    ask("runs", "fork", failed[0], "charge", "-i", "y=1")
    ask("run", "nothing-kept")
    return said


def test_a_kept_blueprint_is_run_by_its_id(shell: Shell) -> None:
    kept = subprocess.run(
        [shutil.which("python") or "python", "-c", KEEP],
        cwd=shell.folder,
        env=shell.env,
        capture_output=True,
        text=True,
    )
    assert kept.returncode == 0, kept.stderr
    done = shell.run("run", "hello", "-i", "name=Ada", "-i", "count=3")
    assert (done.code, done.out) == (0, "Hello, Ada\n")
    assert "greet completed" in done.err
    wrong = shell.run("run", "hello", "-i", "nmae=Ada")
    assert wrong.code == 2
    assert "name" in wrong.err
    assert shell.run("run", "hello", "--json", "--quiet").data["output"] == "Hello, world"
    once = [json.loads(shell.run("run", "hello", "--key", "k", "--json").out) for _ in range(2)]
    assert once[0]["run"] == once[1]["run"]


KEEP = """
import asyncio
from pathlib import Path
from atomiton import Conductor

async def main():
    async with Conductor(resume=False) as conductor:
        await conductor.save_blueprint(Path("hello.yaml").read_text())

asyncio.run(main())
"""


def test_a_socket_that_nobody_listens_at_is_not_minded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hello.yaml").write_text(BLUEPRINTS["hello"], encoding="utf-8")
    shell = Shell(tmp_path)
    with tempfile.TemporaryDirectory(prefix="at-", dir="/tmp") as runtime:
        shell.env["XDG_RUNTIME_DIR"] = runtime
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        socket_path(tmp_path / "runs.db").write_text("")
        assert shell.run("run", "hello.yaml").code == 0
        assert len(shell.listed()) == 1
