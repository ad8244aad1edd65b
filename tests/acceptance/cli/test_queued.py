"""Runs that wait for their turn, from the command line; and lists that go on."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.cli.shell import BLUEPRINTS, Done, Shell

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    (tmp_path / "hello.yaml").write_text(BLUEPRINTS["hello"], encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="at-", dir="/tmp") as runtime:
        made.env["XDG_RUNTIME_DIR"] = runtime
        yield made


def test_a_run_of_a_folder_that_is_served_waits_for_its_turn(shell: Shell) -> None:
    (shell.folder / "kept").mkdir()
    (shell.folder / "hello.yaml").rename(shell.folder / "kept" / "hello.yaml")
    process = shell.start("serve", "--no-port", "--blueprints", "kept", "--per-lane", "1")
    try:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("token in"):
            assert process.poll() is None, process.communicate()
        waits = shell.run("run", "hello", "--delay", "1h", "--lane", "a", "--detach")
        assert waits.code == 4, waits.err
        assert "left queued" in waits.err
        shown = shell.run("runs", "show", "last")
        assert "status     queued: waits in the queue for its time\n" in shown.out
        assert "waits for  its time until" in shown.out
        assert shell.run("run", "hello", "--priority", "5", "--quiet").out == "Hello, world\n"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_a_run_of_a_file_begins_after_its_delay(shell: Shell) -> None:
    done = shell.run("run", "hello.yaml", "--delay", "200ms", "--json", "--quiet")
    assert done.code == 0, done.err
    assert done.data["duration_ms"] >= 200
    left = shell.run("run", "hello.yaml", "--delay", "1h", "--detach")
    assert (left.code, left.out) == (4, "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--delay", "1x"], "--delay: '1x' is not a duration"),
        (["--delay", "1h", "--store", "memory:"], "--delay needs a run on record"),
        (["--lane", "a", "--durability", "none"], "--lane needs a run on record"),
        (["--priority", "1", "--durability", "none"], "--priority needs a run on record"),
        (["--priority", str(2**31)], "a priority is between"),
        (["--delay", "1h", "--step"], "a run that is paused cannot be delayed"),
    ],
)
def test_what_cannot_wait_is_refused(shell: Shell, options: list[str], words: str) -> None:
    done = shell.run("run", "hello.yaml", *options)
    assert done.code == 2
    assert words in done.err
    assert shell.listed() == []


def test_a_list_of_runs_goes_on_where_it_ended(shell: Shell) -> None:
    for _ in range(3):
        assert shell.run("run", "hello.yaml", "--quiet").code == 0
    runs = [of["run"] for of in shell.listed()]

    def listed(*options: str) -> tuple[Done, list[str]]:
        done = shell.run("runs", "list", *options)
        return done, [line.split()[0] for line in done.out.splitlines()[1:]]

    first, ids = listed("--limit", "2")
    assert (ids, first.err) == (runs[:2], f"older ones: --before {runs[1]}\n")
    rest, ids = listed("--limit", "2", "--before", runs[1])
    assert (ids, rest.err) == (runs[2:], "")
    whole, ids = listed("--limit", "3")
    assert (ids, whole.err) == (runs, "")
    page = shell.run("runs", "list", "--limit", "1", "--before", "last", "--json")
    assert [of["run"] for of in json.loads(page.out)] == [runs[1]]
    unknown = shell.run("runs", "list", "--before", "run_nothing")
    assert (unknown.code, unknown.out) == (2, "")
    assert "there is no run 'run_nothing'" in unknown.err
