"""Every node type of the library that says it is pure proves it, on its own example."""

from __future__ import annotations

import pytest

from atomiton.blueprint.document import read_blueprint
from atomiton.errors import NodeError
from atomiton.nodes.registry import BUILTIN, Registry
from atomiton.testing import REAL, assert_pure, in_turn, run

PURE = [name for name in BUILTIN if Registry.builtin().get(name).effect == "pure"]


def examples(name: str) -> list[dict[str, object]]:
    """What the node type is given in its own example, expressions compiled."""
    blueprint, _ = read_blueprint(Registry.builtin().get(name).example)
    secrets = dict.fromkeys(blueprint.secrets, "a key that nobody knows")
    trial = run(blueprint, replace={name: in_turn(REAL)}, secrets=secrets)
    return [inputs for calls in trial.calls.values() for inputs in calls]


def test_there_are_pure_nodes() -> None:
    assert len(PURE) >= 12


@pytest.mark.parametrize("name", [name for name in PURE if name != "flow.fail"])
def test_a_node_of_the_library_is_pure(name: str) -> None:
    given = examples(name)
    assert given, f"the example of {name} does not run it"
    for inputs in given:
        assert_pure(Registry.builtin().get(name), inputs)


def test_failing_on_purpose_is_pure() -> None:
    with pytest.raises(NodeError, match="sold out"):
        assert_pure(Registry.builtin().get("flow.fail"), {"message": "sold out"})
