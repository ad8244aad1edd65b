"""Nodes of Node-RED as nodes of a blueprint; an item is a message."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from atomiton.interop.data import listing, mapping, text, whole
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import Cel, braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import each, once, value
from atomiton.interop.node_red_code import function
from atomiton.interop.node_red_data import as_csv, as_json, as_xml, as_yaml, join, split, template
from atomiton.interop.node_red_part import Mapped
from atomiton.interop.node_red_values import (
    TESTS,
    TYPES,
    jsonata,
    names_of,
    property_of,
    typed,
)
from atomiton.interop.node_red_world import read_file, request, response, run_program, write_file


def _inject(one: Mapped) -> Node:
    said = one.said
    one.part.single = True
    message: Node = {}
    props = [mapping(p) for p in listing(said.get("props"))]
    if not props:
        props = [{"p": "payload"}, {"p": "topic", "vt": "str"}]
    for prop in props:
        name = text(prop.get("p"))
        names_of(name)
        if "." in name:
            raise Untranslatable("a field within a field is set")
        kind = prop.get("vt", said.get("payloadType", "str") if name == "payload" else "str")
        given = prop.get("v", said.get(name, ""))
        if name == "payload" and "v" not in prop:
            kind, given = said.get("payloadType", "str"), said.get("payload", "")
        message[name] = braced(typed(given, kind, one.part.entry, "{}").whole)
    _schedule(one)
    return {"uses": "data.value", "with": {"value": [message]}}


def _schedule(one: Mapped) -> None:
    said = one.said
    crontab, repeat = text(said.get("crontab")), whole(said.get("repeat"))
    if len(crontab.split()) == 5:
        one.trigger({"schedule": {"cron": crontab}})
        one.differs("times are in UTC unless a 'timezone' is given")
    elif repeat and repeat % 60 == 0 and repeat // 60 < 60 and 60 % (repeat // 60) == 0:
        one.trigger({"schedule": {"cron": f"*/{repeat // 60} * * * *"}})
    elif said.get("repeat"):
        one.differs("it is not repeated: so short or odd an interval is no schedule here")
    if said.get("once") is True:
        one.differs("it starts no run when the flows begin")


def _http_in(one: Mapped) -> Node:
    method = text(one.said.get("method"), "get").upper()
    path = text(one.said.get("url")).strip("/")
    if ":" in path:
        raise Untranslatable("parts of the path are values, which no trigger here has")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", path):
        one.differs("the path is not one part of letters, digits, - and _: it is changed")
        path = re.sub(r"[^A-Za-z0-9_-]+", "-", path).strip("-")[:100] or one.id
    if method not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        raise Untranslatable("the method is not known")
    for name in ("body", "headers", "query"):
        one.declare(name)
    one.trigger(
        {"webhook": {"path": path, "method": method, "respond": "result", "secret": "none"}}
    )
    request = {name: braced(f"inputs.{name}") for name in ("body", "headers", "query")}
    payload = braced("inputs.query" if method == "GET" else "inputs.body")
    one.part.single = True
    one.differs("of the request there are 'body', 'headers' and 'query'")
    message: Node = {"payload": payload, "req": {**request, "params": {}}}
    return {"uses": "data.value", "with": {"value": [message]}}


def _pass(one: Mapped) -> Node:
    one.part.pairs = True
    return value(one.incoming)


def _link_out(one: Mapped) -> Node:
    if text(one.said.get("mode"), "link") != "link":
        raise Untranslatable("links that return are not known here")
    return _pass(one)


def _debug(one: Mapped) -> Node:
    if one.said.get("active") is False:
        return _pass(one)
    complete = one.said.get("complete", "false")
    if one.said.get("targetType") == "jsonata":
        shown = jsonata(complete).expression(text(complete)).whole
    elif complete in ("true", True):
        shown = "item"
    else:
        shown = property_of("payload" if complete in ("false", False, "") else complete).whole
    return each(one.incoming, {"uses": "flow.log", "with": {"message": braced(shown)}})


def _delay(one: Mapped) -> Node:
    said = one.said
    if text(said.get("pauseType"), "delay") != "delay":
        raise Untranslatable("messages are held back to a rate, which is not known here")
    units = {"milliseconds": 0.001, "seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
    unit = units.get(text(said.get("timeoutUnits"), "seconds"))
    try:
        seconds = float(str(said.get("timeout", "5")))
    except ValueError:
        seconds = -1
    if unit is None or not 0 <= seconds < 1e7:
        raise Untranslatable("how long it waits is not known")
    if one.sets("reset") or one.sets("flush"):
        one.differs("messages that reset or flush it are held back like any other")
    length = round(seconds * unit, 3)
    one.part.pairs = True
    pause: Node = {"wait": {"for": int(length) if length.is_integer() else length}}
    return once({"nodes": {"pause": pause}, "output": braced(one.incoming)}, one.incoming)


def _change(one: Mapped) -> Node:
    rules = [mapping(rule) for rule in listing(one.said.get("rules"))]
    if not rules:
        raise Untranslatable("it has no rules")
    nodes: Node = {}
    message = "item"
    for number, rule in enumerate(rules):
        for names, found in _changes(one, rule, message):
            id_ = one.draft.name(f"{one.id}_{number + 1}")
            nodes[id_] = _set_at(names, found, message)
            message = id_
    one.part.pairs = True
    if len(nodes) == 1:
        return each(one.incoming, mapping(nodes[message]))
    return each(one.incoming, {"nodes": nodes, "output": braced(message)})


def _changes(one: Mapped, rule: Node, message: str) -> list[tuple[list[str], str | None]]:
    """What a rule sets, with its expression; None takes the field away."""
    kind = text(rule.get("t"))
    if rule.get("pt", "msg") != "msg":
        raise Untranslatable("what is kept between runs ('flow', 'global') is not known here")
    names = names_of(rule.get("p"))
    if kind == "set":
        if rule.get("tot") == "jsonata" and message != "item":
            raise Untranslatable("JSONata behind other rules")
        return [
            (names, typed(rule.get("to"), rule.get("tot", "str"), one.part.entry, message).whole)
        ]
    if kind == "delete":
        return [(names, None)]
    if kind == "move":
        if rule.get("tot", "msg") != "msg":
            raise Untranslatable("what is kept between runs ('flow', 'global') is not known here")
        return [
            (names_of(rule.get("to")), property_of(rule.get("p"), message).whole),
            (names, None),
        ]
    if kind == "change" and rule.get("fromt") == "str" and rule.get("tot") == "str":
        found = property_of(rule.get("p"), message)
        old, new = quoted(text(rule.get("from"))), quoted(text(rule.get("to")))
        changed = f"{found.closed}.replace({old}, {new})"
        kept = f'type({found.whole}) == "string" ? {changed} : {found.whole}'
        return [(names, kept)]
    raise Untranslatable(f"the rule '{kind[:20]}' is not known here")


def _set_at(names: list[str], found: str | None, message: str) -> Node:
    """A node that sets or takes away a field of a message."""
    if found is None:
        if len(names) > 1:
            raise Untranslatable("a field within a field is taken away")
        return value(f"{message}.transformMap(k, v, k != {quoted(names[0])}, v)")
    if len(names) > 2:
        raise Untranslatable("a field is set deep within others")
    if len(names) == 1:
        values: Node = {names[0]: braced(found)}
        return {"uses": "data.edit", "with": {"data": braced(message), "values": values}}
    outer = property_of(names[0], message)
    edit: Node = {
        "uses": "data.edit",
        "with": {
            "data": braced(f"{outer.text}.orValue({{}})"),
            "values": {names[1]: braced(found)},
        },
    }
    values = {names[0]: braced("result")}
    last: Node = {"uses": "data.edit", "with": {"data": braced(message), "values": values}}
    return {"nodes": {"result": edit, "edit": last}, "output": braced("edit")}


def _switch(one: Mapped) -> Node:
    said = one.said
    rules = [mapping(rule) for rule in listing(said.get("rules"))]
    kind = text(said.get("propertyType"), "msg")
    if kind == "jsonata":
        subject = jsonata(None).expression(text(said.get("property")))
    elif kind == "msg":
        subject = property_of(said.get("property", "payload"))
    else:
        raise Untranslatable("what is kept between runs ('flow', 'global') is not known here")
    tests: list[str] = []
    ways: Node = {}
    every = text(said.get("checkall"), "true") == "true"
    for number, rule in enumerate(rules):
        none = f"!({' || '.join(f'({t})' for t in tests)})" if tests else "true"
        if rule.get("t") == "else":
            test = none
        else:
            mine = _test(one, subject, rule)
            tests.append(mine)
            test = mine if every or none == "true" else f"({mine}) && {none}"
        ways[f"o{number}"] = braced(f"{one.incoming}.filter(item, {test})")
    if not ways:
        raise Untranslatable("it has no rules")
    if any(rule.get("t") in ("eq", "neq", "lt", "lte", "gt", "gte", "btwn") for rule in rules):
        one.differs("null, true, false and texts such as '1e3' are not taken for numbers")
    one.part.outputs = [f"{one.id}.o{number}" for number in range(len(ways))]
    return {"uses": "data.value", "with": {"value": ways}}


def _test(one: Mapped, subject: Cel, rule: Node) -> str:
    kind = text(rule.get("t"))
    if kind == "jsonata_exp":
        return jsonata(None).condition(text(rule.get("v")))
    if kind == "istype":
        types = TYPES.get(text(rule.get("v")))
        if types is None:
            raise Untranslatable(f"the type '{text(rule.get('v'))[:20]}' is not known here")
        return f"type({subject.whole}) in [{types}]"
    make = TESTS.get(kind)
    if make is None or (rule.get("case") is True and kind == "regex"):
        raise Untranslatable(f"the rule '{kind[:20]}' is not known here")
    first = typed(rule.get("v"), rule.get("vt", "str"), one.part.entry)
    second = typed(rule.get("v2", ""), rule.get("v2t", "str"), one.part.entry)
    return make(subject, first, second)


STARTS: Final[dict[str, Callable[[Mapped], Node]]] = {"inject": _inject, "http in": _http_in}
"""Nodes that start runs."""

MAPPERS: Final[dict[str, Callable[[Mapped], Node]]] = {
    "link in": _pass,
    "link out": _link_out,
    "junction": _pass,
    "debug": _debug,
    "delay": _delay,
    "change": _change,
    "switch": _switch,
    "template": template,
    "json": as_json,
    "yaml": as_yaml,
    "xml": as_xml,
    "csv": as_csv,
    "split": split,
    "join": join,
    "http request": request,
    "http response": response,
    "file": write_file,
    "file in": read_file,
    "exec": run_program,
    "function": function,
}
"""How each type of nodes is mapped."""
