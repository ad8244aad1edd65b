"""``run``, ``validate`` and what the command line itself refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from tests.acceptance.cli.shell import Shell, read_until

RUN_KEYS = {
    "run", "blueprint", "status", "output", "error", "nodes", "compensation", "duration_ms",
}  # fmt: skip


def test_the_output_is_on_stdout_and_progress_on_stderr(shell: Shell) -> None:
    done = shell.run("run", "hello.yaml", "--input", "name=Ada")
    assert (done.code, done.out) == (0, "Hello, Ada\n")
    assert "greet completed" in done.err
    assert "completed in" in done.err


def test_quiet_says_nothing(shell: Shell) -> None:
    assert shell.run("run", "hello.yaml", "-q").err == ""


def test_json_is_the_whole_run(shell: Shell) -> None:
    done = shell.run("run", "hello.yaml", "--json")
    assert set(done.data) == RUN_KEYS
    assert done.data["status"] == "completed"
    assert done.data["output"] == "Hello, world"
    assert set(done.data["nodes"]["greet"]) == {"status", "attempts", "duration_ms", "error"}


def test_inputs_are_read_as_their_type_needs(shell: Shell) -> None:
    given = ["text=1", "number=1.5", "flag=true", "items=[1, two, {a: no}]", "any=no"]
    done = shell.run("run", "echo.yaml", *(part for text in given for part in ("-i", text)))
    assert done.code == 0, done.err
    assert json.loads(done.out) == {
        "text": "1", "number": 1.5, "flag": True, "items": [1, "two", {"a": "no"}], "any": "no",
    }  # fmt: skip


def test_inputs_from_stdin_and_one_instead(shell: Shell) -> None:
    text = '{"text": "a", "number": 2}'
    done = shell.run("run", "echo.yaml", "--inputs", "-", "-i", "number=3", input_=text)
    assert json.loads(done.out)["text"] == "a"
    assert json.loads(done.out)["number"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "hello.yaml", "-i", "nmae=x"], "did you mean 'name'?"),
        (["run", "hello.yaml", "-i", "count=many"], "expected integer, got text 'many'"),
        (["run", "hello.yaml", "-i", "name"], "name=value"),
        (["run", "hello.yaml", "-i", "tags=[1"], "neither JSON nor YAML"),
        (["run", "hello.yaml", "-i", "name=a", "-i", "name=b"], "name is given more than once"),
        (["run", "hello.yaml", "--inputs", "gone.yaml"], "cannot be read"),
        (["run", "hello.yaml", "--inputs", "list.json"], "list.json:1:1: inputs are a mapping"),
        (["run", "hello.yaml", "--inputs", "list.yaml"], "list.yaml:1:1: inputs are a mapping"),
        (["run", "hello.yaml", "--inputs", "empty.yaml"], "the document is empty (write `name: "),
        (["run", "hello.yaml", "--inputs", "twice.json"], "the key count appears twice"),
        (["run", "hello.yaml", "--key", ""], "key is text that is not empty"),
        (["run", "hello.yaml", "--store", ":memory:"], "use memory: to keep"),
        (["run", "hello.yaml", "--store", "/dev/null"], "no ordinary file"),
        (["run", "hello.yaml", "--store", "hello.yaml/runs.db"], "is a file, not a folder"),
        (["run", "hello.yaml", "--store", "."], "this is a folder"),
        (["run", "hello.yaml", "--timeout", "soon"], "--timeout"),
        (["run", "hello.yaml", "--timeout", "0s"], "more than 0"),
        (
            ["run", "hello.yaml", "--durability", "none", "--key", "k"],
            "--key needs a run on record",
        ),
        (["run", "hello.yaml", "--store", "mongo:x"], "no kind of store"),
        (["run", "hello.yaml", "--nodes", "gone.py"], "no such Python file"),
        (["run", "gone.yaml"], "there is no blueprint file gone.yaml"),
        (["run", "broken.yaml"], "broken.yaml:6:11: "),
    ],
)
def test_what_is_refused(shell: Shell, arguments: list[str], said: str) -> None:
    files = {"list.json": "[1, 2]", "list.yaml": "- 1\n", "empty.yaml": "# none\n"}
    for name, text in {**files, "twice.json": '{"count": 1, "count": 2}'}.items():
        (shell.folder / name).write_text(text)
    done = shell.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    as_json = shell.run(*arguments, "--json")
    assert as_json.code == 2
    assert as_json.data["status"] == "refused"
    assert set(as_json.data) == RUN_KEYS | {"problems"}
    assert as_json.data["error"] == as_json.data["problems"][0]
    assert not (shell.folder / "runs.db").exists()


def test_usage_is_refused_in_json_too(shell: Shell) -> None:
    done = shell.run("run", "--json", "hello.yaml", "--fast")
    assert done.code == 2
    assert done.data["status"] == "refused"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["rnu"], "Did you mean 'run'?"), (["run"], "FILE"), (["run", "a", "--no"], "--no")],
)
def test_bad_usage(shell: Shell, arguments: list[str], said: str) -> None:
    done = shell.run(*arguments)
    assert done.code == 2
    assert said in done.err


def test_a_failure_says_where_what_and_how_often(shell: Shell) -> None:
    done = shell.run("run", "fails.yaml")
    assert (done.code, done.out) == (1, "")
    assert "error: charge: the card was refused [CARD_REFUSED]" in done.err
    assert "attempts: 2" in done.err
    assert "place: fails.yaml:6:3" in done.err
    assert "atomiton runs show run_" in done.err
    as_json = shell.run("run", "fails.yaml", "--json", "--durability", "none")
    assert as_json.code == 1
    error = as_json.data["error"]
    assert (error["code"], error["node"], error["attempt"]) == ("CARD_REFUSED", "charge", 2)
    assert as_json.data["nodes"]["first"]["status"] == "completed"


def test_a_timeout_of_the_command_line(shell: Shell) -> None:
    done = shell.run("run", "waits.yaml", "--timeout", "100ms", "--json")
    assert done.code == 1
    assert done.data["error"]["code"] == "TIMEOUT"


def test_a_run_in_memory_touches_no_store(shell: Shell) -> None:
    assert shell.run("run", "hello.yaml", "--durability", "none").code == 0
    assert not (shell.folder / "runs.db").exists()


def test_the_same_key_runs_once(shell: Shell) -> None:
    one = shell.run("run", "hello.yaml", "--key", "k", "--json").data
    two = shell.run("run", "hello.yaml", "--key", "k", "--json", "-i", "name=Bob").data
    assert one["run"] == two["run"]
    assert two["output"] == "Hello, world"


def test_nodes_of_a_file(shell: Shell) -> None:
    done = shell.run("run", "once.yaml", "--nodes", "mine.py", "-i", "file=out.txt")
    assert done.out == "acted\n", done.err


def test_a_run_asks_at_its_breakpoints_and_shows_what_is_there(shell: Shell) -> None:
    (shell.folder / "each.yaml").write_text(
        "atomiton: 1\nid: each\nnodes:\n"
        "  a: {uses: data.value, with: {value: 1}}\n"
        "  g: {map: '${{ [5, 6, 7] }}', uses: data.value, with: {value: '${{ item + a }}'}}\n"
        "output: ${{ g }}\n"
    )
    keys = "i\np item * 100\nc\np nothing\nwhat\nn\n"
    done = shell.run("run", "each.yaml", "--break", "g if index >= 1", "--json", input_=keys)
    assert done.code == 0, done.err
    assert done.data["output"] == [6, 7, 8]
    asked = [line for line in done.err.splitlines() if line.startswith("next: ")]
    assert asked == ["next: g[1], g[2]"] * 3 + ["next: g[2]"] * 3
    assert "value = 7" in done.err
    assert "= 600" in done.err
    assert "unknown name 'nothing'" in done.err
    assert "'what' is none of the keys" in done.err
    wrong = shell.run("run", "each.yaml", "--break", "h")
    assert wrong.code == 2
    assert "no node 'h' to stop before" in wrong.err


@pytest.mark.parametrize(("answers", "code"), [("\n\n", 0), ("c\n", 0), ("", 0), ("q\n", 3)])
def test_step_by_step(shell: Shell, answers: str, code: int) -> None:
    done = shell.run("run", "hello.yaml", "--step", input_=answers)
    assert done.code == code, done.err
    assert "next: greet" in done.err
    assert ('= "Hello, world"' in done.err) == (code == 0)


def test_ctrl_c_cancels_and_waits(shell: Shell) -> None:
    process = shell.start("run", "waits.yaml", "--json")
    read_until(process, "waiting")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 3, err
    result = json.loads(out)
    assert result["status"] == "cancelled"
    assert result["nodes"]["first"]["status"] == "completed"
    assert result["nodes"]["nap"]["status"] == "cancelled"


def test_the_second_ctrl_c_stops_hard(shell: Shell) -> None:
    (shell.folder / "stuck.py").write_text(
        "from atomiton import node\n\n@node('t.stuck', runtime='inline')\ndef stuck() -> int:\n"
        "    print('stuck', flush=True)\n    while True:\n        pass\n"
    )
    (shell.folder / "stuck.yaml").write_text(
        "atomiton: 1\nid: stuck\nnodes:\n  a: {uses: t.stuck}\n"
    )
    process = shell.start("run", "stuck.yaml", "--nodes", "stuck.py", "--durability", "none")
    assert process.stdout is not None
    assert process.stdout.readline() == "stuck\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    assert process.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_leaves_a_run_that_goes_on_later(shell: Shell, number: int) -> None:
    process = shell.start("run", "naps.yaml")
    read_until(process, "waiting")
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 4
    assert "atomiton runs resume run_" in err
    assert shell.run("runs", "resume", "last").out == "late\n"


@pytest.mark.parametrize(
    ("where", "code"),
    [("| true", "141"), (">&-", "0"), ("> /dev/full", "1"), ("2>&-", "0"), ("| head -c 1", "0")],
)
def test_output_that_nobody_takes(shell: Shell, where: str, code: str) -> None:
    if "full" in where and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    shell.run("run", "hello.yaml")
    verb = "schema" if "true" in where else "run hello.yaml"
    end = "echo ${PIPESTATUS[0]} >&3"
    done = subprocess.run(
        ["/bin/bash", "-c", f"exec 3>code; {sys.executable} -m atomiton {verb} {where}; {end}"],
        cwd=shell.folder,
        env=shell.env,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert (shell.folder / "code").read_text().strip() == code


def test_validate_shows_place_line_and_caret(shell: Shell) -> None:
    done = shell.run("validate", "broken.yaml", "hello.yaml")
    assert done.code == 2
    lines = done.out.splitlines()
    assert lines[0].startswith("broken.yaml:6:11: ")
    assert "(did you mean data.value" in lines[0]
    assert lines[0].endswith("?) [UNKNOWN_NODE_TYPE]")
    assert lines[1].endswith("|     uses: data.valu")
    assert lines[2].index("^") == lines[1].index("data.valu")
    assert any("nobody" in line for line in lines)
    assert lines[-1] == "hello.yaml: valid"


def test_validate_in_json(shell: Shell) -> None:
    done = shell.run("validate", "broken.yaml", "--json")
    assert done.code == 2
    assert done.data["valid"] is False
    assert len(done.data["problems"]) == 2
    assert set(done.data["problems"][0]) == {"code", "message", "path", "line", "column", "hint"}
    assert shell.run("validate", "hello.yaml", "--json").data == {"valid": True, "problems": []}
    both = shell.run("validate", "hello.yaml", "broken.yaml", "--json").data
    assert {problem["file"] for problem in both["problems"]} == {"broken.yaml"}


@pytest.mark.parametrize(("delay", "told"), [("20ms", False), ("1s", True)])
def test_a_wait_is_told_of_if_somebody_can_read_it(shell: Shell, delay: str, told: bool) -> None:
    node = f"{{uses: flow.fail, with: {{message: no}}, retry: {{attempts: 2, delay: {delay}}}}}"
    (shell.folder / "again.yaml").write_text(f"atomiton: 1\nid: again\nnodes: {{a: {node}}}\n")
    ran = shell.run("run", "again.yaml")
    assert (ran.code, "waiting: 'a' waits for attempt 2" in ran.err) == (1, told)
