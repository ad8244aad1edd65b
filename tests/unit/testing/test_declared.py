"""Tests written as data: read with their places, run, and told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from atomiton.testing.declared.running import Outcome, Unusable, load_suite, run_test

BLUEPRINT = """\
atomiton: 1
id: order
inputs:
  path: string
  threshold: {type: number, default: 100}
secrets: [KEY]
nodes:
  read: {uses: sheet.read, with: {path: "${{ inputs.path }}"}}
  big:
    uses: data.filter
    with: {items: "${{ read.rows }}", where: double(item.total) > inputs.threshold}
  rate:
    uses: http.request
    with: {url: "https://rates.example/EUR", headers: {X-Key: "${{ secrets.KEY }}"}}
    retry: {attempts: 3, delay: 10m}
    timeout: 5s
  nap: {wait: {for: 30d}}
  none: {uses: data.value, if: big.count > 100, with: {value: 1}}
  sign: {uses: shell.run, with: {command: [sign, "${{ string(big.count) }}"]}}
  save:
    uses: file.write
    needs: [nap]
    with:
      path: out/report.json
      content:
        {count: "${{ big.count }}", rate: "${{ rate.json.rate }}", sign: "${{ sign.stdout }}"}
output: {count: "${{ big.count }}", path: "${{ save.path }}"}
"""
GOOD = """\
    inputs: {path: orders.csv}
    http: {"https://rates.example/EUR": {json: {rate: 2}}}
    programs: {sign: {stdout: signed}}
"""


def suite(folder: Path, tests: str, *, blueprint: str = "blueprint: ./order.yaml\n"):
    (folder / "order.yaml").write_text(BLUEPRINT)
    (folder / "orders.csv").write_text("id,total\na,50\nb,150\nc,1000\n")
    path = folder / "order.test.yaml"
    path.write_text(f"{blueprint}tests:\n{tests}")
    return load_suite(path)


def outcomes(folder: Path, tests: str, **keys: str) -> list[Outcome]:
    loaded = suite(folder, tests, **keys)
    return [run_test(loaded, test) for test in loaded.tests]


def said(outcome: Outcome) -> list[str]:
    return [str(found) for found in outcome.differences]


def problems(folder: Path, tests: str, **keys: str) -> list[str]:
    with pytest.raises(Unusable) as caught:
        suite(folder, tests, **keys)
    assert caught.value.file == str(folder / "order.test.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_what_is_as_expected_passes(tmp_path) -> None:
    (one,) = outcomes(tmp_path, f"""\
  - name: big orders are kept
{GOOD}
    expect:
      status: completed
      output: {{count: 2.0, path: out/report.json}}
      nodes:
        none: skipped
        rate: {{status: completed, attempts: 1}}
        sign:
          output: {{exit_code: 0, stdout: signed, stderr: "", signal: null, timed_out: false}}
      files:
        out/report.json: |
          {{
            "count": 2,
            "rate": 2,
            "sign": "signed"
          }}
""")  # fmt: skip
    assert said(one) == []
    assert one.passed
    assert one.took < 5
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "order.test.yaml", "order.yaml", "orders.csv",
    ]  # fmt: skip


def test_stand_ins_for_nodes(tmp_path) -> None:
    late, timeout, turns = outcomes(tmp_path, f"""\
  - name: comes late
{GOOD}
    replace:
      rate: {{fail: {{code: CONNECTION, message: down, times: 2}}, output: {{json: {{rate: 3}}}}}}
    expect: {{nodes: {{rate: {{attempts: 3, output: {{json: {{rate: 3}}}}}}}}}}
  - name: hangs
{GOOD}
    replace: {{http.request: {{hang: true}}}}
    expect: {{error: {{code: TIMEOUT, node: rate}}, nodes: {{rate: failed}}}}
  - name: in turn, then really
{GOOD}
    replace: {{rate: {{in_turn: [{{fail: no}}, {{hang: true}}, {{real: true}}]}}}}
    expect: {{nodes: {{rate: {{attempts: 3}}}}}}
""")  # fmt: skip
    assert [said(one) for one in (late, timeout, turns)] == [[], [], []]


@pytest.mark.parametrize("more", ["", ", timeout: 3d", ", timeout: 1d"])
def test_a_wait_that_hangs_keeps_its_own_bound(tmp_path, more: str) -> None:
    loaded = f"""\
blueprint:
  atomiton: 1
  id: asks
  nodes:
    ask: {{wait: {{approval: {{title: Sure?}}, timeout: 2d}}{more}}}
    told: {{wait: {{signal: paid, timeout: 2d}}}}
