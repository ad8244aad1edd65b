"""Nodes of Node-RED that reach the world outside."""

from __future__ import annotations

from atomiton.interop.data import mapping, text, whole
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import each, once, value
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
        is_text = 'type(item.?payload.orValue(null)) == "string"'
        params["body"] = braced(f"{is_text} ? item.payload : null")
        params["json"] = braced(f"{is_text} ? null : item.?payload.orValue(null)")
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
    if one.sets("cookies"):
        raise Untranslatable("cookies are set, which no answer here does")
    if one.sets("headers"):
        one.differs("the headers of the message are not sent, only those of the node")
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
    encoding = _encoding(said)
    content = braced("item.payload")
    if encoding == "base64":
        content = braced("base64.decode(item.payload)")
    elif said.get("appendNewline") is True:
        content = f"{content}\n"
    params: Node = {"path": path, "content": content}
    if mode != "true":
        params["append"] = True
    if said.get("createDir") is not True:
        params["create_folders"] = False
    node = one.changed({"answer": {"uses": "file.write", "with": params}}, {})
    return {**node, "concurrency": 1}


def _encoding(said: Node) -> str:
    encoding = text(said.get("encoding"), "none") or "none"
    if encoding not in ("none", "utf8", "base64"):
        raise Untranslatable(f"the encoding '{encoding[:20]}' is not known here")
    return encoding


def _path(said: Node) -> object:
    kind = text(said.get("filenameType"), "str")
    if kind == "msg" or not text(said.get("filename")):
        return braced(property_of(said.get("filename") or "filename").whole)
    if kind != "str":
        raise Untranslatable(f"the name of the file is of the type '{kind[:20]}'")
    return text(said["filename"]).replace("${{", "$${{")


def read_file(one: Mapped) -> Node:
    """Read a file."""
    said = one.said
    format_ = text(said.get("format"), "utf8")
    if format_ not in ("utf8", "lines"):
        raise Untranslatable("the content is bytes, or a stream")
    coded = _encoding(said) == "base64"
    path = _path(said)
    read: Node = {
        "answer": {"uses": "file.read", "with": {"path": path, "as": "bytes" if coded else "text"}}
    }
    content = "base64.encode(answer.content)" if coded else "answer.content"
    if format_ == "utf8":
        return one.changed(read, {"payload": braced(content), "filename": path})
    if coded:
        raise Untranslatable("lines of bytes")
    node = one.changed(read, {"payload": braced(f'{content}.split("\\n")'), "filename": path})
    if said.get("allProps") is not True:
        core = mapping(node["nodes"])
        kept = 'item.transformMap(k, v, k == "topic", v)'
        mapping(mapping(core["edit"])["with"])["data"] = braced(kept)
    return one_each(one, node, '"type": "string", "ch": "\\n", ')


def run_program(one: Mapped) -> Node:
    """Run a program."""
    said = one.said
    if said.get("useSpawn") in (True, "true"):
        raise Untranslatable("what it says comes while it runs")
    one.differs("the program runs on this machine, with the rights of whoever runs the blueprint")
    params: Node = {"command": ["/bin/sh", "-c", braced(_command(said, "item"))], "check": False}
    pairs = f"lists.range(answers.size()).map(n, [{one.incoming}[n], answers[n]])"
    failed = f'"Command failed: " + {_command(said, "item[0]")} + "\\n" + item[1].stderr'
    code = (
        'item[1].exit_code == 0 ? {"code": 0} : '
        f'{{"code": item[1].exit_code, "message": {failed}}}'
    )
    nodes: Node = {
        "answers": each(one.incoming, {"uses": "shell.run", "with": params}),
        "pairs": value(pairs),
        "one": _said("pairs", "item[1].stdout", code),
        "x": _said('pairs.filter(p, p[1].stderr != "")', "item[1].stderr", code),
        "y": _said("pairs", code, ""),
    }
    one.part.outputs = [f"{one.id}.o{number}" for number in range(3)]
    outputs = {"o0": braced("one"), "o1": braced("x"), "o2": braced("y")}
    return {"nodes": nodes, "output": outputs}


def _command(said: Node, message: str) -> str:
    """The expression of a command line."""
    command = quoted(text(said.get("command")))
    adds = said.get("addpay")
    if adds not in (False, "", None):
        name = adds if isinstance(adds, str) and adds != "true" else "payload"
        found = property_of(name, message)
        command += f' + ({found.whole} == null ? "" : " " + string({found.whole}))'
    if text(said.get("append")).strip():
        command += f" + {quoted(' ' + text(said['append']))}"
    return command


def _said(pairs: str, payload: str, code: str) -> Node:
    """A message for each program that ended."""
    values: Node = {"payload": braced(payload), **({"rc": braced(code)} if code else {})}
    return each(pairs, {"uses": "data.edit", "with": {"data": braced("item[0]"), "values": values}})
