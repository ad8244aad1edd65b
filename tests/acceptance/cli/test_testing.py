"""``atomiton test`` and ``atomiton runs export --as-test``, as a user calls them."""

from __future__ import annotations

import json

import pytest
from tests.acceptance.cli.shell import Shell

from atomiton.testing import run

pytestmark = pytest.mark.slow

BLUEPRINT = """
atomiton: 1
id: shop
inputs: {path: string}
nodes:
  read: {uses: file.read, with: {path: "${{ inputs.path }}", as: lines}}
  big: {uses: data.filter, with: {items: "${{ read.content }}", where: int(item) > 10}}
  flaky:
    uses: shell.run
    with: {command: ["false"]}
    retry: {attempts: 2, delay: 10ms}
    on_error: continue
  slow: {uses: shell.run, with: {command: [sleep, "30"]}, timeout: 100ms, on_error: {value: late}}
  last: {uses: data.value, with: {value: "${{ slow }}"}}
output: {count: "${{ big.count }}", slow: "${{ last }}", began: "${{ string(run.started_at) }}"}
"""
TESTS = """
blueprint: ./shop.yaml
tests:
  - name: one is big
    inputs: {path: numbers.txt}
    files: {numbers.txt: "1\\n20\\n"}
    programs: {"false": {exit_code: 0}, sleep: {stdout: quick}}
    expect: {nodes: {flaky: {attempts: 1}, big: {output: {items: ["20"], count: 1}}}}
  - name: none is big
    inputs: {path: numbers.txt}
    files: {numbers.txt: "1\\n2\\n"}
    programs: {"false": {exit_code: 0}, sleep: {stdout: quick}}
    expect: {nodes: {big: {output: {items: [], count: 1}}}}
"""


@pytest.fixture
def shop(shell: Shell) -> Shell:
    (shell.folder / "shop.yaml").write_text(BLUEPRINT)
    (shell.folder / "shop.test.yaml").write_text(TESTS)
    (shell.folder / "orders.txt").write_text("5\n15\n25\n")
    return shell


def test_tests_pass_and_fail_with_the_difference(shop: Shell) -> None:
    ended = shop.run("test", "shop.test.yaml")
    assert ended.code == 1, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "shop.test.yaml"
    assert lines[1].startswith("  passed  one is big (")
    assert lines[2].startswith("  FAILED  none is big (")
    assert lines[3].strip() == "nodes.big.output.count: expected 1, given 0"
    assert lines[4].startswith("1 failed, 1 passed in ")
    ended = shop.run("test", "shop.test.yaml", "--only", "none")
    assert ended.out.splitlines()[-1].startswith("1 failed, 0 passed in ")
    ended = shop.run("test", "shop.test.yaml", "--only", "nothing")
    assert (ended.code, ended.err) == (2, "error: no test has a name with 'nothing' [NOT_FOUND]\n")


def test_json_says_the_same(shop: Shell) -> None:
    ended = shop.run("test", "--json", "shop.test.yaml")
    said = json.loads(ended.out)
    assert (ended.code, said["passed"], said["failed"], said["problems"]) == (1, 1, 1, [])
    assert [test["passed"] for test in said["tests"]] == [True, False]
    assert said["tests"][1]["differences"] == [
        {"path": "nodes.big.output.count", "kind": "changed", "expected": 1, "given": 0}
    ]


def test_what_is_wrong_is_refused_before_anything_runs(shop: Shell) -> None:
    (shop.folder / "bad.test.yaml").write_text(
        "blueprint: ./shop.yaml\ntests:\n  - name: x\n    inputs: {path: a}\n    repalce: {}\n"
    )
    ended = shop.run("test", "shop.test.yaml", "bad.test.yaml")
    assert ended.code == 2
    assert "bad.test.yaml:5:5: a test has no key 'repalce' (did you mean 'replace'?)" in ended.out
    assert "passed" not in ended.out
    said = json.loads(shop.run("test", "--json", "shop.test.yaml", "bad.test.yaml").out)
    assert [(it["file"], it["line"], it["column"]) for it in said["problems"]] == [
        ("bad.test.yaml", 5, 5)
    ]
    assert shop.run("test", "gone.test.yaml").code == 2


def test_a_recorded_run_becomes_a_test_that_passes(shop: Shell) -> None:
    ended = shop.run("run", "shop.yaml", "-i", "path=orders.txt", "-q")
    assert ended.code == 0, ended.err
    ended = shop.run("runs", "export", "last", "--as-test", "--blueprint", "shop.yaml", "-o",
                 "recorded.test.yaml")  # fmt: skip
    assert ended.code == 0, ended.err
    assert "atomiton test recorded.test.yaml" in ended.err
    (shop.folder / "orders.txt").unlink()
    text = (shop.folder / "recorded.test.yaml").read_text()
    assert "blueprint: ./shop.yaml" in text
    assert "slow: {hang: true}" in text
    ended = shop.run("test", "recorded.test.yaml")
    assert ended.code == 0, ended.out
    # A change of what is computed is seen.
    changed = BLUEPRINT.replace("int(item) > 10", "int(item) > 20")
    (shop.folder / "shop.yaml").write_text(changed)
    ended = shop.run("test", "recorded.test.yaml")
    assert ended.code == 1
    assert "output.count: expected 2, given 1" in ended.out


