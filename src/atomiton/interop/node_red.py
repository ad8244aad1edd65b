"""Imports flows of Node-RED."""

from __future__ import annotations

from typing import Final

from atomiton.interop.data import is_list, listing, mapping, refused, text
from atomiton.interop.draft import Draft, Node, blueprint_id
from atomiton.interop.expressions.cel import braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import Items, Part, once, with_inputs
from atomiton.interop.node_red_nodes import MAPPERS, STARTS
from atomiton.interop.node_red_part import Mapped
from atomiton.interop.report import Report

FORMAT: Final = "node-red"

_NOT_NODES: Final = frozenset({"tab", "group", "junction-config"})
_WATCHES: Final = frozenset({"catch", "status", "complete"})


def fits(document: object) -> bool:
    """Whether a document looks like flows of Node-RED."""
    nodes = _nodes(document)
    return bool(nodes) and all("id" in mapping(n) and "type" in mapping(n) for n in nodes)


def _nodes(document: object) -> list[object]:
    if is_list(document):
        return listing(document)
    said = mapping(document)
    return listing(said.get("flows")) if "rev" in said or set(said) == {"flows"} else []


def convert(document: object, name: str) -> Draft:
    """Make a blueprint of flows.

    Args:
        document: The export, as plain data: a list of nodes.
        name: Name of its file.

    Raises:
        BlueprintError: It is no export of flows.
    """
    if not fits(document):
        raise refused("flows of Node-RED are a list of nodes, each with 'id' and 'type'")
    nodes = [mapping(node) for node in _nodes(document)]
    tabs = [text(node.get("label")) for node in nodes if node.get("type") == "tab"]
    draft = Draft(Report(FORMAT), blueprint_id(*tabs, name))
    draft.report.blueprint = draft.id
    parts = _parts(draft, nodes)
    _wire(parts)
    items = Items(parts)
    order = items.ordered()
    starts = _starts(draft, parts)
    reached = items.reached()
    for part in order:
        if part.key in reached:
            _make(draft, items, part, chosen=len(starts) > 1)
        elif part.type in _WATCHES:
            draft.originals[part.entry.node] = part.said
            part.entry.fails("what watches other nodes is no node here: see error routes and 'on'")
            part.entry.node = ""
        else:
            draft.left_out(part.entry, part.said)
    items.mark_cuts(draft)
    _output(draft, parts)
    return draft


def _output(draft: Draft, parts: dict[str, Part]) -> None:
    """Where requests are answered, runs that answer none give what is at their ends."""
    answer = draft.top.get("output")
    if not isinstance(answer, str):
        return
    sources = {
        source for part in parts.values() for wires in part.wires.values() for source, _ in wires
    }
    ends = [part for key, part in parts.items() if key not in sources]
    shown = [
        f"{quoted(part.entry.node)}: {part.entry.node}"
        for part in ends
        if part.type != "http response" and part.entry.node in draft.nodes
    ]
    answers = [part.entry.node for part in parts.values() if part.type == "http response"]
    test = " || ".join(f'nodes.{id_}.status == "completed"' for id_ in answers)
    if shown:
        draft.top["output"] = braced(f"{test} ? ({answer[4:-3]}) : {{{', '.join(shown)}}}")


def _parts(draft: Draft, nodes: list[dict[str, object]]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for said in nodes:
        key, type_ = text(said.get("id")), text(said.get("type"), "?")
        at = [said.get("x", 0), said.get("y", 0)]
        places = [n for n in at if isinstance(n, int | float) and not isinstance(n, bool)]
        shown = text(said.get("name")) or type_
        if type_ == "comment":
            said_ = "\n".join(filter(None, (text(said.get("name")), text(said.get("info")))))
            draft.notes.append({"text": said_[:2000], "at": places if len(places) == 2 else [0, 0]})
            continue
        if type_ in _NOT_NODES or (type_ != "subflow" and "wires" not in said):
            if type_ not in _NOT_NODES:
                entry = draft.report.entry(f"{shown} ({key[:40]})", type_)
                entry.differs("settings that nodes share: they are not nodes here")
            continue
        if key in parts:
            raise refused(f"two nodes have the id '{key[:60]}'")
        entry = draft.report.entry(f"{shown} ({key[:40]})", type_)
        entry.node = draft.name(shown)
        draft.sources[entry.node] = said
        if type_ == "subflow" or "x" not in said:
            draft.originals[entry.node] = said
            entry.fails("flows within flows are not known here")
            entry.node = ""
            continue
        if len(places) == 2:
            draft.layout[entry.node] = [float(place) for place in places]
        parts[key] = Part(key, type_, entry, said)
    return parts


def _wire(parts: dict[str, Part]) -> None:
    for part in parts.values():
        outputs = [listing(wires) for wires in listing(part.said.get("wires"))]
        if part.type == "link out":
            outputs = [listing(part.said.get("links"))]
        for number, wires in enumerate(outputs):
            for key in wires:
                target = parts.get(key) if isinstance(key, str) else None
                if target is None:
                    part.entry.differs("a wire leads to a node that is not there")
                else:
                    target.wires.setdefault(0, []).append((part.key, number))


def _starts(draft: Draft, parts: dict[str, Part]) -> list[Part]:
    """Nodes that start runs: nothing leads to them; which one does is an input."""
    for part in parts.values():
        leads = any(listing(wires) for wires in listing(part.said.get("wires")))
        alone = not part.wires and part.type not in _WATCHES
        part.starts = part.said.get("d") is not True and (
            part.type in STARTS or (alone and leads and part.type != "link in")
        )
    starts = sorted(
        (part for part in parts.values() if part.starts), key=lambda p: p.type not in STARTS
    )
    if len(starts) > 1:
        names = [part.entry.node for part in starts]
        draft.top["inputs"] = {
            **mapping(draft.top.get("inputs")),
            "trigger": {"type": "string", "enum": names, "default": names[0]},
        }
        for part in starts:
            part.entry.differs("several nodes start runs: the input 'trigger' says which one does")
    return starts


def _make(draft: Draft, items: Items, part: Part, *, chosen: bool) -> None:
    one = Mapped(draft, items, part)
    id_ = part.entry.node
    try:
        maker = STARTS.get(part.type) or MAPPERS.get(part.type)
        if part.said.get("d") is True:
            node: Node = {"uses": "data.value", "with": {"value": []}}
            part.entry.differs("it is switched off: nothing comes out of it")
        elif maker is None:
            raise Untranslatable(f"there is no node type for '{part.type[:60]}'")
        elif part.starts and part.type not in STARTS:
            raise Untranslatable(f"nothing here starts runs as '{part.type[:60]}' does")
        else:
            node = maker(one)
        part.outputs = part.outputs or [id_]
    except Untranslatable as error:
        part.pairs = part.single = False
        node = draft.placeholder(part.entry, str(error), part.said)
        if one.incoming != "[]":
            node = once(node, one.incoming)
        part.outputs = [id_] * 20
    shown = text(part.said.get("name"))
    if shown and shown != id_:
        node = {**node, "name": shown[:200]}
    if chosen and part.starts:
        node["if"] = f"inputs.trigger == {quoted(id_)}"
    if text(part.said.get("info")) and "description" not in node:
        node["description"] = text(part.said["info"])[:2000].replace("${{", "$${{")
    draft.nodes[id_] = with_inputs(node, part)
