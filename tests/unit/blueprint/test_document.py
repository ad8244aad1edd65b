import pytest
from tests.unit.blueprint.examples import FULL, WRONG, minimal, node

from atomiton.blueprint.document import read_blueprint, read_document
from atomiton.blueprint.model import Defaults, Limits, Retry, Wait
from atomiton.errors import BlueprintError


def problems_of(data, positions=None):
    with pytest.raises(BlueprintError) as caught:
        read_document(data, positions)
    return caught.value.problems


def test_everything_the_format_has_is_read_into_the_model():
    blueprint, document = read_blueprint(FULL)
    assert blueprint.id == "order-report"
    assert blueprint.version == "1.0.0"
    assert blueprint.inputs["path"] == {"type": "string"}
    assert blueprint.inputs["since"] == {
        "type": ["string", "null"],
        "format": "date-time",
        "default": None,
    }
    assert blueprint.inputs["day"] == {"type": "string", "format": "date"}
    assert blueprint.inputs["rows"]["items"]["properties"] == {"id": {"type": "integer"}}
    assert blueprint.inputs["extra"] == {}
    assert blueprint.secrets == ("API_KEY",)
    assert blueprint.limits == Limits(concurrency=16, timeout=300.0, steps=1000, cost=2.5)
    assert blueprint.defaults == Defaults(retry=Retry(attempts=2), timeout=90.0, runtime="thread")
    assert blueprint.durability == "async"
    assert blueprint.compensate_on == ("failure",)
    assert blueprint.has_output
    assert blueprint.output == "${{ charge.id }}"
    assert len(blueprint.triggers) == 4
    assert blueprint.layout == {"read": [0, 10.5]}
    assert blueprint.document is document.data
    assert blueprint.document["inputs"]["path"] == "string"


def test_nodes_are_read_into_the_model():
    nodes = read_blueprint(FULL)[0].nodes
    assert list(nodes) == ["read", "big", "convert", "route", "charge", "group", "ask", "poll"]
    assert nodes["big"].needs == ("read",)
    assert nodes["convert"].as_ == "order"
    assert nodes["convert"].retry == Retry(
        attempts=3, delay=0.2, factor=2, max_delay=5, jitter=0, on=("TIMEOUT",)
    )
    assert nodes["convert"].deadline == 60
    assert nodes["route"].branch == {"high": "score.value > 80", "low": "else"}
    charge = nodes["charge"]
    assert (charge.if_, charge.enabled, charge.weight) == ("true", False, 2.0)
    assert charge.join == {"at_least": 1}
    assert charge.on_error == {"value": None}
    assert charge.compensate
    assert charge.compensate.when_failed
    group = nodes["group"]
    assert group.race
    assert group.nodes["a"].wait == Wait(seconds=10)
    assert group.nodes["b"].wait == Wait(signal="paid", match="payload.x > 1", timeout=3600)
    assert group.nodes["c"].wait == Wait(until="2030-01-01T00:00:00Z")
    assert group.nodes["d"].wait == Wait(seconds="${{ inputs.threshold }}")
    assert nodes["ask"].wait.timeout == 2 * 86400
    assert nodes["poll"].on_error == {"continue": True}
    assert nodes["poll"].loop["delay"] == "1s"


def test_policies_that_are_not_told_are_absent():
    read = read_document(minimal()).nodes["x"]
    assert (read.retry, read.timeout, read.join, read.on_error, read.if_) == (None,) * 5
    assert not read_document(minimal()).has_output


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_place_and_how_to_mend_it(name):
    data, words, path, hint = WRONG[name]
    (problem,) = problems_of(data)
    assert words in problem.message
    assert problem.path == path
    assert hint is None or hint in (problem.hint or "")
    assert problem.code == "INVALID_BLUEPRINT"


def test_a_default_must_fit_its_type():
    (problem,) = problems_of(minimal(inputs={"a": {"type": "number", "default": "x"}}))
    assert problem.code == "TYPE_MISMATCH"
    assert problem.path == "inputs.a.default"


def test_every_problem_is_told_at_once_in_document_order():
    text = """\
id: Order
atomiton: 2
limits: {concurency: 1}
nodes:
  a: {uses: x, timout: 5}
  b:
    needs: [a, B]
extra: 1
"""
    with pytest.raises(BlueprintError) as caught:
        read_blueprint(text)
    found = [(each.line, each.column, each.path) for each in caught.value.problems]
    assert found == [
        (1, 5, "id"),
        (2, 11, "atomiton"),
        (3, 10, "limits.concurency"),
        (5, 16, "nodes.a.timout"),
        (6, 3, "nodes.b"),
        (7, 16, "nodes.b.needs[1]"),
        (8, 1, "extra"),
    ]


def test_json_text_is_a_blueprint_too():
    text = '{"atomiton": 1, "id": "a",\n "nodes": {"x": {"uses": "\\ud83d\\ude00", "wait": 1}}}'
    with pytest.raises(BlueprintError) as caught:
        read_blueprint(text)
    assert {each.line for each in caught.value.problems} == {2}
    assert read_blueprint(text.replace(', "wait": 1', ""))[0].nodes["x"].uses == "😀"


def test_the_item_of_a_repeat_cannot_share_a_name_with_a_node_inside():
    body = {"map": [1], "as": "order", "nodes": {"order": {"uses": "a"}}}
    (problem,) = problems_of(node(**body))
    assert problem.path == "nodes.x.nodes.order"


@pytest.mark.parametrize("value", [{1}, (1,), float("nan"), 2**63, {1: 2}, b"x", "\ud800"])
def test_what_json_cannot_hold_is_refused(value):
    (problem,) = problems_of(node(uses="a", **{"with": {"value": [value]}}))
    assert problem.path.startswith("nodes.x.with.value[0]")


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_only_a_mapping_is_a_blueprint(data):
    assert problems_of(data)


def test_data_that_contains_itself_is_refused():
    loop = []
    loop.append([loop, loop])
    assert "contains itself" in problems_of(minimal(metadata={"a": loop}))[0].message


def nested(levels):
    nodes = {"a": {"uses": "x"}}
    for _ in range(levels):
        nodes = {"a": {"nodes": nodes}}
    return minimal(nodes=nodes)


def test_groups_stand_in_each_other_fifty_levels_deep():
    assert read_document(nested(50))
    assert "deeper than 50" in problems_of(nested(51))[0].message
    assert problems_of(nested(5000))


def test_a_hundred_thousand_nodes_are_read():
    nodes = {f"n{i}": {"uses": "data.set", "with": {"value": i}} for i in range(100_000)}
    assert len(read_document(minimal(nodes=nodes)).nodes) == 100_000


def test_the_number_of_problems_is_bounded():
    nodes = {f"n{i}": {"uses": "a", f"ues{i}": 1} for i in range(20_000)}
    assert len(problems_of(minimal(nodes=nodes))) == 1000
