"""Ports that a declaration says, and no signature: values are compared with their schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from atomiton.blueprint.model import Json
from atomiton.blueprint.types import check_value
from atomiton.errors import NodeError
from atomiton.nodes.signature import Parameter, nullable

Schema = Mapping[str, Json]


class Ports:
    """The ports of a declared node type.

    Args:
        inputs: Schema of each input; without a default it must be given.
        output: Schema of what it gives.

    Example:
        >>> ports = Ports({"text": {"type": "string"}, "least": {"default": 1}}, {})
        >>> ports.inputs({"text": "a b"})
        {'text': 'a b', 'least': 1}
    """

    def __init__(self, inputs: Mapping[str, Schema], output: Schema) -> None:
        self._inputs = inputs
        self._output = cast("Mapping[str, object]", output)

    def parameters(self) -> tuple[Parameter, ...]:
        """The inputs, as a node type has them."""
        return tuple(_parameter(name, schema) for name, schema in self._inputs.items())

    def inputs(self, given: Mapping[str, object]) -> dict[str, object]:
        """All inputs, checked.

        Raises:
            NodeError: One does not fit (INVALID_INPUT).
        """
        values: dict[str, object] = {}
        for name, schema in self._inputs.items():
            value = values[name] = given.get(name, schema.get("default"))
            if value is None and "default" in schema and schema["default"] is None:
                continue
            found = next(iter(check_value(value, schema, name, strict=True)), None)
            if found is not None:
                raise NodeError(f"{found[0]}: {found[1]}", code="INVALID_INPUT")
        return values

    def output(self, value: object) -> object:
        """What it gave, checked.

        Raises:
            NodeError: It is not what was declared (TYPE_MISMATCH).
        """
        found = next(iter(check_value(value, self._output, "output", strict=True)), None)
        if found is not None:
            said = f"the program gave what it does not declare: {found[0]}: {found[1]}"
            raise NodeError(said, code="TYPE_MISMATCH")
        return value


def _parameter(name: str, schema: Schema) -> Parameter:
    kept = {key: value for key, value in schema.items() if key not in ("default", "description")}
    plain = cast("dict[str, object]", kept)
    default = schema.get("default")
    optional = "default" in schema
    return Parameter(
        name=name,
        schema=nullable(plain) if optional and default is None and plain else plain,
        required=not optional,
        default=default,
        description=str(schema.get("description", "")),
    )