"""
    (one,) = outcomes(tmp_path, """\
  - name: nobody answers
    replace: {ask: {hang: true}, told: {output: {}}}
    expect: {error: {code: TIMEOUT, node: ask}}
""", blueprint=loaded)  # fmt: skip
    assert said(one) == []
    assert one.took < 4


def test_files_beside_are_listed_and_stay_deleted(tmp_path) -> None:
    blueprint = """\
blueprint:
  atomiton: 1
  id: tidy
  nodes:
    before: {uses: file.list, with: {path: ., pattern: "*.csv"}}
    gone: {uses: file.delete, with: {path: orders.csv}, needs: [before]}
    there: {uses: file.exists, with: {path: orders.csv}, needs: [gone]}
  output: ["${{ before.files.map(f, f.name) }}", "${{ gone.deleted }}", "${{ there.exists }}"]
"""
    (one,) = outcomes(tmp_path, """\
  - name: it is gone
    expect: {output: [[orders.csv], true, false]}
""", blueprint=blueprint)  # fmt: skip
    assert said(one) == []
    assert (tmp_path / "orders.csv").exists()


def test_every_replacement_that_names_nothing_is_told(tmp_path) -> None:
    first, second = problems(tmp_path, """\
  - name: wrong twice
    replace: {raet: {output: 1}, svae: {output: 2}}
""")  # fmt: skip
    assert "'raet'" in first
    assert "'svae'" in second


def test_what_differs_is_told_with_its_place(tmp_path) -> None:
    (one,) = outcomes(tmp_path, f"""\
  - name: wrong in every way
{GOOD}
    expect:
      output: {{count: 3, path: out/report.json, more: 1}}
      nodes: {{none: completed, rate: {{attempts: 2}}, big: {{error: {{code: X}}}}}}
      files: {{out/report.json: "[]", gone.txt: x}}
""")  # fmt: skip
    assert said(one)[:5] == [
        "output.count: expected 3, given 2",
        "output.more: is missing; expected 1",
        'nodes.none.status: expected "completed", given "skipped"',
        "nodes.rate.attempts: expected 2, given 1",
        'nodes.big.error.code: expected "X", given null',
    ]
    assert said(one)[5].startswith("files.out/report.json: differs at line 1, column 1")
    assert said(one)[6] == 'files.gone.txt: is missing; expected "x"'
    assert not one.passed


def test_an_error_that_was_not_expected_is_told(tmp_path) -> None:
    one, two = outcomes(
        tmp_path,
        """\
  - name: no network
    inputs: {path: orders.csv}
    programs: {sign: {exit_code: 3}}
  - name: other error
    inputs: {path: gone.csv}
    replace: {rate: {output: 1}}
    expect: {error: TIMEOUT}
""",
    )
    assert said(one) == ['status: expected "completed", given "failed"']
    assert one.error is not None
    assert "the test has no answer to GET https://rates.example/EUR" in one.error or (
        "'sign' ended with status 3" in one.error
    )
    assert said(two)[0].startswith('error.code: expected "TIMEOUT", given')


def test_a_blueprint_may_stand_in_the_file(tmp_path) -> None:
    (one,) = outcomes(tmp_path, """\
  - name: embedded
    inputs: {at: {$time: "2026-05-01T00:00:00+00:00"}}
    start: 2026-02-01
    expect: {output: ["2026-02-01T00:00:00Z", {$time: "2026-05-01T00:00:00+00:00"}]}
""", blueprint="""\
blueprint:
  atomiton: 1
  id: inner
  inputs: {at: {}}
  nodes: {a: {uses: data.value, with: {value: "${{ [string(run.started_at), inputs.at] }}"}}}
  output: ${{ a }}
""")  # fmt: skip
    assert said(one) == []


def test_nodes_of_ones_own(tmp_path) -> None:
    (tmp_path / "own.py").write_text(
        "from atomiton import node\n\n\n@node('own.double', effect='pure')\n"
        "def double(n: int) -> int:\n    return 2 * n\n"
    )
    (one,) = outcomes(tmp_path, "  - {name: own, expect: {output: {a: 4}}}\n", blueprint="""\
blueprint:
  atomiton: 1
  id: own
  nodes: {a: {uses: own.double, with: {n: 2}}}
