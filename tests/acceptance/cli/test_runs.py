"""``runs``: what is on record, and steering it from another process."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from tests.acceptance.cli.shell import Shell, eventually, read_until


def test_list_show_and_events(shell: Shell) -> None:
    run = shell.run("run", "hello.yaml", "--json").data["run"]
    shell.run("run", "fails.yaml")
    failed, done = shell.listed()
    assert (failed["blueprint"], failed["status"]) == ("fails", "failed")
    assert failed["error"] == {"code": "CARD_REFUSED", "message": "the card was refused"}
    assert (done["run"], done["status"], done["driven"]) == (run, "completed", False)
    assert "hello" in shell.run("runs", "list", "--status", "completed").out
    assert shell.run("runs", "show", run, "--json").data["output"] == "Hello, world"
    shown = shell.run("runs", "show", "last").out
    assert "charge  failed" in shown
    assert "2 attempts" in shown
    events = [
        json.loads(line) for line in shell.run("runs", "events", run, "--json").out.split("\n")[:-1]
    ]
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["kind"] == "run_requested"
    assert {event["run"] for event in events} == {run}
    later = shell.run("runs", "events", run, "--json", "--after", "1").out
    assert len(later.splitlines()) == len(events) - 1


def test_a_run_is_named_by_part_of_its_id(shell: Shell) -> None:
    one = shell.run("run", "hello.yaml", "--json").data["run"]
    two = shell.run("run", "hello.yaml", "--json").data["run"]
    for name in (one, one[:-1], one[-8:], one.removeprefix("run_")):
        assert shell.run("runs", "show", name, "--json").data["run"] == one
    assert shell.run("runs", "show", "last", "--json").data["run"] == two
    many = shell.run("runs", "show", "run_")
    assert many.code == 2
    assert "may be any of" in many.err
    assert shell.run("runs", "show", "nothing").code == 2


def test_without_a_store(shell: Shell) -> None:
    assert shell.run("runs", "list", "--json").out == "[]\n"
    assert shell.run("runs", "show", "last").code == 2
    assert not (shell.folder / "runs.db").exists()


def test_detach_and_resume(shell: Shell) -> None:
    left = shell.run("run", "naps.yaml", "--detach", "--json")
    assert left.code == 4
    assert left.data["status"] == "waiting"
    (listed,) = shell.listed()
    assert listed["status"] == "waiting"
    assert "nap" in listed["reason"]
    done = shell.run("runs", "resume", "--json")
    assert done.code == 0
    assert json.loads(done.out)[0]["output"] == "late"
    assert shell.run("runs", "resume").err == "no runs were interrupted\n"


def test_cancel_from_another_process(shell: Shell) -> None:
    process = shell.start("run", "waits.yaml")
    read_until(process, "waiting")
    done = shell.run("runs", "cancel", "last", "--reason", "too late")
    assert done.code == 0, done.err
    assert "cancelled" in done.err
    _, err = process.communicate(timeout=10)
    assert process.returncode == 3
    assert "too late" in err
    again = shell.run("runs", "cancel", "last")
    assert again.code == 2
    assert "has ended" in again.err


def test_a_run_that_waits_for_a_signal_says_how_to_send_it(shell: Shell, tmp_path: Path) -> None:
    text = "atomiton: 1\nid: w\nnodes:\n  paid: {wait: {signal: it's paid}}\noutput: ${{ paid }}\n"
    (tmp_path / "signal.yaml").write_text(text)
    left = shell.run("run", "signal.yaml", "--detach")
    assert left.code == 4
    _, _, way = left.err.partition("go on with: atomiton ")
    assert shell.run(*shlex.split(way.strip()), "yes", "--quiet").out == "yes\n"


def test_cancel_what_nobody_drives(shell: Shell) -> None:
    assert shell.run("run", "waits.yaml", "--detach").code == 4
    assert shell.run("runs", "cancel", "last", "--json").data["status"] == "cancelled"


def test_pause_step_resume_and_watch_from_other_processes(shell: Shell) -> None:
    process = shell.start("run", "naps.yaml")
    read_until(process, "waiting")
    assert shell.run("runs", "pause", "last").code == 0
    eventually(lambda: shell.listed()[0]["status"] == "paused")
    assert shell.run("runs", "watch", "last", "--timeout", "500ms").code == 4
    assert shell.run("runs", "resume", "last").code == 0
    watched = shell.run("runs", "watch", "last")
    assert (watched.code, watched.out) == (0, "late\n")
    assert process.communicate(timeout=10)[0] == "late\n"
    assert shell.run("runs", "step", "last").code == 2


def test_resume_after_kill_9(shell: Shell) -> None:
    process = shell.start("run", "naps.yaml")
    read_until(process, "waiting")
    process.kill()
    process.communicate()
    done = shell.run("runs", "resume", "last")
    assert (done.code, done.out) == (0, "late\n")


def test_a_lost_attempt_waits_for_a_decision(shell: Shell) -> None:
    nodes = ("--nodes", "mine.py")
    file = shell.folder / "acted.txt"
    process = shell.start("run", "once.yaml", *nodes, "-i", f"file={file}", "-i", "seconds=20")
    eventually(lambda: file.exists() and file.read_text())
    process.kill()
    process.communicate()
    unknown = shell.run("runs", "resume", "last")
    assert unknown.code == 2
    assert "mine.act" in unknown.err
    left = shell.run("runs", "resume", "last", *nodes)
    assert left.code == 4, left.err
    assert "must not be repeated unasked" in left.err
    assert "--repeat-lost" in left.err
    assert file.read_text() == "acted"
    failed = shell.run("runs", "resume", "last", *nodes, "--fail-lost", "--json")
    assert failed.code == 1
    assert failed.data["error"]["code"] == "ATTEMPT_LOST"
    assert shell.run("runs", "show", "last", "--json").data["status"] == "failed"


ASK = """
atomiton: 1
id: ask
nodes:
  before: {uses: data.value, with: {value: 5}}
  ask: {needs: before, wait: {approval: {title: Ship it?, fields: {n: integer}}, timeout: 2d}}
  go: {needs: ask, wait: {signal: go}}
