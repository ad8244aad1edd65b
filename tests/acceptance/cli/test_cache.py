"""``atomiton cache``: what is kept in a store, also by processes that have ended."""

from __future__ import annotations

import json

import pytest
from tests.acceptance.cli.shell import Shell

pytestmark = pytest.mark.slow

KEEPS = """
atomiton: 1
id: keeps
nodes:
  a: {uses: data.value, with: {value: [1, 2]}, cache: 1h}
"""


@pytest.fixture
def kept(shell: Shell) -> Shell:
    (shell.folder / "keeps.yaml").write_text(KEEPS, encoding="utf-8")
    return shell


def test_a_later_process_is_given_what_an_earlier_one_kept(kept: Shell) -> None:
    assert "gave it" not in kept.run("run", "keeps.yaml").err
    first = kept.listed()[0]
    again = kept.run("run", "keeps.yaml")
    assert f"as {first['run']} gave it" in again.err
    assert json.loads(again.out) == {"a": [1, 2]}
    assert f"as {first['run']} gave it" in kept.run("runs", "events", "last").out


def test_what_is_kept_is_told_and_cleared(kept: Shell) -> None:
    kept.run("run", "keeps.yaml")
    (told,) = json.loads(kept.run("cache", "list", "--json").out)
    assert (told["type"], told["results"], told["bytes"]) == ("data.value", 1, 3)
    assert "data.value" in kept.run("cache", "list").out
    assert json.loads(kept.run("cache", "clear", "other", "--json").out) == {"cleared": 0}
    assert kept.run("cache", "clear").err == "cleared 1 kept result\n"
    empty = kept.run("cache", "list")
    assert (empty.code, empty.out) == (0, "")
    assert "says 'cache'" in empty.err


def test_there_is_nothing_to_list_where_nothing_was_run(kept: Shell) -> None:
    refused = kept.run("cache", "list", "--store", "nowhere.db")
    assert refused.code == 2
    assert "no store" in refused.err