nodes: ./own.py
""")  # fmt: skip
    assert said(one) == []


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ("  - {nam: x}", ["3:6: a test has no key 'nam' (did you mean 'name'?) [INVALID_INPUT]",
                          "3:5: a test needs the key 'name' (add 'name:') [INVALID_INPUT]"]),
        ("  - {name: a}\n  - {name: a}", ["there are two tests named 'a'"]),
        ("  - name: a\n    input: {}", ["4:5: a test has no key 'input' (did you mean 'inputs'?)"]),
        ("  - name: a\n    expect: {stauts: failed}", ["4:14: 'expect' has no key 'stauts'"]),
        ("  - name: a\n    expect: {status: done}", ["4:22: 'status' must be completed, failed"]),
        ("  - name: a\n    expect: {nodes: {big: doen}}", ["4:27: 'big' must be completed"]),
        ("  - name: a\n    replace: {rate: {}}", ["a replacement is empty (its keys: output"]),
        ("  - name: a\n    replace: {rate: {outptu: 1}}", ["4:22: a replacement has no key"]),
        ("  - name: a\n    replace: {rate: {fail: {times: 0}}}", ["'times' must be a whole"]),
        ("  - name: a\n    replace: {rate: {fail: x, output: 1}}", ["without 'times' nothing"]),
        ("  - name: a\n    replace: {rate: {in_turn: []}}", ["'in_turn' must list at least"]),
        ("  - name: a\n    replace: {rate: {in_turn: [{real: 1}], output: 2}}",
         ["'output' cannot stand beside", "'real' can only be true"]),
        ("  - name: a\n    http: {http://x: {stat: 1}}", ["an answer has no key 'stat'"]),
        ("  - name: a\n    files: {a.txt: 1}", ["4:20: a file holds text, got integer 1"]),
        ("  - name: a\n    start: soon", ["4:12: 'soon' is not a moment"]),
        ("  - name: a\n    inputs: {path: {$bytes: '*'}}", ["$bytes is not Base64"]),
        ("  []", ["'tests' must list at least one test"]),
        # What only the blueprint can tell.
        ("  - name: a\n    inputs: {path: x}\n    replace: {rat: {output: 1}}",
         ["5:15: replace: the blueprint has no node or node type 'rat' (did you mean 'rate'?)"]),
        ("  - name: a\n    inputs: {path: x}\n    expect: {nodes: {bg: failed}}",
         ["5:22: the blueprint has no node 'bg' (did you mean 'big'?) [UNKNOWN_REFERENCE]"]),
        ("  - name: a\n    inputs: {path: 1}", ["4:20: "]),
        ("  - name: a", ["the input 'path' is missing"]),
        ("  - name: a\n    inputs: {path: x}\n    secrets: {KYE: x}",
         ["does not declare the secret 'KYE' (did you mean 'KEY'?)"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path, tests, expected) -> None:
    found = problems(tmp_path, tests + "\n")
    assert len(found) == len(expected), found
    assert all(any(part in line for line in found) for part in expected), found


def test_what_is_wrong_with_the_file_as_a_whole(tmp_path) -> None:
    path = tmp_path / "x.test.yaml"
    for text, part in [
        ("", "a file of tests begins with"),
        ("blueprint: [1]\ntests: [{name: a}]\n", "must be a file or a blueprint"),
        ("tests: [{name: a}]\n", "a file of tests needs the key 'blueprint'"),
        ("blueprint: {atomiton: 1, id: a}\ntests: [{name: a}]\n", "a blueprint needs the key"),
        ("blueprint: a\ntest: 1\n", "has no key 'test' (did you mean 'tests'?)"),
        ("blueprint: a\nnodes: 1\ntests: [{name: a}]\n", "'nodes' must be a Python file"),
        ("blueprint: {atomiton: 1, id: a, nodes: {a: {uses: data.valu}}}\ntests: [{name: a}]\n",
         "1:51: there is no node type 'data.valu'"),
        ("blueprint: gone.yaml\ntests: [{name: a}]\n", "there is no blueprint file"),
    ]:  # fmt: skip
        path.write_text(text)
        with pytest.raises(Unusable) as caught:
            load_suite(path)
        assert any(part in str(problem) for problem in caught.value.problems), (
            text, caught.value.problems,
        )  # fmt: skip


def test_a_problem_of_the_blueprint_is_told_in_its_own_file(tmp_path) -> None:
    path = tmp_path / "x.test.yaml"
    path.write_text("blueprint: ./b.yaml\ntests: [{name: a}]\n")
    (tmp_path / "b.yaml").write_text("atomiton: 1\nid: b\nnodes:\n  a: {uses: nothing.there}\n")
    with pytest.raises(Unusable) as caught:
        load_suite(path)
    assert Path(caught.value.file).name == "b.yaml"
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (4, 13)
