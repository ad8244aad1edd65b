"""Nodes of Node-RED that reach the world outside."""

from __future__ import annotations

from atomiton.interop.data import mapping, text, whole
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import each, once
from atomiton.interop.node_red_data import one_each
from atomiton.interop.node_red_part import Mapped
from atomiton.interop.node_red_values import (
    filled,
    property_of,
)


def request(one: Mapped) -> Node:
    """Ask over HTTP."""
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


def response(one: Mapped) -> Node:
    """Answer a request."""
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


def write_file(one: Mapped) -> Node:
    """Write or delete a file."""
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


def read_file(one: Mapped) -> Node:
    """Read a file."""
    formats = {"utf8": "text", "": "bytes", "lines": "lines"}
    kind = formats.get(text(one.said.get("format"), "utf8"))
    if kind is None or kind == "bytes":
        raise Untranslatable("the content is bytes, or a stream")
    params: Node = {"path": _path(one.said), "as": kind}
    node = one.changed(
        {"answer": {"uses": "file.read", "with": params}}, {"payload": braced("answer.content")}
    )
    return one_each(one, node) if kind == "lines" else node


def run_program(one: Mapped) -> Node:
    """Run a program."""
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
