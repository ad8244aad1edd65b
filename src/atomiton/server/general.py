"""Health, node types, the description of the API, and logging in."""

from __future__ import annotations

import asyncio

import msgspec

from atomiton.conductor.nodes import NodeInfo, node_info
from atomiton.conductor.wire import PREFIX, Asking, Health, LimitQuery, LoginLink, NodeList
from atomiton.server.audit import AuditLine
from atomiton.server.problems import Refusal
from atomiton.server.table import Call, Reply, Route, checked

#: The media type of the text format of Prometheus.
METRICS = "text/plain; version=0.0.4; charset=utf-8"


class AuditPage(msgspec.Struct, frozen=True):
    """The latest requests that changed something, or were refused for the role."""

    lines: list[AuditLine]


async def healthz(_call: Call) -> Health:
    """Whether the process answers; says nothing else to whom it does not know."""
    return Health("ok")


async def readyz(call: Call) -> Reply:
    """Whether new runs are taken in."""
    stopping = call.around.stopping.is_set()
    health = Health("stopping" if stopping else "ok", call.around.version)
    return Reply(health, 503 if stopping else 200)


async def nodes(call: Call) -> NodeList:
    """The node types that blueprints can use."""
    return NodeList(await call.conductor.nodes())


async def node(call: Call) -> NodeInfo:
    """One node type."""
    return node_info(call.around.registry.get(call.params["name"]))


async def metrics(call: Call) -> Reply:
    """The numbers, for Prometheus."""
    return Reply(await call.around.monitor.metrics(), headers={"content-type": METRICS})


async def audit(call: Call) -> AuditPage:
    """Who did what lately."""
    limit = checked(call.query, LimitQuery).limit
    return AuditPage(await asyncio.to_thread(call.around.monitor.audit.last, limit))


async def openapi(call: Call) -> Reply:
    """The description of this API."""
    return Reply(call.around.openapi())


async def login(_call: Call) -> Reply:
    """Exchange a code for a cookie; the gate has done it, or has refused."""
    raise Refusal(401, "this login link was used already, or is too old", "UNAUTHENTICATED")


async def new_login(call: Call) -> Reply:
    """Make a link that logs a browser in, once."""
    if call.around.login is None:
        raise Refusal(409, "this server has no pages to log in to")
    return Reply(LoginLink(call.around.login(), call.around.address), 201)


ROUTES = (
    Route("GET", "/healthz", None, healthz, "Tell whether the process answers", answer=Health),
    Route("GET", "/login", None, login, "Log in with a code, once"),
    Route("GET", "/readyz", "viewer", readyz, "Tell whether runs are taken in", answer=Health),
    Route("GET", "/metrics", "viewer", metrics, "Give the numbers for Prometheus"),
    Route(
        "GET",
        PREFIX + "/audit",
        "owner",
        audit,
        "Tell who did what, newest first",
        query=LimitQuery,
        answer=AuditPage,
    ),
    Route("GET", "/openapi.json", "viewer", openapi, "Describe this API"),
    Route(
        "GET",
        PREFIX + "/nodes",
        "viewer",
        nodes,
        "List the node types",
        answer=NodeList,
    ),
    Route(
        "GET",
        PREFIX + "/nodes/{name}",
        "viewer",
        node,
        "Show a node type",
        answer=NodeInfo,
    ),
    Route(
        "POST",
        PREFIX + "/logins",
        "owner",
        new_login,
        "Make a link that logs a browser in, once",
        Asking,
        answer=LoginLink,
        status=201,
    ),
)
