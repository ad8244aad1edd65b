"""The verbs that only look: nodes, graph, schema, doctor, version, help."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from tests.acceptance.cli.shell import Shell, eventually

from atomiton.cli.app import VERBS, app
from atomiton.cli.output import duration
from atomiton.cli.refactor import VERBS as REFACTOR
from atomiton.cli.refusal import excerpt
from atomiton.cli.runs import VERBS as RUNS

PROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def called(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize(
    "verb",
    [
        (),
        *((verb,) for verb in VERBS),
        *(("runs", v) for v in RUNS),
        *(("refactor", v) for v in REFACTOR),
    ],
)
def test_every_verb_helps(verb: tuple[str, ...]) -> None:
    assert "Usage: " in called(*verb, "--help")


def test_nodes(shell: Shell) -> None:
    listed = called("nodes", "list", "file")
    assert listed.splitlines()[0].startswith("file.copy")
    types = json.loads(called("nodes", "list", "--json"))
    assert {"data.filter", "http.request", "shell.run"} <= {type_["name"] for type_ in types}
    shown = called("nodes", "show", "data.filter")
    assert "where (expression)" in shown
    own = called("nodes", "show", "mine.act", "--json", "--nodes", str(shell.folder / "mine.py"))
    assert json.loads(own)["effect"] == "once"
    missing = shell.run("nodes", "show", "file.raed")
    assert missing.code == 2
    assert "file.read" in missing.err


def test_a_graph_has_a_line_for_each_reference(shell: Shell) -> None:
    (shell.folder / "graph.yaml").write_text(
        "atomiton: 1\nid: graph\nnodes:\n"
        "  end: {uses: file.read, with: {path: x}}\n"
        "  big: {uses: data.filter, with: {items: '${{ end.rows }}', where: item > end.limit}}\n"
        "  nap: {wait: {for: 1s}, needs: [big]}\n"
        "  last: {uses: data.value, with: {value: '${{ big }}'}, if: nodes.nap.status == 'x'}\n"
    )
    assert called("graph", str(shell.folder / "graph.yaml")).splitlines() == [
        "flowchart LR",
        '    end_["end<br/>file.read"]',
        '    big["big<br/>data.filter"]',
        '    nap(["nap<br/>wait"])',
        '    last["last<br/>data.value"]',
        "    end_ -->|rows| big",
        "    end_ -->|limit| big",
        "    big -.-> nap",
        "    big --> last",
        "    nap -->|status| last",
    ]
    data = json.loads(called("graph", str(shell.folder / "graph.yaml"), "--json"))
    assert data["edges"][0] == {
        "source": "end", "target": "big", "kind": "reference", "field": "rows",
    }  # fmt: skip
    assert shell.run("graph", "gone.yaml").code == 2


def test_a_blueprint_is_written_in_other_forms(shell: Shell, tmp_path: Path) -> None:
    file = shell.folder / "nap.yaml"
    file.write_text(
        "atomiton: 1\nid: nap\nnodes:\n  first: {uses: data.value, with: {value: 1}}  # one\n"
        "  nap: {wait: {for: 1ms}, needs: [first]}\noutput: ${{ first }}\nlayout: {nap: [1, 2]}\n"
    )
    code = called("export", str(file))
    assert 'nap = wait_for("1ms", id="nap", needs=[first])' in code
    module = tmp_path / "written.py"
    module.write_text(code + "\n\nprint(nap.run())\n")
    done = subprocess.run([sys.executable, module], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert json.loads(called("export", str(file), "--to", "json"))["nodes"]["nap"]["wait"]
    assert called("export", str(file), "--to", "yaml").startswith("atomiton: 1\nid: nap\n")
    piped = CliRunner().invoke(app, ["export", "-"], input=file.read_text())
    assert piped.stdout == code
    file.write_text("atomiton: 1\nid: nap\n")
    wrong = shell.run("export", str(file))
    assert (wrong.code, wrong.out) == (2, "")
    assert "nodes" in wrong.err
    assert shell.run("export", "nowhere.yaml").code == 2


def test_the_schema() -> None:
    schema = json.loads(called("schema"))
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "shell.run" in json.dumps(schema)
    assert "shell.run" not in called("schema", "--plain")


def test_a_type_is_shown_with_all_that_its_page_says() -> None:
    shown = called("nodes", "show", "sheet.read")
    assert "A repeated or missing header gets a number" in shown
    assert "headers (array of string)  Names of the columns; empty when rows are lists." in shown


def test_the_doctor_knows_every_extra(shell: Shell) -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = shell.run("doctor", "--json").data["extras"]
    assert set(extras) == set(project["optional-dependencies"]) - {"all"}
    assert extras["http"] is True


def test_the_doctor(shell: Shell) -> None:
    fresh = shell.run("doctor", "--json").data
    assert (fresh["ok"], fresh["store_exists"]) == (True, False)
    shell.run("run", "hello.yaml")
    well = shell.run("doctor")
    assert well.code == 0
    assert "all is well" in well.out
    (shell.folder / "runs.db").write_bytes(b"not a database" * 1000)
    ill = shell.run("doctor", "--json")
    assert ill.code == 1
    assert ill.data["problems"]
    broken = shell.run("runs", "list")
    assert broken.code == 1
    assert broken.err.startswith("error: ")


def test_the_doctor_names_what_to_do_and_changes_nothing_unasked(shell: Shell) -> None:
    shell.run("run", "hello.yaml")
    store = shell.folder / "runs.db"
    store.chmod(0o644)
    damaged = sqlite3.connect(store)
    damaged.execute("UPDATE runs SET status = 'failed'")
    damaged.execute("INSERT INTO blobs VALUES (x'aa', 1, x'bb')")
    damaged.commit()
    damaged.close()
    before = store.read_bytes()
    ill = shell.run("doctor", "--every", "--json")
    assert ill.code == 1
    assert store.read_bytes() == before
    codes = {finding["code"]: finding for finding in ill.data["findings"]}
    assert {"NOT_PRIVATE", "WRONG_LIST", "ORPHANED"} <= codes.keys()
    assert "listed as failed" in codes["WRONG_LIST"]["message"]
    assert codes["NOT_PRIVATE"]["fix"]
    assert ill.data["size"] > 10_000
    printed = shell.run("doctor", "--every")
    assert "damage    Run run_" in printed.err
    assert "          -> restore the store from a backup" in printed.err
    mended = shell.run("doctor", "--every", "--fix", "--json").data
    assert mended["fixed"] == [
        "runs.db is closed to other users.",
        "1 large contents that belonged to no run are removed.",
    ]
    assert [finding["code"] for finding in mended["findings"]] == ["WRONG_LIST"]
    assert store.stat().st_mode & 0o777 == 0o600


def test_the_doctor_explains_a_run_that_goes_no_further(shell: Shell) -> None:
    process = shell.start(
        "run", "once.yaml", "--nodes", "mine.py", "-i", "file=o", "-i", "seconds=9"
    )
    eventually(lambda: (shell.folder / "o").exists())
    process.kill()
    process.communicate()
    killed = shell.run("doctor", "--json")
    assert [finding["code"] for finding in killed.data["findings"]] == ["DEAD_OWNER"]
    assert killed.code == 1
    shell.run("runs", "resume", "--nodes", "mine.py")
    lost = shell.run("doctor", "--json").data["findings"]
    (told,) = [finding for finding in lost if finding["code"] == "UNDECIDED"]
    assert "attempt 1 of 'act' was lost" in told["message"]
    assert "--repeat-lost or --fail-lost" in told["fix"]


def test_version(shell: Shell) -> None:
    assert shell.run("--version").out == shell.run("version").out
    assert set(shell.run("version", "--json").data) == {"version"}


def test_colour_and_lines_of_problems() -> None:
    assert excerpt(["x" * 300], 1, 200)[1].index("^") < 110
    assert excerpt([], 1, 1) == []
    assert excerpt(["日本: x"], 1, 5) == ["    1 | 日本: x", "      |       ^"]
    assert [duration(seconds) for seconds in (0, 90, 90000, 900000)] == [
        "0.0 ms", "1m30s", "25h00m", "10d10h",
    ]  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_a_terminal_gets_a_live_line_and_its_cursor_back(shell: Shell) -> None:
    import subprocess
    import sys

    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "atomiton", "run", "naps.yaml"],
        cwd=shell.folder, env={**shell.env, "TERM": "xterm", "COLUMNS": "80"},
        stdout=subprocess.PIPE, stderr=theirs, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    out, _ = process.communicate(timeout=20)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(ours)
    text = seen.decode()
    assert out == b"late\n"
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert " 33% 1/3 " in text
    assert "'nap' waits for its time" in text
    assert "\x1b[3" not in text  # NO_COLOR
    assert all(len(line) < 120 for line in text.split("\x1b[2K"))


GROUPS = """\
atomiton: 1
id: shop
nodes:
  rates: {uses: http.request, with: {url: "http://127.0.0.1/rates"}}
  route: {branch: {high: rates.status > 200, low: else}}
  each:
    map: ${{ rates.json.orders }}
    as: order
    nodes:
      charge:
        uses: http.request
        with: {url: "http://127.0.0.1", json: {rate: "${{ rates.json }}", id: "${{ order.id }}"}}
        compensate: {uses: http.request, with: {url: "http://127.0.0.1/refund"}}
      book: {uses: data.value, with: {value: "${{ charge.json }}"}}
    compensate: {uses: shell.run, when_failed: true, with: {command: [echo]}}
  other: {uses: data.value, needs: [route.high, rates.error], with: {value: 1}}
  free: {uses: data.value, with: {value: 1}, compensate: {call: ./undo.yaml}}
  save:
    uses: file.write
    with: {path: x, content: "${{ each }}"}
    needs: other
    compensate: {uses: file.delete, with: {path: "${{ save.path }}"}}
