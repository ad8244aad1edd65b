"""The description of the API, made of the table of routes and the types that go over the border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from atomiton.conductor.wire import JSON, PROBLEM, SSE, ProblemDetails
from atomiton.server.coding import fields_of
from atomiton.server.table import Route

Json = dict[str, object]
_TEXT: Json = {"type": "string"}
_REF = "#/components/schemas/{name}"


def describe_api(routes: Sequence[Route], version: str) -> Json:
    """An OpenAPI 3.1 document of every route.

    Args:
        routes: The table.
        version: Of Atomiton.
    """
    types: dict[type, None] = {ProblemDetails: None}
    for route in routes:
        for type_ in (route.body, route.answer, route.query):
            if type_ is not None and type_ is not str:
                types[type_] = None
    schemas, components = msgspec.json.schema_components(
        list(types), schema_hook=_anything, ref_template=_REF
    )
    known = dict(zip(types, cast("Sequence[Json]", schemas), strict=True))
    paths: dict[str, Json] = {}
    for route in routes:
        operation = _operation(route, known, cast("Mapping[str, Json]", components))
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Atomiton",
            "version": version or "0",
            "description": "Blueprints and runs. Errors are RFC 9457 problems with a code.",
        },
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": dict(components),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "atomiton_session"},
            },
        },
    }


def _anything(type_: type) -> Json:
    """The schema of what msgspec has none for: any value."""
    if type_ is object:
        return {"description": "Any value."}
    raise NotImplementedError(type_)


def _operation(route: Route, known: Mapping[type, Json], components: Mapping[str, Json]) -> Json:
    operation: Json = {
        "operationId": route.operation,
        "summary": route.summary,
        "parameters": _parameters(route, known, components),
        "responses": _responses(route, known),
    }
    if route.role is None:
        operation["security"] = []
    else:
        operation["description"] = f"Needs the role `{route.role}`."
    if route.body is str:
        text = {"schema": _TEXT}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/yaml": text, "text/plain": text},
        }
    elif route.body is not None:
        operation["requestBody"] = {"content": {JSON: {"schema": known[route.body]}}}
    return operation


def _parameters(
    route: Route, known: Mapping[type, Json], components: Mapping[str, Json]
) -> list[Json]:
    part: Json = {"type": "string", "pattern": "^[A-Za-z0-9_@.-]{1,255}$"}
    found: list[Json] = [_parameter(name, "path", part) for name in route.parameters]
    if route.query is not None:
        name = str(known[route.query]["$ref"]).rpartition("/")[2]
        properties = cast("Mapping[str, Json]", components[name].get("properties", {}))
        required = {of.encode_name for of in fields_of(route.query) if of.required}
        found += [
            {**_parameter(name, "query", schema), "required": name in required}
            for name, schema in properties.items()
        ]
    if route.method == "POST":
        key: Json = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append(_parameter("Idempotency-Key", "header", key))
    if route.streams:
        found.append(_parameter("Last-Event-ID", "header", _TEXT))
    if route.conditional:
        found += [_parameter(name, "header", _TEXT) for name in ("If-Match", "If-None-Match")]
    return found


def _parameter(name: str, place: str, schema: Json) -> Json:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _responses(route: Route, known: Mapping[type, Json]) -> Json:
    problem = {"content": {PROBLEM: {"schema": known[ProblemDetails]}}, "description": "A problem"}
    done: Json = {"description": "Done"}
    if route.answer is not None:
        done["content"] = {JSON: {"schema": known[route.answer]}}
        if route.streams:
            done["content"] = {**cast("Json", done["content"]), SSE: {"schema": _TEXT}}
    answers: Json = {str(route.status): done}
    if route.answer is None and route.status == 200:
        done["content"] = {JSON: {"schema": {}}, "text/html": {"schema": _TEXT}}
    if route.path.endswith("/result"):
        answers["202"] = {**done, "description": "Not ended yet"}
    if route.body is str:
        answers["201"] = {**done, "description": "Created"}
    if route.conditional and route.method == "GET":
        answers["304"] = {"description": "Not changed"}
    if route.path == "/readyz":
        answers["503"] = {**done, "description": "Stopping"}
    answers["default"] = problem
    return answers
