import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from tests.unit.blueprint.examples import FULL, WRONG, minimal, node

from atomiton.blueprint.schema import format_schema
from atomiton.blueprint.yaml import load


class Parameter(msgspec.Struct):
    name: str
    schema: dict
    required: bool = True
    expression: bool = False
    description: str = ""
    variadic: bool = False


class NodeType(msgspec.Struct):
    name: str
    parameters: tuple = ()
    description: str = ""


POINT = {"$ref": "#/$defs/Point", "$defs": {"Point": {"type": "object", "required": ["x"]}}}
TYPES = (
    NodeType(
        "data.filter",
        (
            Parameter("items", {"type": "array"}, description="What to look through"),
            Parameter("where", {}, expression=True),
            Parameter("limit", {"type": "integer"}, required=False),
            Parameter("point", POINT, required=False),
        ),
        "Keep some items",
    ),
    NodeType("data.set", (Parameter("values", {}, required=False, variadic=True),)),
)

#: What one has to read the whole document for, which a schema does not do.
BEYOND = {"as a node", "two else", "as reserved", "input pattern", "version empty"}


def errors(data, types=()):
    schema = format_schema(types)
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(data)]


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(format_schema())
    jsonschema.Draft202012Validator.check_schema(format_schema(TYPES))
    assert msgspec.json.decode(msgspec.json.encode(format_schema(TYPES)))


def test_the_schema_accepts_everything_the_format_has():
    assert errors(load(FULL).data) == []
    assert errors(minimal()) == []


@pytest.mark.parametrize("name", [name for name in WRONG if name not in BEYOND])
def test_the_schema_refuses_what_is_wrong(name):
    assert errors(WRONG[name][0])


def test_every_key_is_described():
    schema = format_schema()
    nodes = schema["$defs"]["node"]["properties"]
    for properties in (schema["properties"], nodes):
        for key, part in properties.items():
            target = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
            assert part.get("description") or target.get("description"), key


def use(name, **given):
    return node(uses=name, **{"with": given})


@pytest.mark.parametrize(
    "data",
    [
        use("data.filter", items=[1], where="item > 1"),
        use("data.filter@2", items="${{ read.rows }}", where="item > 1", limit=3),
        use("data.filter", items=[], where="true", point={"x": 1}),
        use("data.set", anything=[1, {"goes": "here"}]),
        node(uses="data.set"),
    ],
)
def test_with_node_types_right_parameters_are_accepted(data):
    assert errors(data, TYPES) == []


@pytest.mark.parametrize(
    "data",
    [
        use("data.fliter", items=[], where="true"),
        use("data.filter", items=5, where="true"),
        use("data.filter", items=[]),
        use("data.filter", items=[], where="true", limt=1),
        use("data.filter@2", items=[], where="true", limit="three"),
        use("data.filter", items=[], where="true", point={}),
        node(uses="data.filter"),
        node(uses="data.set", compensate={"uses": "data.filter"}),
    ],
)
def test_with_node_types_wrong_parameters_are_refused(data):
    assert errors(data) == []
    assert errors(data, TYPES)


def test_the_studio_knows_the_same_format() -> None:
    page = Path(__file__).parents[3] / "studio" / "src" / "model" / "format.json"
    known = json.loads(page.read_text(encoding="utf-8"))
    assert known == format_schema(), "run `make studio-format`"
