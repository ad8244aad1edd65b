"""Imports workflows of n8n."""

from __future__ import annotations

from typing import Final

from atomiton.interop.data import is_list, is_map, listing, mapping, refused, text
from atomiton.interop.draft import Draft, Node, blueprint_id
from atomiton.interop.expressions.cel import quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import Items, Part, once, with_inputs
from atomiton.interop.n8n_chat import note_taken
from atomiton.interop.n8n_nodes import MAPPERS
from atomiton.interop.n8n_part import Mapped, short
from atomiton.interop.n8n_starts import STARTS, starts_runs
from atomiton.interop.report import Report

FORMAT: Final = "n8n"

_NOTE = "stickyNote"


def fits(document: object) -> bool:
    """Whether a document looks like a workflow of n8n."""
    said = mapping(document)
    return is_list(said.get("nodes")) and is_map(said.get("connections"))


def convert(document: object, name: str) -> Draft:
    """Make a blueprint of a workflow.

    Args:
        document: The workflow, as plain data.
        name: Name of its file.

    Raises:
        BlueprintError: It is no workflow of n8n.
    """
    said = mapping(document)
    if not fits(document):
        raise refused("a workflow of n8n has 'nodes' and 'connections'")
    draft = Draft(Report(FORMAT), blueprint_id(said.get("name"), name))
    draft.report.blueprint = draft.id
    if text(said.get("name")):
        draft.top["name"] = text(said["name"])
    parts = _parts(draft, listing(said["nodes"]))
    _wire(draft, parts, mapping(said["connections"]))
    items = Items(parts)
    order = items.ordered()
    starts = [part for part in parts.values() if part.starts]
    if not starts:  # nothing starts it: then whatever nothing leads to does
        for part in parts.values():
            part.starts = not any(part.wires.values()) and not part.said.get("\0inner")
        starts = [part for part in parts.values() if part.starts]
    _choose(draft, starts)
    reached = items.reached()
    inner = {part.key for part in order if part.said.get("\0inner")}
    for part in order:
        if part.key in reached:
            _make(draft, items, part, chosen=len(starts) > 1)
    for part in order:
        if part.key in reached:
            continue
        if part.said.pop("\0inner", None) and part.taken:
            note_taken(part)
        elif part.key in inner:
            draft.originals[part.entry.node] = part.said
            part.entry.fails("it is a part of another node, which is not mapped")
            part.entry.node = ""
            part.outputs = []
        else:
            draft.left_out(part.entry, part.said)
    items.mark_cuts(draft)
    for note in draft.notes:
        note.setdefault("text", "")
    return draft


