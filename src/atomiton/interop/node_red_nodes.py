"""Nodes of Node-RED as nodes of a blueprint; an item is a message."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from atomiton.interop.data import listing, mapping, text, whole
from atomiton.interop.draft import Draft, Node
from atomiton.interop.expressions.cel import Cel, braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import Items, Part, each, once, value
from atomiton.interop.node_red_values import (
    TESTS,
    TYPES,
    filled,
    jsonata,
    mustache,
    names_of,
    property_of,
    typed,
)


class Mapped:
    """One node on its way.

    Attributes:
        draft: The blueprint.
        part: The node.
        said: What the file says of it.
        id: Of the node that is made.
        incoming: Expression of the messages that come in.
    """

    def __init__(self, draft: Draft, items: Items, part: Part) -> None:
        self.draft = draft
        self.part = part
        self.said = part.said
        self.id = part.entry.node
        self.incoming = items.incoming(part)

    def differs(self, note: str) -> None:
        """Note a difference."""
        self.part.entry.differs(note)

    def trigger(self, said: Node) -> None:
        """Add a trigger to the blueprint."""
        self.draft.top["triggers"] = [*listing(self.draft.top.get("triggers")), said]

    def declare(self, name: str) -> None:
        """Declare an input of the blueprint."""
        inputs = mapping(self.draft.top.get("inputs"))
        self.draft.top["inputs"] = {**inputs, name: {"type": "any", "default": {}}}

    def changed(self, nodes: Node, values: Node, *, join: str = "") -> Node:
        """For each message, nodes, and the message with some fields set."""
        self.part.pairs = True
        edit: Node = {"uses": "data.edit", "with": {"data": braced("item"), "values": values}}
        edit.update({"join": join} if join else {})
        if not nodes:
            return each(self.incoming, edit)
        return each(self.incoming, {"nodes": {**nodes, "edit": edit}, "output": braced("edit")})


# -- what starts runs ----------------------------------------------------------------------------


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
    message = {"payload": payload, "req": {**request, "params": {}}}
    return {"uses": "data.value", "with": {"value": [message]}}


# -- messages as they are --------------------------------------------------------------------------


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
    length = round(seconds * unit, 3)
    one.part.pairs = True
    pause: Node = {"wait": {"for": int(length) if length.is_integer() else length}}
    return once({"nodes": {"pause": pause}, "output": braced(one.incoming)}, one.incoming)


# -- changing ------------------------------------------------------------------------------------


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
        kept = f'type({found.whole}) == "string" ? {found.closed}.replace({old}, {new}) : {found.whole}'
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
        one.differs("values are compared as they are: texts are not taken for numbers")
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
    if make is None or rule.get("case") is True and kind == "regex":
        raise Untranslatable(f"the rule '{kind[:20]}' is not known here")
    first = typed(rule.get("v"), rule.get("vt", "str"), one.part.entry)
    second = typed(rule.get("v2", ""), rule.get("v2t", "str"), one.part.entry)
    return make(subject, first, second)


def _template(one: Mapped) -> Node:
    said = one.said
    names = names_of(said.get("field", "payload"))
    if said.get("fieldType", "msg") != "msg" or len(names) > 1:
        raise Untranslatable("the result is kept elsewhere than in a field of the message")
    template, output = text(said.get("template")), text(said.get("output"), "str")
    if output not in ("str", "json", "yaml"):
        raise Untranslatable(f"the result is read as '{output[:20]}'")
    if said.get("syntax", "mustache") == "plain":
        written: Node = {"result": value(f"{{{quoted('text')}: {quoted(template)}}}")}
        return _read(one, written, names[0], output)
    made, escapes = mustache(template, one.part.entry)
    params: Node = {"template": made.replace("${{", "$${{"), "values": {"msg": braced("item")}}
    if escapes:
        params["escape"] = "html"
    text_: Node = {"uses": "text.template", "with": params}
    return _read(one, {"result": text_}, names[0], output)


def _read(one: Mapped, nodes: Node, name: str, output: str) -> Node:
    """A field that is set to a text, or to what the text holds."""
    if output == "str":
        return one.changed(nodes, {name: braced("result.text")})
    parse: Node = {"uses": f"{output}.parse", "with": {"text": braced("result.text")}}
    return one.changed({**nodes, "answer": parse}, {name: braced("answer.value")})


# -- data as text ------------------------------------------------------------------------------------


def _either(
    one: Mapped, parse: Node, parsed: str, format_: Node, formatted: str, action: str
) -> Node:
    """Text becomes data and data text, as the message is; or one of them alone."""
    is_text = 'type(item.?payload.orValue(null)) == "string"'
    nodes: Node = {}
    if action in ("", "obj"):
        nodes["result"] = {**parse, "if": is_text}
    if action in ("", "str"):
        nodes["answer"] = {**format_, "if": f"!({is_text})"}
    kept = "item.?payload.orValue(null)"
    ways = f"{is_text} ? {parsed if 'result' in nodes else kept} : "
    ways += formatted if "answer" in nodes else kept
    return one.changed(nodes, {"payload": braced(ways)}, join="settled")


def _json(one: Mapped) -> Node:
    _payload_only(one)
    return _either(
        one,
        {"uses": "json.parse", "with": {"text": braced("item.payload")}},
        "result.value",
        {"uses": "json.format", "with": {"value": braced("item.payload")}},
        "answer.text",
        text(one.said.get("action")),
    )


def _yaml(one: Mapped) -> Node:
    _payload_only(one)
    return _either(
        one,
        {"uses": "yaml.parse", "with": {"text": braced("item.payload")}},
        "result.value",
        {"uses": "yaml.format", "with": {"value": braced("item.payload")}},
        "answer.text",
        "",
    )


def _xml(one: Mapped) -> Node:
    _payload_only(one)
    one.differs("elements become objects in another way, and objects are not made XML")
    parse: Node = {"uses": "xml.parse", "with": {"text": braced("item.payload")}}
    return one.changed({"result": parse}, {"payload": braced("{result.root: result.value}")})


def _payload_only(one: Mapped) -> None:
    if one.said.get("property", "payload") not in ("payload", ""):
        raise Untranslatable("another field than the payload is converted")


def _csv(one: Mapped) -> Node:
    said = one.said
    columns = [c.strip() for c in text(said.get("temp")).split(",") if c.strip()]
    header = said.get("hdrin") in (True, "true")
    separator = text(said.get("sep"), ",").replace("\\t", "\t")
    if whole(said.get("skip"), 0) or (not header and not columns):
        raise Untranslatable("columns have no names, or lines are skipped")
    params: Node = {"text": braced("item.payload"), "delimiter": separator, "headers": header}
    if said.get("strings") is False:
        params["numbers"] = False
    rows = "result.rows"
    if not header:
        names = ", ".join(f"?{quoted(c)}: r[?{n}]" for n, c in enumerate(columns))
        rows = f"result.rows.map(r, {{{names}}})"
    cells: Node = {"rows": braced('type(item.payload) == "list" ? item.payload : [item.payload]')}
    cells["delimiter"] = separator
    cells["headers"] = (
        columns
        if columns and said.get("hdrout", "none") != "none"
        else (said.get("hdrout", "none") != "none")
    )
    if columns and said.get("hdrout", "none") == "none":
        picked = ", ".join(f"r[?{quoted(c)}].orValue(null)" for c in columns)
        cells["rows"] = braced(
            f'(type(item.payload) == "list" ? item.payload : [item.payload]).map(r, [{picked}])'
        )
    many = text(said.get("multi"), "one") == "mult"
    made = _either(
        one,
        {"uses": "csv.parse", "with": params},
        rows,
        {"uses": "csv.format", "with": cells},
        "answer.text",
        "",
    )
    one.differs("empty cells are null, and lines of CSV end with CR and LF")
    return made if many else _one_each(one, made)


def _one_each(one: Mapped, made: Node) -> Node:
    """A message for each item of a payload that is a list."""
    one.part.pairs = False
    pairs = (
        'answers.map(x, (type(x.payload) == "list" ? x.payload : [x.payload]).map(y, [x, y]))'
        ".flatten()"
    )
    return {"nodes": {"answers": made, **_spread(pairs)}, "output": braced("result")}


def _spread(pairs: str) -> Node:
    params: Node = {"data": braced("item[0]"), "values": {"payload": braced("item[1]")}}
    return {
        "pairs": value(pairs),
        "result": {"map": braced("pairs"), "uses": "data.edit", "with": params},
    }


def _split(one: Mapped) -> Node:
    said = one.said
    if whole(said.get("arraySplt"), 1) != 1 or said.get("stream") is True:
        raise Untranslatable("it splits into parts of several items")
    if said.get("spltType", "str") != "str":
        raise Untranslatable("texts are split by their length")
    separator = text(said.get("splt"), "\\n").replace("\\n", "\n").replace("\\t", "\t")
    one.differs("messages have no 'parts'; objects are not split")
    parts = f'type(x.payload) == "list" ? x.payload : x.payload.split({quoted(separator)})'
    nodes = _spread(f"{one.incoming}.map(x, ({parts}).map(y, [x, y])).flatten()")
    return {"nodes": nodes, "output": braced("result")}


def _join(one: Mapped) -> Node:
    said = one.said
    mode, build = text(said.get("mode"), "auto"), text(said.get("build"), "array")
    if mode not in ("auto", "custom") or (mode == "custom" and whole(said.get("count"), 0)):
        raise Untranslatable("messages are counted, or reduced to one")
    if said.get("propertyType", "msg") != "msg" or said.get("property", "payload") != "payload":
        raise Untranslatable("another field than the payload is joined")
    payloads = f"{one.incoming}.map(x, x.?payload.orValue(null))"
    if mode == "custom" and build == "string":
        joiner = text(said.get("joiner"), "\\n").replace("\\n", "\n")
        payloads = f"{one.incoming}.map(x, string(x.payload)).join({quoted(joiner)})"
    elif mode == "custom" and build != "array":
        raise Untranslatable(f"messages are joined to '{build[:20]}'")
    one.differs("all messages of the run are joined, to a list unless it says a text")
    one.part.single = True
    last = f"{one.incoming}[{one.incoming}.size() - 1]"
    params: Node = {"data": braced(last), "values": {"payload": braced(payloads)}}
    edit: Node = {"uses": "data.edit", "with": params}
    return once({"nodes": {"edit": edit}, "output": [braced("edit")]}, one.incoming)


# -- the world outside -----------------------------------------------------------------------------------


def _request(one: Mapped) -> Node:
    said = one.said
    method = text(said.get("method"), "GET")
    params: Node = {"method": method if method != "use" else braced("item.method")}
    url = text(said.get("url"))
    params["url"] = filled(url) if url else braced("item.url")
    pays = said.get("paytoqs", "ignore")
    if pays in (True, "query"):
        params["query"] = braced("item.payload")
    elif method in ("POST", "PUT", "PATCH", "DELETE") or pays == "body":
        params["json"] = braced("item.payload")
        one.differs("the payload is sent as JSON, also if it is text")
    if said.get("authType") or said.get("tls") or said.get("proxy"):
        one.differs("credentials, certificates and proxies are not in the file: give 'auth'")
    params["fail_on_error"] = False
    params["headers"] = braced("item.?headers.orValue({})")
    bodies = {"txt": "answer.body", "obj": "answer.json != null ? answer.json : answer.body"}
    body = bodies.get(text(said.get("ret"), "txt"))
    if body is None:
        raise Untranslatable("the answer is bytes")
    values: Node = {
        "payload": braced(body),
        "statusCode": braced("answer.status"),
        "headers": braced("answer.headers"),
    }
    return one.changed({"answer": {"uses": "http.request", "with": params}}, values)


def _response(one: Mapped) -> Node:
    status = whole(one.said.get("statusCode"))
    code = str(status) if status else f"{one.incoming}[0].?statusCode.orValue(200)"
    answer: Node = {
        "status": braced(code),
        "headers": mapping(one.said.get("headers")),
        "body": braced(f"{one.incoming}[0].?payload.orValue(null)"),
    }
    before = one.draft.top.get("output")
    mine = one.id
    if isinstance(before, str):
        mine = f'nodes.{one.id}.status == "completed" ? {one.id} : ({before[4:-3]})'
    one.draft.top["output"] = braced(mine)
    return once({"uses": "data.value", "with": {"value": answer}}, one.incoming)


def _file(one: Mapped) -> Node:
    said = one.said
    mode = text(said.get("overwriteFile"), "false")
    path = _path(said)
    if mode == "delete":
        return one.changed({"answer": {"uses": "file.delete", "with": {"path": path}}}, {})
    content = braced("item.payload")
    if said.get("appendNewline") is True:
        payload = "item.payload"
        joined = f'type({payload}) == "string" ? {payload} + "\\n" : {payload}'
        content = braced(joined)
        one.differs("only texts have a line end behind them")
    params: Node = {"path": path, "content": content}
    if mode != "true":
        params["append"] = True
    if said.get("createDir") is not True:
        params["create_folders"] = False
    node = one.changed({"answer": {"uses": "file.write", "with": params}}, {})
    return {**node, "concurrency": 1}


def _path(said: Node) -> object:
    kind = text(said.get("filenameType"), "str")
    if kind == "msg" or not text(said.get("filename")):
        return braced(property_of(said.get("filename") or "filename").whole)
    if kind != "str":
        raise Untranslatable(f"the name of the file is of the type '{kind[:20]}'")
    return text(said["filename"]).replace("${{", "$${{")


def _file_in(one: Mapped) -> Node:
    formats = {"utf8": "text", "": "bytes", "lines": "lines"}
    kind = formats.get(text(one.said.get("format"), "utf8"))
    if kind is None or kind == "bytes":
        raise Untranslatable("the content is bytes, or a stream")
    params: Node = {"path": _path(one.said), "as": kind}
    node = one.changed(
        {"answer": {"uses": "file.read", "with": params}}, {"payload": braced("answer.content")}
    )
    return _one_each(one, node) if kind == "lines" else node


def _exec(one: Mapped) -> Node:
    said = one.said
    command = quoted(text(said.get("command")))
    if said.get("addpay") not in (False, "", None):
        name = (
            said["addpay"]
            if isinstance(said["addpay"], str) and said["addpay"] != "true"
            else "payload"
        )
        command += f' + " " + string({property_of(name).whole})'
    if text(said.get("append")):
        command += f" + {quoted(' ' + text(said['append']))}"
    if said.get("useSpawn") in (True, "true"):
        raise Untranslatable("what it says comes while it runs")
    one.differs("the program runs on this machine, with the rights of whoever runs the blueprint")
    call: Node = {
        "uses": "shell.run",
        "with": {"command": ["sh", "-c", braced(command)], "check": False},
    }
    outputs = {
        "o0": braced('answers.filter(x, x.exit_code == 0).map(x, {"payload": x.stdout})'),
        "o1": braced('answers.filter(x, x.stderr != "").map(x, {"payload": x.stderr})'),
        "o2": braced('answers.map(x, {"payload": {"code": x.exit_code}})'),
    }
    one.part.outputs = [f"{one.id}.o{number}" for number in range(3)]
    return {"nodes": {"answers": each(one.incoming, call)}, "output": outputs}


def _function(one: Mapped) -> Node:
    del one
    raise Untranslatable("its code (JavaScript) is not run here: write it as 'python.run'")


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
    "template": _template,
    "json": _json,
    "yaml": _yaml,
    "xml": _xml,
    "csv": _csv,
    "split": _split,
    "join": _join,
    "http request": _request,
    "http response": _response,
    "file": _file,
    "file in": _file_in,
    "exec": _exec,
    "function": _function,
}
"""How each type of nodes is mapped."""