def test_a_failed_run_and_its_blueprint_become_a_test(shop: Shell) -> None:
    assert shop.run("run", "shop.yaml", "-i", "path=gone.txt", "-q").code == 1
    ended = shop.run("runs", "export", "last", "--as-test")
    assert ended.code == 2
    assert "shop.test.yaml is there already" in ended.err
    text = shop.run("runs", "export", "last", "--as-test", "-o", "-").out
    (shop.folder / "failed.test.yaml").write_text(text)
    (shop.folder / "shop.yaml").unlink()
    assert "code: NOT_FOUND" in text
    assert "nodes:\n        read: failed" in text.partition("expect:")[2]
    ended = shop.run("test", "failed.test.yaml")
    assert ended.code == 0, ended.out
    ended = shop.run("runs", "export", "last")
    assert (ended.code, "--as-test" in ended.err) == (2, True)


NESTED = """
atomiton: 1
id: nested
inputs: {amount: integer}
nodes:
  ask: {wait: {approval: {title: "ok?", fields: {limit: integer}}}}
  way: {branch: {big: inputs.amount > 5, small: else}, needs: [ask]}
  pay:
    needs: [way.big]
    nodes:
      charge:
        uses: shell.run
        with: {command: [echo, "${{ string(inputs.amount) }}"]}
        compensate: {uses: shell.run, with: {command: [echo, "back ${{ charge.stdout }}"]}}
      paid: {wait: {signal: paid, match: payload.id == charge.exit_code}}
    output: ${{ paid.amount }}
  items:
    map: [1, 2]
    needs: [pay]
    nodes:
      print: {uses: shell.run, with: {command: [echo, "${{ string(item) }}"]}}
      sent: {wait: {signal: sent}, needs: [print]}
    output: ["${{ print.stdout }}", "${{ sent }}"]
  called: {call: ./child.yaml, with: {text: "${{ string(pay) }}"}, needs: [items]}
  last: {uses: shell.run, needs: [called], with: {command: ["END"]}}
output: {paid: "${{ pay }}", items: "${{ items }}", called: "${{ called }}", by: "${{ ask.by }}"}
"""
CHILD = """
atomiton: 1
id: child
inputs: {text: string}
nodes: {say: {uses: shell.run, with: {command: [echo, "${{ inputs.text }}"]}}}
output: ${{ say.stdout }}
"""


@pytest.mark.parametrize(("end", "status"), [("true", "completed"), ("false", "failed")])
def test_a_recorded_run_with_bodies_answers_and_calls_becomes_a_test(
    shell: Shell, end: str, status: str
) -> None:
    (shell.folder / "nested.yaml").write_text(NESTED.replace("END", end))
    (shell.folder / "child.yaml").write_text(CHILD)
    recorded = run(
        shell.folder / "nested.yaml",
        {"amount": 7},
        answers={"ask": {"limit": 3}, "pay.paid": {"id": 0, "amount": 4}, "items.sent": "x"},
        store=shell.env["ATOMITON_STORE"],
    )
    assert recorded.status == status
    ended = shell.run("runs", "export", "last", "--as-test")
    assert (ended.code, "--blueprint FILE" in ended.err) == (2, True)
    ended = shell.run("runs", "export", "last", "--as-test", "--blueprint", "nested.yaml")
    assert (ended.code, "has changed" in ended.err) == (0, False), ended.err
    text = (shell.folder / "nested.test.yaml").read_text()
    replaced = text.partition("    expect:")[0]
    paths = ["pay.charge", "pay.paid", "items[0].print", "items[1].sent", "called.say", "ask"]
    assert [path for path in paths if f"\n      {path}:" not in replaced] == []
    assert ("\n      pay.charge:compensate:" in replaced) == (status == "failed")
    ended = shell.run("test", "nested.test.yaml")
    assert ended.code == 0, ended.out
    (shell.folder / "child.yaml").write_text(CHILD.replace("say.stdout", "say.exit_code"))
    ended = shell.run(
        "runs", "export", "last", "--as-test", "--blueprint", "nested.yaml", "-o", "-"
    )
    assert "nested.yaml has changed since the run" in ended.err


DETAILED = """
atomiton: 1
id: detailed
nodes:
  sh: {uses: shell.run, with: {command: [sh, -c, "exit 4"]}, on_error: continue}
  all:
    map: [0, 3]
    on_item_error: collect
    nodes:
      one: {uses: shell.run, with: {command: [sh, -c, "exit ${{ string(item) }}"]}}
    output: ${{ one.exit_code }}
output: {code: "${{ nodes.sh.error.details.exit_code }}", all: "${{ all }}"}
"""


def test_the_details_of_errors_are_in_the_test(shell: Shell) -> None:
    (shell.folder / "detailed.yaml").write_text(DETAILED)
    ended = shell.run("run", "detailed.yaml", "--json", "-q")
    assert json.loads(ended.out)["output"]["code"] == 4, ended.out
    ended = shell.run("runs", "export", "last", "--as-test", "--blueprint", "detailed.yaml")
    assert ended.code == 0, ended.err
    ended = shell.run("test", "detailed.test.yaml")
    assert ended.code == 0, ended.out
    (shell.folder / "detailed.yaml").write_text(DETAILED.replace("details.exit_code", "code"))
    assert shell.run("test", "detailed.test.yaml").code == 1
