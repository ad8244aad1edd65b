"""Every route in one table: what the server answers, the documentation and the tests come from it.

A handler is given a ``Call``, whose body and query were checked, and gives what is to be sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from atomiton.conductor.api import ConductorApi
from atomiton.conductor.wire import Asking

if TYPE_CHECKING:
    from atomiton.server.app import Surroundings

T = TypeVar("T")
Role = Literal["viewer", "operator", "owner"]
#: From the least to the most that one may do.
ROLES: tuple[Role, ...] = ("viewer", "operator", "owner")


class Principal(msgspec.Struct, frozen=True):
    """Who asks.

    Attributes:
        name: Name of the token, or of the way in.
        role: What may be done.
        local: Whether the question came over the socket of this user.
    """

    name: str
    role: Role
    local: bool = False

    def may(self, role: Role) -> bool:
        """Whether something that needs a role may be done.

        Example:
            >>> Principal("ci", "operator").may("viewer")
            True
        """
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass
class Call:
    """A request, checked.

    Attributes:
        around: What the server works with.
        principal: Who asks.
        params: Parts of the path, by name.
        headers: In lower case.
        body: As the route declares it.
        query: As the route declares it.
        text: The body as it came, for routes that take a text.
        raw: The body as it came, for routes that take anything.
        method: Of HTTP.
        search: The query as it came.
        key: What names the request, so that one that is sent again is known.
    """

    around: Surroundings
    principal: Principal
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: object = None
    query: object = None
    text: str = ""
    raw: bytes = b""
    method: str = "GET"
    search: str = ""
    key: str | None = None

    @property
    def conductor(self) -> ConductorApi:
        """Does what is asked for."""
        return self.around.conductor

    def by(self, said: str) -> str:
        """Who it is to be said to be: only an owner may act for somebody else."""
        return said if said and self.principal.role == "owner" else self.principal.name


@dataclass
class Reply:
    """An answer with a status or headers of its own; ``stream`` is sent piece by piece."""

    value: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


Handler = Callable[[Call], Awaitable[object]]


@dataclass(frozen=True)
class Route:
    """One thing that can be asked for.

    Attributes:
        method: HTTP method.
        path: Template, such as ``/api/v1/runs/{run}``.
        role: What is needed; None for everybody.
        handler: Does it.
        summary: One line for people.
        body: What is sent; None for nothing, ``str`` for the text of a blueprint, ``bytes`` for
            anything.
        query: Parameters of the query.
        answer: What is given; None when that is no data.
        status: HTTP status of a success.
        streams: Whether it can be had as a stream of events.
        first: Refuses what can be refused before the body is read.
        conditional: Whether ``If-Match`` and ``If-None-Match`` are heeded.
    """

    method: str
    path: str
    role: Role | None
    handler: Handler
    summary: str
    body: type | None = None
    query: type[Asking] | None = None
    answer: type | None = None
    status: int = 200
    streams: bool = False
    conditional: bool = False
    first: Handler | None = None

    @property
    def parameters(self) -> list[str]:
        """Names of the parts of the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def operation(self) -> str:
        """A name that no other route has."""
        parts = [part.strip("{}") for part in self.path.split("/") if part not in ("", "api", "v1")]
        return "_".join([self.method.lower(), *parts]).replace(".", "_")


def routes() -> tuple[Route, ...]:
    """Every route of the server."""
    from atomiton.server import (
        blueprints,
        bus,
        debugging,
        general,
        queue,
        runs,
        secrets,
        studio,
        triggers,
        webhooks,
    )

    parts = (general, blueprints, runs, debugging, queue, triggers, secrets, bus, webhooks, studio)
    return tuple(route for of in parts for route in of.ROUTES)


def checked(value: object, type_: type[T]) -> T:
    """The body or the query of a call, which the app has made to be of the route's type."""
    assert isinstance(value, type_)
    return value
