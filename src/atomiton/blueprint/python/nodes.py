"""One node as a call that records it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple, cast

from atomiton.blueprint.model import Json, Node
from atomiton.blueprint.python.layout import Chain, Code, Group, behind, quoted
from atomiton.blueprint.python.names import Imports, Known, Scope
from atomiton.blueprint.python.values import (
    Inexpressible,
    Values,
    arguments,
    constant,
    raw,
    retry_code,
)

Document = dict[str, Json]

#: Policies that stand in the code as in the document.
_AS_GIVEN: Final = (
    *("name", "description", "join", "enabled", "timeout", "deadline", "runtime"),
    *("cache", "weight"),
)
POLICIES: Final = frozenset({*_AS_GIVEN, "needs", "if", "retry", "on_error", "compensate"})
#: Keys of a node that is repeated, which are of each turn.
OF_EACH_TURN: Final = frozenset(
    {"uses", "call", "with", "name", "description", "retry", "timeout", "runtime"}
)
_WORD = re.compile(r"[a-z]+")


class Writing(NamedTuple):
    """What all parts of the code share.

    Attributes:
        imports: What the code needs.
        values: Writes values.
        known: Gives the function of a node type, if it can be imported.
        ids: Ids of all nodes that are written by now.
        items: Names of all items of the blueprint.
    """

    imports: Imports
    values: Values
    known: Callable[[str], Known | None]
    ids: set[str]
    items: frozenset[str]


def only(document: Document, *names: str) -> None:
    """Refuse a node that has other keys than these."""
    if not document.keys() <= set(names):
        raise Inexpressible


def policies(
    writing: Writing, document: Document, node: Node, scope: Scope, id_: str
) -> dict[str, Code]:
    """The arguments for what a node says beside its kind."""
    values = writing.values
    found: dict[str, Code] = {}
    if document.get("needs"):
        found["needs"] = needs(writing, node.needs, scope)
    if document.get("if") is not None:
        found["if_"] = values.condition(document["if"], scope)
    if node.retry is not None:
        found["retry"] = retry_code(node.retry, writing.imports)
    if document.get("on_error") is not None:
        found["on_error"] = values.value(document["on_error"], Scope())
    if document.get("compensate") is not None:
        found["compensate"] = _compensation(writing, document, node, scope, id_)
    for name in _AS_GIVEN:
        if document.get(name) is not None:
            found[name] = constant(document[name], writing.imports)
    return found


def needs(writing: Writing, names: tuple[str, ...], scope: Scope) -> Code:
    """What a node comes after: results of nodes above it in its body, else names."""
    listed: list[Code] = []
    for name in names:
        id_, _, port = name.partition(".")
        code = scope.values.get(id_) if id_ in scope.here else None
        if code is None or port not in ("", "error"):
            listed.append(quoted(name))
        elif port:
            listed.append(f"{writing.imports.builder('error_of')}({code})")
        else:
            listed.append(code)
    return Group("[", tuple(listed), "]")


def _compensation(writing: Writing, document: Document, node: Node, scope: Scope, id_: str) -> Code:
    own = cast("Document", document["compensate"])
    assert node.compensate is not None
    inner = Scope(scope)
    name = inner.bind(id_)
    body = {key: value for key, value in own.items() if key != "when_failed"}
    more: dict[str, Code] = {"when_failed": "True"} if own.get("when_failed") is True else {}
    try:
        if not ({"uses", "call"} & own.keys()):
            raise Inexpressible
        code = called(writing, body, node.compensate.node, inner, more=more)
    except Inexpressible:
        code = verbatim_step(writing, own)
    return behind(f"lambda {name}: ", code)


def verbatim_step(writing: Writing, document: Document, id_: str | None = None) -> Code:
    """A node in the words of the format."""
    step = writing.imports.builder("step")
    more: tuple[Code, ...] = () if id_ is None else (f"id={quoted(id_)}",)
    return Group(f"{step}(", (raw(document), *more), ")")


def called(
    writing: Writing,
    document: Document,
    node: Node,
    scope: Scope,
    *,
    id_: str | None = None,
    more: Mapping[str, Code] | None = None,
) -> Code:
    """A node that runs a type or a blueprint.

    Args:
        writing: What all parts share.
        document: The node.
        node: The same, read.
        scope: What names mean.
        id_: Its id, if it is to have one.
        more: More policies.
    """
    only(document, "uses", "call", "with", *POLICIES)
    given = cast("dict[str, Json]", document.get("with") or {})
    asked = {**policies(writing, document, node, scope, id_ or "done"), **(more or {})}
    target = document.get("uses", document.get("call"))
    assert isinstance(target, str)
    known = _function(writing, target, given) if "uses" in document else None
    if known is not None:
        writing.imports.of(known.package, known.module)
        head = f"{known.module}.{known.function}"
        own_id = target.rpartition(".")[2]
        free = own_id not in writing.ids | writing.items
        if id_ is not None and not (id_ == own_id and _WORD.fullmatch(id_) and free):
            asked = {"id": quoted(id_), **asked}
        parts = arguments({known.parameters[k]: v for k, v in _given(writing, given, known, scope)})
    else:
        kind = "use" if "uses" in document else "call"
        head = writing.imports.builder(kind)
        if id_ is not None:
            asked = {"id": quoted(id_), **asked}
        named = {
            (_as_port(name) if kind == "use" else name): writing.values.value(value, scope)
            for name, value in given.items()
        }
        parts = [quoted(target), *arguments(named)]
    last = Group("(", tuple(parts), ")")
    if not asked:
        return Group(f"{head}(", last.parts, ")")
    return Chain((Group(f"{head}.with_(", tuple(arguments(asked)), ")"), last))


def _as_port(name: str) -> str:
    """The name of an argument that the builder takes for a port: it drops one ``_`` at the end."""
    return f"{name}_" if keyword.iskeyword(name) or (name.endswith("_") and len(name) > 1) else name


def _function(writing: Writing, uses: str, given: Mapping[str, Json]) -> Known | None:
    known = writing.known(uses)
    if known is None or not known.required <= given.keys() <= known.parameters.keys():
        return None
    bare = [given[name] for name in known.expressions & given.keys()]
    return known if all(isinstance(value, str) and "${{" not in value for value in bare) else None


def _given(
    writing: Writing, given: Mapping[str, Json], known: Known, scope: Scope
) -> list[tuple[str, Code]]:
    found: list[tuple[str, Code]] = []
    for name, value in given.items():
        if name in known.expressions:
            found.append((name, _function_of_item(writing, str(value), scope)))
        else:
            found.append((name, writing.values.value(value, scope)))
    return found


def _function_of_item(writing: Writing, source: str, scope: Scope) -> Code:
    """A bare expression over ``item``, ``index`` and ``acc``, as a function of those it uses."""
    inner = Scope(scope, bound=("item", "index", "acc"))
    names = [name for name in ("item", "index", "acc") if re.search(rf"\b{name}\b", source)]
    for name in names:
        inner.values[name] = name
    try:
        code = writing.values.condition(source, inner)
    except Inexpressible:
        return quoted(source)
    if isinstance(code, str) and code.startswith("expression("):
        return quoted(source)
    return behind(f"lambda {', '.join(names)}: " if names else "lambda: ", code)


def waiting(writing: Writing, document: Document, id_: str, scope: Scope, node: Node) -> Code:
    """A node that waits."""
    only(document, "wait", "needs")
    wait = dict(cast("Document", document["wait"]))
    values, builder = writing.values, writing.imports.builder
    given: dict[str, Code] = {}
    first: list[Code] = []
    head = "wait_for"
    timeout = wait.pop("timeout", None)
    if "for" in wait:
        only(wait, "for")
        first.append(values.value(wait["for"], scope))
    elif "until" in wait:
        only(wait, "until")
        if _is_moment(wait["until"]):
            raise Inexpressible  # as text it would become a call of timestamp()
        given["until"] = values.condition(wait["until"], scope)
    elif "signal" in wait:
        only(wait, "signal", "match")
        given["signal"] = raw(wait["signal"])
        if wait.get("match") is not None:
            inner = Scope(scope, bound=("payload",))
            name = inner.bind("payload")
            given["match"] = behind(f"lambda {name}: ", values.condition(wait["match"], inner))
    else:
        head = "approval"
        only(wait, "approval")
        asked = cast("Document", wait["approval"])
        only(asked, "title", "description", "fields")
        if "fields" in asked and not asked["fields"]:
            raise Inexpressible
        first.append(values.value(asked.get("title"), scope))
        if "description" in asked:
            given["description"] = values.value(asked["description"], scope)
        if "fields" in asked:
            given["fields"] = raw(asked["fields"])
    if timeout is not None:
        if "for" in wait or "until" in wait:
            raise Inexpressible
        given["timeout"] = raw(timeout)
    given["id"] = quoted(id_)
    if document.get("needs"):
        given["needs"] = needs(writing, node.needs, scope)
    return Group(f"{builder(head)}(", (*first, *arguments(given)), ")")


def _is_moment(value: Json) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def branching(writing: Writing, document: Document, node: Node, id_: str, scope: Scope) -> Code:
    """A node that chooses routes."""
    only(document, "branch", "mode", *(POLICIES - {"retry", "runtime", "cache"}))
    routes = cast("Document", document["branch"])
    entries = tuple(
        behind(
            f"{quoted(name)}: ",
            '"else"' if when == "else" else writing.values.condition(when, scope),
        )
        for name, when in routes.items()
    )
    given: dict[str, Code] = {"id": quoted(id_)}
    if "mode" in document:
        given["mode"] = raw(document["mode"])
    given |= policies(writing, document, node, scope, id_)
    head = writing.imports.builder("routes")
    return Group(f"{head}(", (Group("{", entries, "}"), *arguments(given)), ")")
