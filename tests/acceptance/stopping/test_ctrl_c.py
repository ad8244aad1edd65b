"""Ctrl-C while anything runs: over within a second, cleaned up, undone, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.acceptance.cli.shell import eventually
from tests.acceptance.processes import linux, programs
from tests.acceptance.stopping.started import CLEAN, Started, uses

#: Seconds from the key to the end of the process, clean-up and compensation included.
BOUND = 1.0

_STUBBORN = (
    "trap '' INT TERM; "
    "sleep 600 & "  # ignores both signals as well: that is inherited
    "setsid sleep 600 & "  # in a session of its own
    '(sleep 600 &); echo runs >> "$LOG"; while :; do wait; done'
)
_STUBBORN_NODE = (
    "{uses: shell.run, with: {env: {LOG: '${{ inputs.log }}'}, command: [sh, -c, "
    + json.dumps(_STUBBORN)
    + "]}}"
)


_MAPPED = ", map: '${{ inputs.many }}', concurrency: 10000"

#: What runs when the key is pressed, by what it is, and how it says so: so many lines in the log,
#: or a text on standard error.
KINDS: dict[str, tuple[str, int | str]] = {
    "an async node": (uses("stop.sleep"), 1),
    "an async node that refuses": (uses("stop.refuse"), 1),
    "a thread that computes": (uses("stop.compute"), 1),
    "a thread that blocks": (uses("stop.block"), 1),
    "a process that computes": (uses("stop.far"), 1),
    "a deaf process with a child": (uses("stop.deaf"), 1),
    "a stubborn program with children": (_STUBBORN_NODE, 1),
    "a signal": ("{wait: {signal: go}}", "waits for the signal"),
    "a time": ("{wait: {for: 1h}}", "waiting"),
    "an approval": ("{wait: {approval: {title: Go}}}", "waits for an approval"),
    "a retry": (
        "{uses: flow.fail, with: {message: no}, retry: {attempts: 5, delay: 1h}}",
        "failed after",
    ),
    "a map of 10,000": (uses("stop.sleep", _MAPPED), 10_000),
    "a map of 10,000 in threads": (uses("stop.block", _MAPPED), 64),
    "a map of processes": (uses("stop.far", _MAPPED), os.cpu_count() or 1),
    "a map of waits": (
        f"{{nodes: {{w: {{wait: {{signal: go}}}}}}{_MAPPED}}}",
        "waits for the signal",
    ),
    "a loop": (uses("stop.sleep", ", loop: {times: 3}"), 1),
    "a loop's pause": (
        "{uses: data.value, with: {value: 1}, loop: {times: 3, delay: 1h}}",
        "waiting",
    ),
    "a called blueprint": ("{call: ./child.yaml, with: {log: '${{ inputs.log }}'}}", 2),
    "a race": (f"{{race: true, nodes: {{a: {uses('stop.block')}, b: {uses('stop.far')}}}}}", 2),
}

Start = Callable[..., Started]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Started] = []

    def begin(body: str, clean: str = CLEAN, *, terminal: bool = False) -> Started:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Started(folder, body, clean, terminal=terminal))
        return started[-1]

    yield begin
    for each in started:
        each.close()


def check_cancelled(run: Started) -> None:
    """The run is cancelled on record, cleaned up and undone, and no process is left."""
    assert programs(run.mark) == []
    assert run.marks() == ["done", "clean", "undone"]
    shown = run.shown()
    assert shown["status"] == "cancelled"
    assert shown["error"]["message"] == "interrupted"
    assert shown["compensation"] == {"completed": ["done"], "failed": []}
    states = {path: shown["nodes"][path]["status"] for path in ("done", "work", "after", "clean")}
    assert states == {
        "done": "completed",
        "work": "cancelled",
        "after": "cancelled",
        "clean": "completed",
    }


def seconds_to_cancel(run: Started, sign: int | str) -> float:
    """Press Ctrl-C once all runs, and see that everything was left in order."""
    run.wait_until_it_runs(sign)
    pressed = time.perf_counter()
    run.press()
    status = run.end()
    took = time.perf_counter() - pressed
    assert status == 3, run.text()
    check_cancelled(run)
    return took


@linux
@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_ends_everything_within_a_second(start: Start, kind: str) -> None:
    body, sign = KINDS[kind]
    took: list[float] = []
    # Others on the machine can only make it take longer: the quickest of a few counts.
    while not took or (min(took) >= BOUND and len(took) < 3):
        took.append(seconds_to_cancel(start(body), sign))
    print(f"{kind}: {took}")
    assert min(took) < BOUND


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    ["an async node", "a thread that blocks", "a process that computes", "a map of processes"],
)
def test_the_key_on_a_terminal_does_the_same(start: Start, kind: str) -> None:
    body, sign = KINDS[kind]
    run = start(body, terminal=True)
    seconds_to_cancel(run, sign)
    assert "cancelled after" in run.text()
    assert run.text().count("\x1b[?25l") == run.text().count("\x1b[?25h")  # the cursor is back


@linux
@pytest.mark.slow
@pytest.mark.parametrize("terminal", [False, True])
def test_a_second_ctrl_c_leaves_at_once_and_the_run_is_taken_up_later(
    start: Start, terminal: bool
) -> None:
    run = start(uses("stop.sleep"), uses("stop.hold"), terminal=terminal)
    run.wait_until_it_runs(1)
    run.press()
    run.wait_until_it_runs(2)  # it is cleaning up, and would do so for long
    run.press()
    assert run.end(2) == 130
    assert programs(run.mark) == []
    assert "stopped at once; the run is on record, look at it with: atomiton runs show run_" in (
        run.text()
    )
    assert run.marks() == ["done"]
    (run.folder / "log.open").touch()
    resumed = run.atomiton("runs", "resume", "last")
    assert resumed.returncode == 3, resumed.stderr
    check_cancelled(run)


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    "what", ["a stubborn program with children", "a deaf process with a child"]
)
def test_a_second_ctrl_c_leaves_no_process_behind(start: Start, what: str) -> None:
    body, _ = KINDS[what]
    run = start(uses("stop.sleep"), body)
    run.wait_until_it_runs(1)
    run.press()
    run.wait_until_it_runs(2)
    run.press()
    assert run.end(2) == 130
    assert programs(run.mark) == []


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    ["an async node", "a thread that blocks", "a deaf process with a child", "a signal"],
)
def test_sigterm_leaves_the_run_on_record_and_no_process(start: Start, kind: str) -> None:
    body, sign = KINDS[kind]
    run = start(body)
    run.wait_until_it_runs(sign)
    run.process.send_signal(signal.SIGTERM)
    assert run.end(5) == 4
    assert programs(run.mark) == []
    assert run.marks() == ["done"]
    assert "atomiton runs " in run.text()
    shown = run.shown()
    assert shown["error"] is None
    assert shown["nodes"]["done"]["status"] == "completed"
    cancelled = run.atomiton("runs", "cancel", "last", "--reason", "interrupted")
    assert cancelled.returncode == 0, cancelled.stderr
    check_cancelled(run)


@linux
@pytest.mark.slow
@pytest.mark.parametrize("step", range(12))
def test_ctrl_c_before_the_run_begins_starts_nothing_or_cancels(
    start: Start, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What measures coverage holds a lock now and then; an interrupt leaves it locked, and the
    # process waits for it when it ends.
    for name in [name for name in os.environ if name.startswith("COV")]:
        monkeypatch.delenv(name)
    run = start(uses("stop.sleep"))
    # Before it reads the command line, Python itself is at work, and loses what is pressed.
    maps = Path(f"/proc/{run.process.pid}/maps")
    eventually(lambda: "msgspec" in maps.read_text(), 30)
    time.sleep(0.03 * step)
    run.press()
    status = run.end(5)
    assert "Traceback" not in run.text()
    if run.marks():
        assert status == 3
    if status == 3:
        assert run.shown()["status"] == "cancelled"
    else:
        assert status == 130
        listed: subprocess.CompletedProcess[str] = run.atomiton("runs", "list", "--json")
        assert json.loads(listed.stdout) == []
    assert programs(run.mark) == []
