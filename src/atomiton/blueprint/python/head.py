"""The function itself: its decorator, its parameters, its body."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, cast

from atomiton.blueprint.model import Blueprint, Json, Node
from atomiton.blueprint.python.bodies import Bodies
from atomiton.blueprint.python.layout import Code, Group, behind, laid, quoted
from atomiton.blueprint.python.names import Imports, Known, Scope, is_free
from atomiton.blueprint.python.nodes import Document, Writing
from atomiton.blueprint.python.values import Values, constant, raw, retry_code

#: Types of inputs that an annotation says exactly.
_TYPES: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def _unknown(_: str) -> Known | None:
    return None


def to_python(blueprint: Blueprint, known: Callable[[str], Known | None] = _unknown) -> str:
    """Write the Python code that builds a blueprint.

    Args:
        blueprint: The blueprint; where nodes stand on a canvas is left out.
        known: Gives the function of a node type that can be imported; others are used by name.

    Returns:
        The source of a module with one function, decorated with ``@blueprint``.

    Example:
        >>> from atomiton.blueprint.document import read_document
        >>> nodes = {"greet": {"uses": "text.shout", "with": {"text": "Hi ${{ inputs.name }}"}}}
        >>> document = {"atomiton": 1, "id": "hi", "inputs": {"name": "string"}, "nodes": nodes}
        >>> print(to_python(read_document({**document, "output": "${{ greet }}"})))
        from atomiton import blueprint
        from atomiton.builder import use
        <BLANKLINE>
        <BLANKLINE>
        @blueprint(id="hi")
        def hi(name: str) -> object:
            greet = use.with_(id="greet")("text.shout", text=f"Hi {name}")
            return greet
        <BLANKLINE>
    """
    imports = Imports()
    imports.of("atomiton", "blueprint")
    items = frozenset(_items(blueprint.nodes.values()))
    writing = Writing(imports, Values(imports), known, set(), items)
    scope = Scope()
    scope.secrets = blueprint.secrets
    function = _function_name(blueprint.id)
    parameters, declared = _parameters(blueprint, scope)
    bodies = Bodies(writing)
    documents = cast("Document", blueprint.document["nodes"])
    lines = bodies.body(blueprint.nodes, documents, scope, 4)
    if blueprint.has_output and blueprint.output is None:
        lines.append("    return None")
    else:
        lines.append("    " + bodies.returned(blueprint.output, scope, 4))
    head = _decorator(blueprint, declared, imports)
    signature = laid(Group(f"def {function}(", tuple(parameters), ") -> object:"), 0)
    code = [*imports.lines(), "", "", head, signature, *_spaced(lines)]
    return "\n".join(code) + "\n"


def _spaced(lines: list[str]) -> list[str]:
    """One empty line at most, and none where a block begins."""
    found: list[str] = []
    for line in lines:
        if line == "" and (not found or found[-1] == "" or found[-1].endswith(":")):
            continue
        found.append(line)
    return found


def _function_name(id_: str) -> str:
    name = re.sub(r"\W", "_", id_)
    name = name if not name[0].isdigit() else f"blueprint_{name}"
    return name if is_free(name) else f"{name}_"


def _items(nodes: object) -> list[str]:
    found: list[str] = []
    for node in cast("list[Node]", nodes):
        if node.as_ is not None:
            found.append(node.as_)
        if node.nodes is not None:
            found += _items(node.nodes.values())
    return found


def _parameters(blueprint: Blueprint, scope: Scope) -> tuple[list[Code], Document]:
    """The parameters, and the declarations that these do not say."""
    given = cast("Document", blueprint.document.get("inputs") or {})
    found: list[Code] = []
    declared: Document = {}
    optional = False
    star = False
    for name, schema in blueprint.inputs.items():
        if not is_free(name):
            declared[name] = given[name]
            continue
        scope.taken.add(name)
        scope.inputs[name] = name
        kind = schema.get("type")
        exact = schema.keys() <= {"type", "default"} and isinstance(kind, str) and kind in _TYPES
        default = schema.get("default")
        if exact and "default" in schema:
            right = isinstance(default, _KINDS[str(kind)]) and (
                kind == "boolean" or not isinstance(default, bool)
            )
            exact = right and "${{" not in str(default)
        annotation = _TYPES.get(kind, "object") if isinstance(kind, str) else "object"
        if not exact:
            declared[name] = given[name]
        if exact and "default" in schema:
            optional = True
            found.append(f"{name}: {annotation} = {laid(raw(default), 0)}")
        else:
            star = star or optional
            found.append(f"{name}: {annotation}")
    return (["*", *found] if star else found), declared


def _decorator(blueprint: Blueprint, declared: Document, imports: Imports) -> str:
    document = blueprint.document
    given: list[Code] = [f"id={quoted(blueprint.id)}"]
    for name in ("name", "version", "description"):
        text = getattr(blueprint, name)
        if text is not None:
            given.append(f"{name}={quoted(text)}")
    if declared:
        given.append(behind("inputs=", raw(declared)))
    given += [
        behind(f"{name}=", constant(document[name], imports))
        for name in ("metadata", "variables", "secrets", "triggers")
        if document.get(name)
    ]
    defaults = blueprint.defaults
    if document.get("defaults"):
        parts: list[Code] = []
        if defaults.retry is not None:
            parts.append(behind("retry=", retry_code(defaults.retry, imports)))
        parts += _set(defaults, ("timeout", "runtime"))
        made = imports.of("atomiton.blueprint.model", "Defaults")
        given.append(behind("defaults=", Group(f"{made}(", tuple(parts), ")")))
    if document.get("limits"):
        names = ("concurrency", "timeout", "steps", "cost")
        made = imports.of("atomiton.blueprint.model", "Limits")
        given.append(
            behind("limits=", Group(f"{made}(", tuple(_set(blueprint.limits, names)), ")"))
        )
    if "durability" in document:
        given.append(f"durability={quoted(blueprint.durability)}")
    if "compensate_on" in document:
        words: list[Json] = list(blueprint.compensate_on)
        given.append(behind("compensate_on=", raw(words)))
    if document.get("on"):
        given.append(behind("on=", raw(document["on"])))
    return laid(Group("@blueprint(", tuple(given), ")"), 0)


def _set(of: object, names: tuple[str, ...]) -> list[Code]:
    values = {name: getattr(of, name) for name in names}
    return [f"{name}={value!r}" for name, value in values.items() if value is not None]
