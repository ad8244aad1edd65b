"""Every public name of the kit is there, and costs nothing before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import atomiton.testing
from atomiton.testing.replacing import nodes_of


def test_every_name_is_there() -> None:
    assert len(atomiton.testing.__all__) > 20
    for name in atomiton.testing.__all__:
        assert getattr(atomiton.testing, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fals'"):
        _ = atomiton.testing.fals


def test_importing_the_kit_loads_nothing_that_is_not_asked_for() -> None:
    program = "import sys, atomiton.testing\nprint(*(m for m in sys.modules if 'atomiton' in m))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    # The folder ``blueprint`` stands for the decorator of its name, so it comes with the package.
    assert sorted(done.stdout.split()) == ["atomiton", "atomiton.blueprint", "atomiton.testing"]


def test_nodes_are_found_wherever_they_stand() -> None:
    inner = {"uses": "a", "compensate": {"uses": "b"}}
    document = {"nodes": {"group": {"nodes": {"inner": inner}}}, "on": {"failure": {"uses": "c"}}}
    assert {path: node.get("uses") for path, node in nodes_of(document)} == {
        "on:failure": "c",
        "group": None,
        "group.inner": "a",
        "group.inner:compensate": "b",
    }
