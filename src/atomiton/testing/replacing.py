"""Nodes of a blueprint replaced for a test: by node id or path, or by node type.

The blueprint is rewritten before it is compiled: each replaced node uses a node type of its own,
with the ports of the real one. Retries, timeouts, conditions and edges stay what they are.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import cast

import msgspec

from atomiton.blueprint.document import read_document
from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.problems import nearest
from atomiton.errors import AtomitonError, NotFound
from atomiton.nodes.registry import Registry
from atomiton.nodes.signature import Parameter
from atomiton.nodes.spec import NodeFunction, NodeType
from atomiton.ports.calls import Attempt
from atomiton.testing.results import REAL, InTurn, call_fitting, is_error, raised

__all__ = ["Calls", "Replacements"]

Doc = dict[str, object]
#: A stand-in is given its capabilities under names that no port can have; this one always.
_ATTEMPT = "__attempt__"
_INDEX = re.compile(r"\[\d+\]")


class Calls:
    """What replaced nodes were called with, and whose turn it is.

    Attributes:
        by_path: The inputs of each call, in order, by path.
    """

    def __init__(self) -> None:
        self.by_path: dict[str, list[dict[str, object]]] = {}
        self._turns: dict[tuple[str, str], dict[int, int]] = {}

    def turn(self, attempt: Attempt) -> int:
        """Which of several results in turn is that of an attempt, from 0.

        An attempt that is made again after a crash is the same attempt: it gets the same again.
        """
        turns = self._turns.setdefault((attempt.run, attempt.node), {})
        return turns.setdefault(attempt.attempt, len(turns))

    def note(self, path: str, inputs: Mapping[str, object]) -> None:
        """Add a call."""
        self.by_path.setdefault(path, []).append(copy.deepcopy(dict(inputs)))


class Replacements:
    """What replaces which nodes.

    Args:
        replace: By node id (``convert``), path (``group.convert``, ``convert[0]`` for one item) or
            node type (``http.request``): a value, a function of the node's inputs, an error, or
            several ``in_turn``.
        registry: Where the node types are, and where those of the stand-ins are added.

    Attributes:
        calls: What the replaced nodes were called with.
    """

    def __init__(self, replace: Mapping[str, object], registry: Registry) -> None:
        self.calls = Calls()
        self._replace = dict(replace)
        self._registry = registry
        self._made: dict[tuple[int, bool], tuple[Blueprint, Blueprint]] = {}
        self._originals: dict[int, Blueprint] = {}
        self._left = set(replace)
        self._calls: set[str] = set()
        #: Where the blueprint would be called in which a key names a node.
        self._callers: dict[str, set[str]] = {}
        self._names: set[str] = set()

    def apply(self, blueprint: Blueprint, *, called: bool = False) -> Blueprint:
        """Rewrite a blueprint; the same one gives the same one.

        Args:
            blueprint: As it was given.
            called: Whether another blueprint calls it: its nodes are then named by the path from
                the top, such as ``call.node``.

        Raises:
            AtomitonError: A key of ``replace`` names nothing that the blueprint has, or something
                that cannot be replaced.
        """
        if not self._replace:
            return blueprint
        known = self._made.get((id(blueprint), called))
        if known is None:
            made = self._rewritten(blueprint, called=called)
            known = self._made[id(blueprint), called] = (blueprint, made)
            self._originals[id(made)] = blueprint
        return known[1]

    def original(self, blueprint: Blueprint) -> Blueprint:
        """What a blueprint was before it was rewritten."""
        return self._originals.get(id(blueprint), blueprint)

    def _rewritten(self, blueprint: Blueprint, *, called: bool) -> Blueprint:
        document = copy.deepcopy(cast("Doc", blueprint.document))
        calls = called
        for path, node in nodes_of(document):
            types = _types(node)
            if "call" in node:
                calls = True
                self._calls.add(path)
            by_path = {
                key: it for key, it in self._replace.items() if _names(key, path, called=called)
            }
            by_type = [self._replace[name] for name in types if name in self._replace]
            self._names |= {path, *types}
            self._left -= {*types}
            if called:
                for key in by_path:
                    caller = unnumbered(key).removesuffix(f".{path}")
                    self._callers.setdefault(key, set()).add(caller)
            else:
                self._left -= {*by_path}
            if by_path or by_type:
                # What is said of a node counts for more than what is said of its type.
                chosen = {**({path: by_type[-1]} if by_type else {}), **by_path}
                self._replace_node(blueprint.id, path, node, chosen)
        if not calls:
            self.check_used()
        return read_document(document)

    def check_used(self) -> None:
        """Refuse what names nothing; for blueprints that call others known once they are read."""
        wrong: dict[str, str] = {}
        for key in sorted(self._left):
            if any(
                _names(f".{of}", it, called=True)
                for of in self._callers.get(key, ())
                for it in self._calls
            ):
                continue
            hint = nearest(key, self._names)
            hint = f" ({hint})" if hint else f"; it has {', '.join(sorted(self._names))}"
            wrong[key] = f"replace: the blueprint has no node or node type {key!r}{hint}"
        if wrong:
            details = {"replace": next(iter(wrong)), "problems": wrong}
            message = "; ".join(wrong.values())
            raise AtomitonError(message, code="UNKNOWN_REFERENCE", details=details)

    def _replace_node(self, blueprint: str, path: str, node: Doc, chosen: Doc) -> None:
        if "nodes" in node or "branch" in node:
            kind = "a group: replace the nodes in it" if "nodes" in node else "a branch"
            message = f"replace: {path!r} is {kind}, which cannot be replaced as a whole"
            raise AtomitonError(message, code="NOT_SUPPORTED", details={"replace": path})
        real = self._real(node)
        if real is None:
            _forget_kind(node)
        name = f"replaced.{blueprint}.{path}"
        node["uses"] = name
        node.pop("runtime", None)
        self._registry.add(stand_in(name, path, real, chosen, self.calls))

    def _real(self, node: Doc) -> NodeType | None:
        """The node type that is replaced; None when it is not known here, or there is none."""
        uses = node.get("uses")
        if not isinstance(uses, str):
            return None
        try:
            return self._registry.get(uses)
        except NotFound:
            return None  # not installed: a reason to replace it


def _names(key: str, path: str, *, called: bool) -> bool:
    """Whether a key may mean a node; of a blueprint that is called the path's end is known."""
    found = unnumbered(key)
    return found.endswith(f".{path}") if called else found == path


