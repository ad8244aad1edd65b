"""Every block of code in the documentation is executed, here or in the test that is named here.

What cannot be executed says why in a comment before it: ``<!-- not run: WHY -->``.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

import click
import pytest
import yaml
from tests.house.reading import tracked

import atomiton
from atomiton.cli.app import app
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.programs.manifest import read_manifest
from atomiton.testing import FakeHttp, run

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: (.{10,}?) -->\s*\Z", re.DOTALL)

#: Pages whose blocks other tests execute, whole.
ELSEWHERE = {
    "README.md": "tests/acceptance/test_pages.py",
    "docs/how-to/hooks.md": "tests/acceptance/test_hooks_page.py",
    "docs/how-to/import.md": "tests/acceptance/test_how_to_pages.py",
    "docs/how-to/llm-and-mail.md": "tests/acceptance/test_node_pages.py",
    "docs/how-to/pictures.md": "tests/acceptance/test_node_pages.py",
    "docs/how-to/python-builder.md": "tests/acceptance/test_pages.py",
    "docs/how-to/repeat.md": "tests/acceptance/test_how_to_pages.py",
    "docs/how-to/serve.md": "tests/acceptance/test_server_pages.py",
    "docs/how-to/test-a-blueprint.md": "tests/acceptance/test_how_to_pages.py",
    "docs/how-to/keep-results.md": "tests/acceptance/test_how_to_pages.py",
    "docs/how-to/try-again.md": "tests/acceptance/test_how_to_pages.py",
    "docs/how-to/wait.md": "tests/acceptance/test_how_to_pages.py",
    "docs/reference/nodes.md": "tests/integration/nodes/test_examples.py",
    "docs/tutorial/first-blueprint.md": "tests/acceptance/test_pages.py",
    "docs/tutorial/when-things-go-wrong.md": "tests/acceptance/test_pages.py",
    "examples/approval/README.md": "tests/acceptance/test_pages.py",
    "examples/checkout/README.md": "tests/acceptance/test_pages.py",
    "examples/filejobs/README.md": "tests/acceptance/test_pages.py",
    "examples/poll/README.md": "tests/acceptance/test_pages.py",
}
#: How the test that is named there calls a page, where it does not by its whole name.
CALLED = {"docs/reference/nodes.md": "BUILTIN", "README.md": "README"}

WHOLE = "atomiton: 1\nid: page\n"
#: What pieces of blueprints stand in, by page.
AROUND = {
    "docs/how-to/secrets.md": (WHOLE, ""),
    "docs/how-to/triggers.md": (WHOLE, "nodes:\n  a: {uses: data.value, with: {value: 1}}\n"),
    "docs/reference/expressions.md": (
        WHOLE + "variables: {mode: full}\nnodes:\n"
        "  read: {uses: data.value, with: {value: {rows: [{total: 5}, {total: 101}]}}}\n"
        "  page:\n    uses: page.letter\n    ",
        "",
    ),
}
#: Pieces that would reach servers of other people: checked, as before every run, and not run.
CHECKED = {"docs/how-to/secrets.md"}


class Block(NamedTuple):
    """A block of code: its page, what it is written in, its text, and what stands before it."""

    page: str
    line: int
    language: str
    text: str
    before: str


def blocks() -> Iterator[Block]:
    """Every block of every page."""
    for path in tracked(".md"):
        text = path.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            before = text[: found.start()]
            page = str(path.relative_to(ROOT))
            yield Block(page, before.count("\n") + 1, found[2], found[3], before)


BLOCKS = list(blocks())
HERE = [of for of in BLOCKS if of.page not in ELSEWHERE and not NOT_RUN.search(of.before)]


def test_pages_that_are_executed_elsewhere_are() -> None:
    for page, test in ELSEWHERE.items():
        assert any(block.page == page for block in BLOCKS), page
        source = (ROOT / test).read_text(encoding="utf-8")
        folder = Path(page).parent.name
        name = folder if page.startswith("examples/") else Path(page).name
        assert CALLED.get(page, name) in source, f"{test} does not know {page}"


@pytest.mark.parametrize("block", HERE, ids=lambda of: f"{of.page}:{of.line}")
def test_a_block_is_executed(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    EXECUTED[block.language](block)


def blueprint(block: Block) -> None:
    """A blueprint, or a piece of one, is run."""
    if yaml.safe_load(block.text) is None:
        return  # a comment for editors
    if block.text.startswith("atomiton-nodes:"):
        Path("words.sh").write_text("#!/bin/sh\n")
        Path("nodes.yaml").write_text(block.text)
        assert [of.name for of in read_manifest(Path("nodes.yaml"))] == ["words.count"]
        return
    text = block.text
    if not text.startswith("atomiton:"):
        before, after = AROUND[block.page]
        column = len(before) - len(before.rstrip(" "))
        text = before.rstrip(" ") + indent(text, " " * column) + after
    Path("page.yaml").write_text(text)
    Path("orders.csv").write_text("id,total\n1,50\n2,150\n")
    Path("order.yaml").write_text(
        WHOLE.replace("page", "order") + "inputs: {number: integer}\n"
        "nodes: {a: {uses: data.value, with: {value: '${{ inputs.number }}'}}}\n"
    )
    inputs = {"path": "orders.csv"} if "\n  path: string" in text else {}
    result = asyncio.run(finished(text, inputs, check=block.page in CHECKED))
    assert result is None or (result.status, result.error) == ("completed", None)


@atomiton.node("page.letter", effect="pure")
def letter(rows: list[dict[str, object]], note: str) -> str:
    """What stands for any node that takes what a piece of a page gives it."""
    return f"{note}: {rows}"


async def finished(
    text: str, inputs: dict[str, object], *, check: bool
) -> atomiton.RunResult | None:
    """How a run of a blueprint ends; None if it is only to be checked."""
    async with atomiton.Conductor(store="memory:", nodes=[letter]) as conductor:
        if not check:
            return await conductor.run(Path("page.yaml"), inputs)
        assert list(await conductor.validate(text)) == []
    return None


def python(block: Block) -> None:
    """A program is executed; what it defines must do what the page says."""
    tree = ast.parse(block.text)
    names: dict[str, object] = {"__name__": "page"}
    exec(compile(tree, block.page, "exec", dont_inherit=True), names)
    said = re.search(r"^(.+?)  # (\w+)$", block.text.splitlines()[-1])
    if said is not None:
        assert str(eval(said[1], names)) == said[2]
        return
    check = PYTHON[block.page]
    check(names)


def paid(names: dict[str, object]) -> None:
    """The payment of the page carries the key of its attempt."""
    http = FakeHttp({"POST https://bank.example/*": {}})
    Path("pay.yaml").write_text(WHOLE + "nodes: {pay: {uses: bank.pay, with: {amount: 5}}}\n")
    trial = run("pay.yaml", nodes=[names["pay"]], capabilities=Capabilities(http=http))
    assert trial.error is None
    assert trial.output == {"pay": 200}
    (request,) = http.requests
    assert request.headers["idempotency-key"].endswith("/pay")


def versions(names: dict[str, object]) -> None:
    """Both versions of the page can be used, each by its name."""
    Path("add.yaml").write_text(
        WHOLE + "nodes:\n  old: {uses: my.add@1, with: {x: 1}}\n"
        "  new: {uses: my.add@2, with: {x: 1}}\noutput: ['${{ old }}', '${{ new }}']\n"
    )
    assert run("add.yaml", nodes=[names["add_1"], names["add_2"]]).output == [1, 2]


PYTHON: dict[str, Callable[..., object]] = {
    "docs/explanation/effects.md": paid,
    "docs/how-to/node-types.md": versions,
}


def table(block: Block) -> None:
    """TOML names the entry point that node packs are found by."""
    (group,) = tomllib.loads(block.text)["project"]["entry-points"]
    assert group == "atomiton.nodes"


def data(block: Block) -> None:
    """JSON can be read; a command in it can be called."""
    value = json.loads(block.text)
    for server in value.get("mcpServers", {}).values():
        known(shlex.join([server["command"], *server["args"]]))


EXECUTED = {"yaml": blueprint, "python": python, "toml": table, "json": data}


# -- commands in the text ------------------------------------------------------------------------

COMMANDS = [
    (f"{path.relative_to(ROOT)}:{number}", line.strip())
    for path in tracked(".md")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    if re.match(r"    (\.venv/bin/)?atomiton [a-z]", line)
]


def known(line: str) -> None:
    """The command of a line is there, and has the options that the line gives it.

    Raises:
        AssertionError: If it has not.
    """
    words = shlex.split(line.partition(" #")[0])[1:]
    command: click.Command = app
    context = click.Context(app, info_name="atomiton")
    while isinstance(command, click.Group):
        inner = command.get_command(context, words[0])
        assert inner is not None, line
        command, words = inner, words[1:]
    there = {name for parameter in command.get_params(context) for name in parameter.opts}
    there |= {name for of in command.get_params(context) for name in of.secondary_opts}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in there, f"{line}: {word}"


@pytest.mark.parametrize(("place", "line"), COMMANDS, ids=[place for place, _ in COMMANDS])
def test_a_command_in_the_text_is_there(place: str, line: str) -> None:
    known(line)


def test_a_command_or_option_that_is_not_there_is_found() -> None:
    for line in ("atomiton rum x", "atomiton run x --quite", "atomiton runs show --no-such"):
        with pytest.raises(AssertionError):
            known(line)


def test_there_are_blocks_and_commands() -> None:
    assert len(HERE) > 15
    assert len(COMMANDS) > 15
