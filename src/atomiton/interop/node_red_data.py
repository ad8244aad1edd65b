"""Nodes of Node-RED that make data of texts, and texts of data."""

from __future__ import annotations

from atomiton.interop.data import text, whole
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import once, value
from atomiton.interop.node_red_part import Mapped
from atomiton.interop.node_red_values import (
    mustache,
    names_of,
)


def template(one: Mapped) -> Node:
    """A text that is filled."""
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


def as_json(one: Mapped) -> Node:
    """JSON to data, and data to JSON."""
    _payload_only(one)
    if one.sets("schema"):
        one.differs("the data is not checked by the 'schema' of the message")
    return _either(
        one,
        {"uses": "json.parse", "with": {"text": braced("item.payload")}},
        "result.value",
        {"uses": "json.format", "with": {"value": braced("item.payload")}},
        "answer.text",
        text(one.said.get("action")),
    )


def as_yaml(one: Mapped) -> Node:
    """YAML to data, and data to YAML."""
    _payload_only(one)
    one.differs("YAML is written in another style: short lists and objects on one line")
    return _either(
        one,
        {"uses": "yaml.parse", "with": {"text": braced("item.payload")}},
        "result.value",
        {"uses": "yaml.format", "with": {"value": braced("item.payload")}},
        "answer.text",
        "",
    )


def as_xml(one: Mapped) -> Node:
    """XML to data."""
    _payload_only(one)
    one.differs("elements become objects in another way, and objects are not made XML")
    parse: Node = {"uses": "xml.parse", "with": {"text": braced("item.payload")}}
    return one.changed({"result": parse}, {"payload": braced("{result.root: result.value}")})


def _payload_only(one: Mapped) -> None:
    if one.said.get("property", "payload") not in ("payload", ""):
        raise Untranslatable("another field than the payload is converted")


def as_csv(one: Mapped) -> Node:
    """CSV to data, and data to CSV."""
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
    ends = text(said.get("ret"), "\\n").replace("\\r", "\r").replace("\\n", "\n")
    written = "answer.text" if ends == "\r\n" else f'answer.text.replace("\\r\\n", {quoted(ends)})'
    made = _either(
        one,
        {"uses": "csv.parse", "with": params},
        rows,
        {"uses": "csv.format", "with": cells},
        written,
        "",
    )
    one.differs("empty cells are null")
    if said.get("hdrout") == "once":
        one.differs("the names of the columns are written each time, 'reset' or not")
    return made if many else one_each(one, made)


def one_each(one: Mapped, made: Node, parts: str = "") -> Node:
    """A message for each item of a payload that is a list.

    Args:
        one: The node.
        made: Makes messages whose payload is a list.
        parts: Fields of what messages say of the list, as the text of an expression.
    """
    one.part.pairs = False
    listed = 'type(x.payload) == "list" ? x.payload : [x.payload]'
    nodes = _spread("answers", listed, f'{{{parts}"index": n, "count": ({listed}).size()}}')
    return {"nodes": {"answers": made, **nodes}, "output": braced("result")}


def _spread(messages: str, listed: str, parts: str) -> Node:
    """A message for each item ``y`` of a list of a message ``x``, ``n`` its number there."""
    pairs = f"{messages}.map(x, ({listed}).transformList(n, y, [x, y, {parts}])).flatten()"
    values = {"payload": braced("item[1]"), "parts": braced("item[2]")}
    params: Node = {"data": braced("item[0]"), "values": values}
    return {
        "pairs": value(pairs),
        "result": {"map": braced("pairs"), "uses": "data.edit", "with": params},
    }


def split(one: Mapped) -> Node:
    """A message for each part of a payload."""
    said = one.said
    if whole(said.get("arraySplt"), 1) != 1 or said.get("stream") is True:
        raise Untranslatable("it splits into parts of several items")
    if said.get("spltType", "str") != "str":
        raise Untranslatable("texts are split by their length")
    separator = text(said.get("splt"), "\\n").replace("\\n", "\n").replace("\\t", "\t")
    one.differs("objects are not split, and the 'parts' of a message have no 'id'")
    listed = f'type(x.payload) == "list" ? x.payload : x.payload.split({quoted(separator)})'
    is_list = 'type(x.payload) == "list"'
    place = f'"index": n, "count": ({listed}).size()'
    parts = (
        f'{is_list} ? {{"type": "array", {place}}} : '
        f'{{"type": "string", "ch": {quoted(separator)}, {place}}}'
    )
    nodes = _spread(one.incoming, listed, parts)
    return {"nodes": nodes, "output": braced("result")}


def join(one: Mapped) -> Node:
    """One message of all."""
    said = one.said
    mode, build = text(said.get("mode"), "auto"), text(said.get("build"), "array")
    if mode not in ("auto", "custom") or (mode == "custom" and whole(said.get("count"), 0)):
        raise Untranslatable("messages are counted, or reduced to one")
    if said.get("propertyType", "msg") != "msg" or said.get("property", "payload") != "payload":
        raise Untranslatable("another field than the payload is joined")
    payloads = f"{one.incoming}.map(x, x.?payload.orValue(null))"
    if mode == "auto":
        parts = f"{one.incoming}[0].?parts"
        texts = f'{one.incoming}.map(x, string(x.payload)).join({parts}.?ch.orValue(""))'
        payloads = f'{parts}.?type.orValue("") == "string" ? {texts} : {payloads}'
    if mode == "custom" and build == "string":
        joiner = text(said.get("joiner"), "\\n").replace("\\n", "\n")
        payloads = f"{one.incoming}.map(x, string(x.payload)).join({quoted(joiner)})"
    elif mode == "custom" and build != "array":
        raise Untranslatable(f"messages are joined to '{build[:20]}'")
    one.differs("all messages of the run that come to it are joined to one")
    one.part.single = True
    last = f"{one.incoming}[{one.incoming}.size() - 1]"
    bare = f'{last}.transformMap(k, v, k != "parts", v)'
    params: Node = {"data": braced(bare), "values": {"payload": braced(payloads)}}
    edit: Node = {"uses": "data.edit", "with": params}
    return once({"nodes": {"edit": edit}, "output": [braced("edit")]}, one.incoming)
