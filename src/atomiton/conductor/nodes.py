"""Node types as data: what tools, forms and other processes are told of them."""

from __future__ import annotations

import msgspec

from atomiton.nodes.spec import NodeType, Parameter


class ParameterInfo(msgspec.Struct, frozen=True):
    """An input port; attributes are those of ``Parameter``."""

    name: str
    schema: dict[str, object]
    required: bool
    default: object
    expression: bool
    variadic: bool
    description: str


class NodeInfo(msgspec.Struct, frozen=True):
    """A node type; attributes are those of ``NodeType``, without its code."""

    name: str
    version: int
    title: str
    description: str
    category: str
    effect: str
    runtime: str
    timeout: float | None
    parameters: list[ParameterInfo]
    result: dict[str, object]
    example: str
    source: str
    details: str = ""
    icon: str = ""
    deprecated: str = ""


def node_info(type_: NodeType) -> NodeInfo:
    """Describe a node type."""
    return NodeInfo(
        name=type_.name,
        version=type_.version,
        title=type_.title,
        description=type_.description,
        category=type_.category,
        effect=type_.effect,
        runtime=type_.runtime,
        timeout=type_.timeout,
        parameters=[_parameter(parameter) for parameter in type_.parameters],
        result=type_.result,
        example=type_.example,
        source=type_.source,
        details=type_.details,
        icon=type_.icon,
        deprecated=type_.deprecated,
    )


def _parameter(parameter: Parameter) -> ParameterInfo:
    default = parameter.default
    try:
        msgspec.json.encode(default)
    except TypeError:  # a default that only Python can write
        default = str(default)
    return ParameterInfo(
        name=parameter.name,
        schema=parameter.schema,
        required=parameter.required,
        default=default,
        expression=parameter.expression,
        variadic=parameter.variadic,
        description=parameter.description,
    )