def _types(node: Doc) -> tuple[str, ...]:
    """The names by which a node's type may be meant: ``http.request``, ``http.request@1``."""
    uses = node.get("uses")
    return (uses.partition("@")[0], uses) if isinstance(uses, str) else ()


def unnumbered(path: str) -> str:
    """A path without the numbers of items.

    Example:
        >>> unnumbered("group.convert[2]")
        'group.convert'
    """
    return _INDEX.sub("", path)


def is_called(path: str, nodes: Mapping[str, Doc]) -> bool:
    """Whether a path is inside of a blueprint that one of the nodes calls."""
    return any("call" in node and path.startswith(f"{name}.") for name, node in nodes.items())


def nodes_of(document: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, Doc]]:
    """Every node of a document with its path, also those inside of others.

    Compensations and lifecycle nodes are among them, as ``charge:compensate`` and ``on:failure``.
    """
    if not prefix:
        yield from _nodes_in(document.get("on"), "on:")
    yield from _nodes_in(document.get("nodes"), prefix)


def _nodes_in(nodes: object, prefix: str) -> Iterator[tuple[str, Doc]]:
    if not isinstance(nodes, dict):
        return
    for name, node in cast("dict[str, object]", nodes).items():
        if isinstance(node, dict):
            found, path = cast("Doc", node), f"{prefix}{name}"
            yield path, found
            yield from nodes_of(found, f"{path}.")
            if "compensate" in found:
                yield from _nodes_in({"compensate": found["compensate"]}, f"{path}:")


def _forget_kind(node: Doc) -> None:
    """Make a node that uses no type one that does; what its wait refers to it still waits for."""
    wait = node.pop("wait", None)
    node.pop("call", None)
    if isinstance(wait, dict) and "timeout" in wait:
        # What never comes is waited for no longer than the real thing would be.
        bounds = [cast("Doc", wait)["timeout"], *([node["timeout"]] if "timeout" in node else [])]
        node["timeout"] = min(bounds, key=lambda bound: parse_duration(cast("float | str", bound)))
    until = cast("Doc", wait).get("until") if isinstance(wait, dict) else None
    if isinstance(until, str):
        node["with"] = {"until": f"${{{{ {until} }}}}"}
    elif isinstance(wait, dict) and "for" in wait:
        node["with"] = {"for": cast("Doc", wait)["for"]}
    elif isinstance(wait, dict) and isinstance(cast("Doc", wait).get("match"), str):
        # There is no payload to look at: over an empty list the condition is an edge and no more.
        node["with"] = {"match": f"${{{{ [].exists(payload, {cast('Doc', wait)['match']}) }}}}"}
    elif isinstance(wait, dict) and "approval" in wait:
        node["with"] = {"approval": cast("Doc", wait)["approval"]}


