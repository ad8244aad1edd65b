"""The short way of checking inputs gives what the long one gives."""

from __future__ import annotations

from functools import partial

import pytest

from atomiton.blueprint.document import read_document
from atomiton.conductor.ids import new_run_id
from atomiton.conductor.inputs import Inputs, own_inputs
from atomiton.errors import InputError

DECLARED = {
    "n": "integer",
    "text": {"type": "string", "default": "t"},
    "yes": {"type": "boolean", "description": "or no"},
}


def blueprint(inputs):
    nodes = {"a": {"wait": {"for": 1}}}
    return read_document({"atomiton": 1, "id": "a", "inputs": inputs, "nodes": nodes})


@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        {"n": 1, "text": "a", "yes": True},
        {"yes": True, "text": "a", "n": 1},
        {"n": 1, "yes": False},
        {"n": 1, "text": "ä", "yes": True},
        {"n": 1, "text": "\ud800", "yes": True},
        {"n": 1 << 63, "text": "a", "yes": True},
        {"n": -(1 << 63), "text": "a", "yes": True},
        {"n": True, "text": "a", "yes": True},
        {"n": 1.0, "text": "a", "yes": True},
        {"n": None, "text": "a", "yes": True},
        {"n": 1, "text": "a", "other": True},
        {},
    ],
)
def test_both_ways_agree(given, bounded):
    declared = {**DECLARED, "n": {"type": "integer", "minimum": 0}} if bounded else DECLARED
    of = blueprint(declared)
    assert outcome(Inputs(of), given) == outcome(partial(own_inputs, of), given)


def outcome(check, given):
    """The inputs in their order, or what is wrong with them."""
    try:
        return list(check(given).items())
    except InputError as error:
        return error.problems


def test_the_caller_s_own_are_copied():
    given = {"n": 1, "text": "a", "yes": True}
    assert Inputs(blueprint(DECLARED))(given) is not given


def test_ids_of_runs_sort_as_they_were_made():
    ids = [new_run_id() for _ in range(1000)]
    assert sorted(ids) == ids
    assert len(set(ids)) == len(ids)
    assert {len(run) for run in ids} == {30}
    assert all(run.startswith("run_") and int(run[4:], 16) for run in ids)