"""


@pytest.fixture
def shop(shell: Shell) -> str:
    path = shell.folder / "shop.yaml"
    path.write_text(GROUPS)
    return str(path)


def test_a_graph_with_groups(shop: str) -> None:
    assert called("graph", shop).splitlines() == [
        "flowchart LR",
        '    rates["rates<br/>http.request"]',
        '    route{"route<br/>branch"}',
        '    subgraph each["each"]',
        '        each__charge["charge<br/>http.request"]',
        '        each__book["book<br/>data.value"]',
        "    end",
        '    other["other<br/>data.value"]',
        '    free["free<br/>data.value"]',
        '    save["save<br/>file.write"]',
        "    rates -->|status| route",
        "    rates -->|json| each",
        "    rates -->|json| each__charge",
        "    each__charge -->|json| each__book",
        "    route -.->|high| other",
        "    rates -.->|error| other",
        "    each --> save",
        "    other -.-> save",
    ]
    assert called("graph", shop, "--format", "mermaid") == called("graph", shop)


def test_a_graph_as_an_image(shop: str) -> None:
    image = called("graph", shop, "--format", "svg")
    root = ElementTree.fromstring(image)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"shop", "each", "map: group", "charge", "high", "error", "json"} <= set(texts)
    assert image.count('class="line needs"') == 3
    assert image.count('class="line"') == 5
    assert "prefers-color-scheme:dark" in image


def test_what_is_undone_and_in_which_order(shell: Shell, shop: str) -> None:
    assert called("graph", "--compensation", shop).splitlines() == [
        "  1  save         file.delete",
        "  2  free         call ./undo.yaml",
        "  3  each         shell.run  (for each item or turn, also when it failed itself)",
        "  4  each.charge  http.request  (for each item or turn)",
    ]
    data = json.loads(called("graph", "--compensation", shop, "--json"))
    assert data["compensate_on"] == ["failure", "cancel"]
    assert [(undo["node"], undo["before"]) for undo in data["compensation"]] == [
        ("save", ["each"]), ("free", []), ("each", ["each.charge"]), ("each.charge", []),
    ]  # fmt: skip
    assert called("graph", "--compensation", shop, "--format", "mermaid").splitlines() == [
        "flowchart LR",
        '    save["save<br/>file.delete"]',
        '    free["free<br/>call ./undo.yaml"]',
        '    each["each<br/>shell.run"]',
        '    each__charge["each.charge<br/>http.request"]',
        "    save --> each",
        "    each --> each__charge",
    ]
    assert "each.charge" in called("graph", "--compensation", shop, "--format", "svg")
    none = shell.run("graph", "--compensation", "hello.yaml")
    assert (none.code, none.out) == (0, "")
    assert "nothing is undone" in none.err


PAYS = """
atomiton: 1
id: pays
nodes:
  pay: {uses: data.value, with: {value: 1}, compensate: {uses: flow.log, with: {message: refund}}}
  again: {call: ./pays.yaml, needs: [pay], enabled: false}
