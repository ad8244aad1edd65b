"""``atomiton refactor``: a file before and after."""

from __future__ import annotations

import os
import stat

import pytest
from tests.acceptance.cli.shell import Shell

TEXT = """\
atomiton: 1      # by hand
id: totals
nodes:
  read:
    uses: data.value
    with: {value: [{total: 5}, {total: 50}]}
  big:
    uses: data.filter
    with:
      items: ${{ read }}
      where: item.total > read[0].total && nodes.read.status == 'completed'
    needs: [read]
output: ${{ big }}
"""


@pytest.fixture
def file(shell: Shell) -> str:
    (shell.folder / "totals.yaml").write_bytes(TEXT.replace("\n", "\r\n").encode())
    return "totals.yaml"


def content(shell: Shell) -> str:
    return (shell.folder / "totals.yaml").read_bytes().decode()


def test_a_renamed_blueprint_runs_as_before(shell: Shell, file: str) -> None:
    before = shell.run("run", file).out
    (shell.folder / file).chmod(0o640)
    done = shell.run("refactor", "rename", file, "read", "orders")
    assert (done.code, done.out) == (0, "")
    assert done.err == ("totals.yaml: 'read' is now 'orders': 5 places, lines 4, 10, 11, 12\n")
    expected = (
        TEXT.replace("  read:", "  orders:")
        .replace("{ read }", "{ orders }")
        .replace("read[0]", "orders[0]")
        .replace("nodes.read.", "nodes.orders.")
        .replace("[read]", "[orders]")
    )
    assert content(shell) == expected.replace("\n", "\r\n")
    assert stat.S_IMODE((shell.folder / file).stat().st_mode) == 0o640
    assert shell.run("run", file).out == before
    assert sorted(path.name for path in shell.folder.iterdir() if "totals" in path.name) == [file]


def test_a_dry_run_shows_the_difference_and_writes_nothing(shell: Shell, file: str) -> None:
    done = shell.run("refactor", "rename", file, "big", "most", "--dry-run")
    assert done.code == 0
    assert content(shell) == TEXT.replace("\n", "\r\n")
    assert [line for line in done.out.splitlines() if line[0] in "+-"] == [
        "--- totals.yaml",
        "+++ totals.yaml",
        "-  big:",
        "+  most:",
        "-output: ${{ big }}",
        "+output: ${{ most }}",
    ]
    assert "would be 'most'" in done.err


def test_in_json(shell: Shell, file: str) -> None:
    done = shell.run("refactor", "rename", file, "big", "most", "--json", "--dry-run").data
    assert done.pop("diff").startswith("--- totals.yaml")
    assert done == {
        "file": file, "old": "big", "new": "most", "written": False,
        "count": 2, "lines": [7, 13], "notes": [],
    }  # fmt: skip
    assert shell.run("refactor", "rename", file, "big", "most", "--json").data["written"] is True
    refused = shell.run("refactor", "rename", file, "bgi", "x", "--json")
    assert refused.code == 2
    assert refused.data["written"] is False
    assert refused.data["problems"][0]["hint"].startswith("its nodes: read, most")


def test_what_users_of_the_output_will_see_is_said(shell: Shell) -> None:
    done = shell.run("refactor", "rename", "fails.yaml", "charge", "pay")
    assert done.code == 0
    assert "note: the blueprint has no 'output'" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("totals.yaml", "raed", "x"), "there is no node 'raed' (did you mean 'read'?)"),
        (("totals.yaml", "read", "big"), "totals.yaml:7:3: there is a node 'big' here already"),
        (("broken.yaml", "a", "z"), "there is no node type 'data.valu'"),
        (("once.yaml", "act", "z"), "there is no node type 'mine.act'"),
        (("gone.yaml", "a", "z"), "gone.yaml cannot be read"),
        ((".", "a", "z"), "cannot be read"),
    ],
)
def test_a_refusal_says_where_and_leaves_the_file(
    shell: Shell, file: str, arguments: tuple[str, ...], message: str
) -> None:
    before = {path.name: path.read_bytes() for path in shell.folder.glob("*.yaml")}
    done = shell.run("refactor", "rename", *arguments)
    assert done.code == 2
    assert message in done.err
    assert {path.name: path.read_bytes() for path in shell.folder.glob("*.yaml")} == before


def test_node_types_of_a_file_count(shell: Shell) -> None:
    done = shell.run("refactor", "rename", "once.yaml", "act", "z", "--nodes", "mine.py")
    assert done.code == 0
    assert "output: ${{ z }}" in (shell.folder / "once.yaml").read_text()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_is_not_to_be_written_stays(shell: Shell, file: str) -> None:
    (shell.folder / file).chmod(0o400)
    done = shell.run("refactor", "rename", file, "read", "x")
    assert (done.code, content(shell)) == (2, TEXT.replace("\n", "\r\n"))


def test_a_group_that_cannot_run_yet_can_be_changed(shell: Shell) -> None:
    (shell.folder / "group.yaml").write_text(
        "atomiton: 1\nid: x\nnodes:\n"
        "  a: {uses: data.value, with: {value: 1}}\n"
        "  g:\n    nodes:\n      a: {uses: data.value, with: {value: 2}}\n"
        "      b: {uses: data.filter, with: {items: '${{ [a] }}', where: item == a}}\n"
        "    output: ${{ b }}\noutput: ${{ [g, a] }}\n"
    )
    done = shell.run("refactor", "rename", "group.yaml", "g.a", "two")
    assert done.err.startswith("group.yaml: 'g.a' is now 'g.two': 3 places, lines 7, 8")
    text = (shell.folder / "group.yaml").read_text()
    assert "items: '${{ [two] }}', where: item == two" in text
    assert "  a: {uses: data.value, with: {value: 1}}" in text
    assert text.endswith("output: ${{ [g, a] }}\n")