output: {asked: "${{ ask.fields.n }}", signal: "${{ go }}"}
"""


def test_an_approval_and_a_signal_from_other_processes(shell: Shell) -> None:
    (shell.folder / "ask.yaml").write_text(ASK, encoding="utf-8")
    assert shell.run("run", "ask.yaml", "--detach").code == 4
    shown = shell.run("runs", "show", "last").out
    assert "an approval at ask (Ship it?)" in shown
    assert "--field n=..." in shown
    wrong = shell.run("runs", "approve", "last", "--field", "m=5")
    assert wrong.code == 2
    assert "there is no field 'm'" in wrong.err
    wrong = shell.run("runs", "approve", "last", "--field", "n=x")
    assert (wrong.code, wrong.err.count("[INVALID_INPUT]")) == (2, 1)
    assert shell.run("runs", "approve", "last", "--field", "n=7", "--by", "ada").code == 4
    waits = shell.run("runs", "show", "last", "--json").data["waits"]
    assert [(wait["kind"], wait["signal"]) for wait in waits] == [("signal", "go")]
    told = shell.run("runs", "signal", "last", "go", '{"a": 1}', "--json")
    assert (told.code, told.data["output"]) == (0, {"asked": 7, "signal": {"a": 1}})


def test_a_run_that_is_driven_elsewhere_is_told_there(shell: Shell) -> None:
    (shell.folder / "ask.yaml").write_text(ASK, encoding="utf-8")
    with shell.start("run", "ask.yaml", "--json") as process:
        eventually(lambda: "waiting" in [run["status"] for run in shell.listed()])
        assert shell.run("runs", "approve", "last", "--field", "n=1").code == 0
        eventually(lambda: "signal" in shell.run("runs", "show", "last").out)
        assert shell.run("runs", "signal", "last", "go", "now").code == 0
        out, _ = process.communicate(timeout=20)
    assert json.loads(out)["output"] == {"asked": 1, "signal": "now"}


def test_old_runs_are_pruned_and_unfinished_ones_stay(shell: Shell) -> None:
    for _ in range(4):
        shell.run("run", "hello.yaml")
    shell.run("run", "fails.yaml")
    shell.run("run", "waits.yaml", "--timeout", "100ms")
    waiting = shell.start("run", "waits.yaml")
    read_until(waiting, "waiting")
    waiting.terminate()
    waiting.communicate()
    before = {run["run"]: run["status"] for run in shell.listed()}
    assert shell.run("runs", "prune").code == 2
    wrong = shell.run("runs", "prune", "--older-than", "yesterday")
    assert wrong.code == 2
    assert "is not a duration" in wrong.err
    assert shell.run("runs", "prune", "--older-than", "1h", "--json").data["deleted"] == 0
    plan = shell.run("runs", "prune", "--keep", "1", "--status", "completed", "--dry-run", "--json")
    completed = sorted(run for run, status in before.items() if status == "completed")
    assert plan.data["would_delete"] == completed[:-1]
    assert len(shell.listed()) == len(before)
    pruned = shell.run("runs", "prune", "--keep", "1", "--status", "completed")
    assert f"{len(completed) - 1} runs deleted" in pruned.err
    left = {run["run"] for run in shell.listed()}
    assert left == before.keys() - set(completed[:-1])
    shell.run("runs", "prune", "--older-than", "0s")
    unfinished = {run for run, status in before.items() if status in ("waiting", "running")}
    assert unfinished
    assert {run["run"] for run in shell.listed()} == unfinished
    assert shell.run("doctor", "--every", "--json").data["ok"] is True


def test_one_run_is_deleted(shell: Shell) -> None:
    shell.run("run", "hello.yaml")
    (run,) = shell.listed()
    assert shell.run("runs", "delete", "last", "--json").data == {"deleted": run["run"]}
    assert shell.listed() == []
    gone = shell.run("runs", "delete", run["run"])
    assert gone.code == 2
    assert "there is no run" in gone.err


def test_one_item_of_many_can_be_looked_at(shell: Shell) -> None:
    (shell.folder / "many.yaml").write_text(
        "atomiton: 1\nid: many\nnodes:\n  each:\n    map: ${{ lists.range(1100) }}\n"
        "    nodes: {a: {uses: data.value, with: {value: '${{ item - 1099 }}'}}}\n"
        "output: done\n"
    )
    assert shell.run("run", "many.yaml", "--quiet").code == 0
    shown = shell.run("runs", "show", "last", "--node", "each[1099]").out
    assert shown.split()[:2] == ["each[1099]", "completed"]
    assert len(shown.splitlines()) == 1
    facts = shell.run("runs", "events", "last", "--node", "each[1099]").out.splitlines()
    assert facts[-1].split()[2:] == ["attempt_completed", "each[1099].a", "0"]
    assert all("each[1099].a" in fact for fact in facts)
    found = shell.run("runs", "show", "last", "--node", "each[3]", "--json").data
    assert list(found) == ["each[3]"]
    missing = shell.run("runs", "show", "last", "--node", "each[1099].a")
    assert (missing.code, "--node 'each[1099].a'" in missing.err) == (2, True)