"""
CALLS = """
atomiton: 1
id: calls
nodes:
  first: {uses: data.value, with: {value: 1}, compensate: {uses: flow.log, with: {message: a}}}
  c: {needs: [first], call: ./pays.yaml, map: [1, 2]}
  lost: {call: ./nowhere.yaml, enabled: false}
  off: {uses: data.value, enabled: false, compensate: {uses: flow.log, with: {message: b}}}
  no: {uses: data.value, compensate: {uses: flow.log, enabled: false, with: {message: c}}}
"""


def test_what_is_undone_in_blueprints_that_are_called(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "pays.yaml").write_text(PAYS)
    (tmp_path / "calls.yaml").write_text(CALLS)
    file = str(tmp_path / "calls.yaml")
    assert shell.run("graph", "--compensation", file).out.splitlines() == [
        "  1  c.pay  flow.log  (for each item or turn)",
        "  2  first  flow.log",
    ]
    data = json.loads(shell.run("graph", "--compensation", file, "--json").out)
    assert [undo["before"] for undo in data["compensation"]] == [["first"], []]
    (tmp_path / "calls.yaml").write_text(CALLS.replace("nodes:", "compensate_on: []\nnodes:", 1))
    never = shell.run("graph", "--compensation", file)
    assert (never.out, "'compensate_on' is empty" in never.err) == ("", True)


def test_what_does_not_go_together(shell: Shell, shop: str) -> None:
    for more in (("--format", "svg", "--direction", "TD"), ("--format", "svg", "--json")):
        assert shell.run("graph", shop, *more).code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("runs", "show", "nosuch"), "NOT_FOUND"),
        (("runs", "cancel", "nosuch"), "NOT_FOUND"),
        (("runs", "events", "nosuch"), "NOT_FOUND"),
        (("nodes", "show", "file.raed"), "UNKNOWN_NODE_TYPE"),
        (("runs", "list", "--limit", "many"), "INVALID_INPUT"),
    ],
)
def test_what_is_refused_is_json_where_that_is_asked_for(
    shell: Shell, arguments: tuple[str, ...], code: str
) -> None:
    ended = shell.run(*arguments, "--json")
    assert ended.code == 2
    assert json.loads(ended.out)["error"]["code"] == code
    assert ended.out.count("\n") == 1 or "events" not in arguments
    assert ended.err
    assert shell.run(*arguments).out == ""