def stand_in(
    name: str, path: str, real: NodeType | None, chosen: Mapping[str, object], calls: Calls
) -> NodeType:
    """A node type that gives what a test wants, with the ports of the real one.

    Args:
        name: Its name.
        path: Path of the node.
        real: What it stands in for; None when that is not known: it then takes anything.
        chosen: What it gives, by path; one with the number of an item is for that item.
        calls: Told of every call.
    """
    if real is None:
        anything = Parameter("inputs", {}, required=False, variadic=True)
        real = NodeType(name=name, function=_missing, is_async=False, parameters=(anything,))
    stand = _Stand(path, real, chosen, calls)
    needed = {*real.capabilities.values(), *stand.capabilities()}
    plain = not real.is_async and stand.may_be_real()
    return msgspec.structs.replace(
        real,
        name=name,
        version=1,
        function=stand.call_plain if plain else stand.call,
        is_async=not plain,
        runtime="thread" if plain else "inline",
        capabilities={f"__{door}__": door for door in sorted(needed | {"attempt"})},
        plain_result=False,
        plain_parameters=False,
    )


def _missing(**_: object) -> object:
    raise AtomitonError("the real node type is not known here", code="UNKNOWN_NODE_TYPE")


class _Stand:
    """What one replaced node does."""

    def __init__(
        self, path: str, real: NodeType, chosen: Mapping[str, object], calls: Calls
    ) -> None:
        self._path = path
        self._real = real
        self._chosen = chosen
        self._calls = calls

    def capabilities(self) -> set[str]:
        """What the stand-ins that are nodes themselves need."""
        types = (
            _type_of(cast("object", it)) for it in self._results() if isinstance(it, NodeFunction)
        )
        return {door for type_ in types for door in type_.capabilities.values()}

    def may_be_real(self) -> bool:
        """Whether the real node may have to run."""
        return any(it is REAL for it in self._results()) or self._path not in self._chosen

    def _results(self) -> Iterator[object]:
        for chosen in self._chosen.values():
            yield from chosen.results if isinstance(chosen, InTurn) else (chosen,)

    async def call(self, **given: object) -> object:
        """Be the node, on the event loop."""
        result = self._answer(given)
        return await cast("Awaitable[object]", result) if inspect.isawaitable(result) else result

    def call_plain(self, **given: object) -> object:
        """Be the node, in a thread."""
        result = self._answer(given)
        if inspect.isawaitable(result):
            cast("Callable[[], object]", getattr(result, "close", _nothing))()
            message = f"the replacement of {self._path!r} must not be asynchronous: the node is not"
            raise AtomitonError(message, code="NOT_SUPPORTED")
        return result

    def _answer(self, given: dict[str, object]) -> object:
        doors = {name: given.pop(name) for name in list(given) if name.startswith("__")}
        attempt = cast("Attempt", doors[_ATTEMPT])
        self._calls.note(attempt.node, given)
        result = self._result(attempt)
        if result is REAL:
            return self._real.function(**given, **_doors(self._real, doors))
        if is_error(result):
            raise raised(result)
        if isinstance(result, NodeFunction):
            type_ = _type_of(cast("object", result))
            return type_.function(**given, **_doors(type_, doors))
        if callable(result):
            return call_fitting(result, given, f"the replacement of {attempt.node!r}")
        return copy.deepcopy(result)

    def _result(self, attempt: Attempt) -> object:
        # By item, by the path from the top, by the path in its blueprint or its type.
        names = (attempt.node, unnumbered(attempt.node), self._path)
        chosen = next((self._chosen[name] for name in names if name in self._chosen), REAL)
        return chosen.at(self._calls.turn(attempt)) if isinstance(chosen, InTurn) else chosen


def _nothing() -> None:
    """There is nothing to close."""


def _type_of(function: object) -> NodeType:
    return cast("NodeFunction[..., object]", function).type


def _doors(type_: NodeType, doors: Mapping[str, object]) -> dict[str, object]:
    return {name: doors[f"__{door}__"] for name, door in type_.capabilities.items()}