def _parts(draft: Draft, nodes: list[object]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for one in nodes:
        said = dict(mapping(one))
        type_ = short(text(said.get("type"), "?"))
        at = [n for n in listing(said.get("position")) if isinstance(n, int | float)]
        if type_ == _NOTE:
            content = text(mapping(said.get("parameters")).get("content"))
            draft.notes.append({"text": content[:2000], "at": at if len(at) == 2 else [0, 0]})
            continue
        key = text(said.get("name"))
        if not key or key in parts:
            raise refused(f"two nodes are called '{key[:60]}', or one has no name")
        entry = draft.report.entry(key, type_)
        entry.node = draft.name(key)
        draft.sources[entry.node] = said
        if len(at) == 2:
            draft.layout[entry.node] = at
        parts[key] = Part(key, type_, entry, said, starts=starts_runs(type_, said))
    return parts


def _wire(draft: Draft, parts: dict[str, Part], connections: dict[str, object]) -> None:
    for source, kinds in connections.items():
        if source not in parts:
            draft.report.entry(source, "connection").differs(
                "it begins at a node that is not there"
            )
            continue
        for kind, outputs in mapping(kinds).items():
            if kind != "main" and any(listing(outputs)):
                parts[source].said["\0inner"] = True
                for wire in (w for wires in listing(outputs) for w in listing(wires)):
                    owner = parts.get(text(mapping(wire).get("node")))
                    if owner is not None:
                        owner.inner.setdefault(kind, []).append(source)
                continue
            for number, wires in enumerate(listing(outputs)):
                for wire in listing(wires):
                    to = mapping(wire)
                    target, at = parts.get(text(to.get("node"))), to.get("index", 0)
                    if target is None:
                        parts[source].entry.differs("a wire leads to a node that is not there")
                    elif isinstance(at, int) and 0 <= at < 100:
                        target.wires.setdefault(at, []).append((source, number))


def _choose(draft: Draft, starts: list[Part]) -> None:
    """Of several nodes that start runs one is chosen by an input."""
    if len(starts) < 2:
        return
    names = [part.key for part in starts]
    draft.top["inputs"] = {
        **mapping(draft.top.get("inputs")),
        "trigger": {"type": "string", "enum": names, "default": names[0]},
    }
    for part in starts:
        part.entry.differs("several nodes start runs: the input 'trigger' says which one does")


def _make(draft: Draft, items: Items, part: Part, *, chosen: bool) -> None:
    said = part.said
    incoming = items.incoming(part)
    one = Mapped(draft, items, part)
    try:
        if said.get("disabled") is True and not part.starts:
            node: Node = {"uses": "data.value", "with": {"value": f"${{{{ {incoming} }}}}"}}
            part.pairs, part.outputs = True, [part.entry.node]
        elif part.starts:
            node = STARTS[part.type](one) if part.type in STARTS else _first(one)
            part.outputs = part.outputs or [part.entry.node]
        else:
            mapper = MAPPERS.get(part.type)
            if mapper is None:
                raise Untranslatable(f"there is no node type for '{part.type[:60]}'")
            node = mapper(one)
            part.outputs = part.outputs or [part.entry.node]
        node = _around(one, node)
        for name in part.secrets:
            one.secret(name)
    except Untranslatable as error:
        part.pairs = part.single = False
        node = draft.placeholder(part.entry, str(error), said)
        if incoming != "[]":
            node = once(node, incoming)
        part.outputs = [part.entry.node] * 20
    if chosen and part.starts:
        node["if"] = f"inputs.trigger == {quoted(part.key)}"
    if part.key != part.entry.node:
        node = {"name": part.key[:200], **node}
    if text(said.get("notes")):
        node["description"] = text(said["notes"])[:2000].replace("${{", "$${{")
    draft.nodes[part.entry.node] = with_inputs(node, part, part.wires)


def _first(one: Mapped) -> Node:
    mapper = MAPPERS.get(one.part.type)
    if mapper is None or any(one.part.wires.values()):
        raise Untranslatable(f"nothing here starts runs as '{one.part.type[:60]}' does")
    one.starts_with_nothing()
    return mapper(one)


def _around(one: Mapped, node: Node) -> Node:
    """Settings that every node has."""
    said, entry = one.part.said, one.part.entry
    if said.get("retryOnFail") is True and not one.part.starts:
        tries, wait = said.get("maxTries", 3), said.get("waitBetweenTries", 1000)
        if isinstance(tries, int) and isinstance(wait, int) and 1 <= tries <= 100 and wait >= 0:
            pause = wait / 1000
            node["retry"] = {
                "attempts": tries,
                "delay": pause,
                "factor": 1,
                "max_delay": max(1, pause),
                "jitter": 0,
            }
            entry.differs("errors that cannot get better are not tried again")
    if said.get("continueOnFail") is True or text(said.get("onError")).startswith("continue"):
        entry.differs("an error is not handed on as an item: the run fails")
    if said.get("alwaysOutputData") is True:
        first, *others = one.part.outputs or [one.id]
        none = f"{first} != null && {first}.size() == 0 && {one.incoming}.size() > 0"
        always = f"({none} ? [{{}}] : {first})"
        one.part.outputs = [always, *others]
        one.part.pairs = False
    return node
