"""The node of n8n that asks over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomiton.interop.data import is_map, listing, mapping, text
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import each

if TYPE_CHECKING:
    from atomiton.interop.n8n_part import Mapped

_ITEMS = (
    'answers.map(x, type(x.json) == "list" ? x.json : [x.json != null ? x.json : {"data": x.body}])'
    '.flatten().map(v, type(v) == "map" ? v : {"data": v})'
)
_FULL = (
    'answers.map(x, {"body": x.json != null ? x.json : x.body, "headers": x.headers, '
    '"statusCode": x.status})'
)
_TEXT = 'answers.map(x, {"data": x.body})'


def request(one: Mapped) -> Node:
    """Map the node: one request for each item, and the items of all answers."""
    said = one.parameters
    old = one.version < 3
    method = text(said.get("requestMethod" if old else "method"), "GET")
    params: Node = {"url": one.values.value(said.get("url", "")), "method": method}
    (_old_parameters if old else _parameters)(one, params)
    node: Node = {"uses": "http.request", "with": params}
    output = _options(one, node, params, old=old)
    if said.get("authentication", "none") not in ("none", ""):
        one.part.entry.differs("the credentials are not in the file: give 'auth' or a header")
    one.part.pairs = output != _ITEMS
    return {"nodes": {"answers": each(one.incoming, node)}, "output": braced(output)}


def _options(one: Mapped, node: Node, params: Node, *, old: bool) -> str:
    options = mapping(one.parameters.get("options"))
    response = mapping(mapping(options.get("response")).get("response"))
    format_ = text(response.get("responseFormat"), "autodetect")
    full = response.get("fullResponse") is True
    never = response.get("neverError") is True
    if old:
        format_ = text(one.parameters.get("responseFormat"), "json")
        full, never = options.get("fullResponse") is True, options.get("ignoreResponseCode") is True
    if format_ == "file":
        raise Untranslatable("files are data beside the items, which is not known here")
    timeout = options.get("timeout")
    if isinstance(timeout, int) and timeout > 0:
        node["timeout"] = f"{timeout}ms"
    if never:
        params["fail_on_error"] = False
    if "pagination" in options:
        raise Untranslatable("answers of several pages are not put together here")
    if "proxy" in options or options.get("allowUnauthorizedCerts") is True:
        one.part.entry.differs("the proxy, or trusting any certificate, is left out")
    if "batching" in options:
        one.part.entry.differs("requests are made at once: give 'concurrency' to bound them")
    if full:
        one.part.entry.differs("an answer has no 'statusMessage'")
        return _FULL
    return _TEXT if format_ in ("text", "string") else _ITEMS


def _parameters(one: Mapped, params: Node) -> None:
    said = one.parameters
    if said.get("sendQuery") is True:
        params["query"] = _pairs(one, "queryParameters", "specifyQuery", "jsonQuery")
    if said.get("sendHeaders") is True:
        params["headers"] = _texts(_pairs(one, "headerParameters", "specifyHeaders", "jsonHeaders"))
    if said.get("sendBody") is not True:
        return
    kind = text(said.get("contentType"), "json")
    if kind == "json":
        params["json"] = _pairs(one, "bodyParameters", "specifyBody", "jsonBody")
    elif kind == "form-urlencoded" and text(said.get("specifyBody"), "keypair") == "keypair":
        params["form"] = _pairs(one, "bodyParameters", "", "")
    elif kind in ("raw", "form-urlencoded"):
        params["body"] = one.values.value(said.get("body", ""))
        type_ = said.get("rawContentType") if kind == "raw" else "application/x-www-form-urlencoded"
        if type_:
            headers = params.get("headers", {})
            if not is_map(headers):
                raise Untranslatable("the headers are computed")
            params["headers"] = {"content-type": one.values.value(type_), **mapping(headers)}
    else:
        raise Untranslatable(f"a body of '{kind[:30]}' is not known here")


def _pairs(one: Mapped, name: str, specify: str, json: str) -> object:
    """Names and values, or the text of JSON that holds them."""
    said = one.parameters
    if specify and said.get(specify) == "json":
        return one.values.json(said.get(json, "{}"))
    if specify and said.get(specify) == "string":
        raise Untranslatable("the body is one text")
    made: Node = {}
    for pair in listing(mapping(said.get(name)).get("parameters")):
        about = mapping(pair)
        key = text(about.get("name"))
        if key in made:
            raise Untranslatable(f"'{key[:60]}' is given twice")
        if key.startswith("="):
            raise Untranslatable("the name of a parameter is computed")
        if key:
            made[key] = one.values.value(about.get("value", ""))
    return made


def _texts(headers: object) -> object:
    """Headers are texts."""
    if not is_map(headers):
        return headers
    return {
        key: value if isinstance(value, str) else str(value)
        for key, value in mapping(headers).items()
    }


def _old_parameters(one: Mapped, params: Node) -> None:
    said = one.parameters
    as_json = said.get("jsonParameters") is True
    for ours, name, json in (
        ("query", "queryParametersUi", "queryParametersJson"),
        ("headers", "headerParametersUi", "headerParametersJson"),
        ("json", "bodyParametersUi", "bodyParametersJson"),
    ):
        if as_json:
            if said.get(json):
                params[ours] = one.values.json(said[json])
            continue
        pairs = listing(mapping(said.get(name)).get("parameter"))
        made = {
            text(mapping(p).get("name")): one.values.value(mapping(p).get("value", ""))
            for p in pairs
        }
        if made:
            params[ours] = made
    if "headers" in params:
        params["headers"] = _texts(params["headers"])
    kind = text(mapping(said.get("options")).get("bodyContentType"), "json")
    if kind == "form-urlencoded" and "json" in params:
        params["form"] = params.pop("json")
    elif kind not in ("json", "form-urlencoded"):
        raise Untranslatable(f"a body of '{kind[:30]}' is not known here")
    if params["method"] == "GET" and "json" in params:
        raise Untranslatable("a GET with a body")
