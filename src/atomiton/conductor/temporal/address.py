"""Addresses of Temporal servers, and the way there."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import msgspec

from atomiton.conductor.places import SCHEME
from atomiton.errors import AtomitonError, Unavailable
from atomiton.store.open import missing

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import PayloadCodec
    from temporalio.runtime import Runtime

_PORT = 7233
#: Seconds for a connection to come about.
_PATIENCE = 10.0
#: What a server says that has only just been started.
_STARTING = "not healthy yet"


class Place(msgspec.Struct, frozen=True):
    """A namespace of a server, and the task queue of the workers that are meant.

    Attributes:
        target: Host and port.
        namespace: The namespace.
        queue: The task queue.
        tls: Whether the server speaks TLS.
    """

    target: str
    namespace: str = "default"
    queue: str = "atomiton"
    tls: bool = False

    @property
    def address(self) -> str:
        """What names it, for ``parse``."""
        options = "?tls=1&" if self.tls else "?"
        return f"{SCHEME}{self.target}/{self.namespace}{options}queue={self.queue}"

    @property
    def name(self) -> str:
        """What it is called among files of this user."""
        return f"temporal-{hashlib.sha256(self.address.encode()).hexdigest()[:16]}"

    def but(
        self, namespace: str | None = None, queue: str | None = None, *, tls: bool | None = None
    ) -> Place:
        """The same with some of it said otherwise."""
        return Place(
            self.target,
            namespace or self.namespace,
            queue or self.queue,
            self.tls if tls is None else tls,
        )


def parse(address: str) -> Place:
    """Read ``temporal://HOST:PORT/NAMESPACE?queue=NAME&tls=1``; all but the host can be left out.

    Raises:
        AtomitonError: It is no such address.

    Example:
        >>> parse("temporal://127.0.0.1").target
        '127.0.0.1:7233'
        >>> parse("temporal://temporal.example:7233/orders?queue=gpu").queue
        'gpu'
    """
    parts = urlsplit(address)
    try:
        port = parts.port or _PORT
    except ValueError:
        port = 0
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    namespace = parts.path.strip("/")
    known = options.keys() <= {"queue", "tls"} and options.get("tls", "1") in ("0", "1")
    plain = not (parts.fragment or parts.username or parts.password or "/" in namespace)
    if not (parts.hostname and port and plain and known and parts.scheme == "temporal"):
        message = (
            f"{address!r} is no address of a Temporal server; write "
            "temporal://HOST:PORT/NAMESPACE?queue=NAME, and &tls=1 for TLS"
        )
        raise AtomitonError(message, code="INVALID_INPUT")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Place(
        f"{host}:{port}",
        namespace or "default",
        options.get("queue") or "atomiton",
        options.get("tls") == "1",
    )


async def open_client(place: Place, codec: PayloadCodec | None = None, metrics: str = "") -> Client:
    """Connect to a server; an API key is taken from TEMPORAL_API_KEY.

    Args:
        place: Where it is.
        codec: What else is done to payloads; by default what the environment wants.
        metrics: Where numbers are served for Prometheus, as HOST:PORT; empty for nowhere.

    Raises:
        StoreError: The extra is not installed.
        Unavailable: The server cannot be reached, or has no such namespace.
    """
    try:
        from temporalio.client import Client
    except ModuleNotFoundError as error:
        raise missing(error, "Temporal", "temporal") from error
    import asyncio

    from temporalio.service import RPCError

    from atomiton.conductor.temporal.codec import codec_of_environment
    from atomiton.drivers.temporal.values import converter

    codec = codec_of_environment() if codec is None else codec
    try:
        runtime = _measured(metrics) if metrics else None
        async with asyncio.timeout(_PATIENCE):
            while True:
                try:
                    client = await Client.connect(
                        place.target,
                        namespace=place.namespace,
                        data_converter=converter(codec),
                        tls=place.tls,
                        api_key=os.environ.get("TEMPORAL_API_KEY") or None,
                        runtime=runtime,
                    )
                    break
                except RuntimeError as error:
                    if _STARTING not in str(error):
                        raise
                await asyncio.sleep(0.2)
            await check_namespace(client, place)
    except (RuntimeError, TimeoutError) as error:
        why = "it does not answer" if isinstance(error, TimeoutError) else _plainly(str(error))
        message = f"the Temporal server at {place.target} cannot be reached: {why:.300}"
        raise Unavailable(message) from error
    except RPCError as error:
        message = f"the Temporal server at {place.target} refuses: {error.message}"
        raise Unavailable(message) from error
    return client


def _plainly(told: str) -> str:
    """What the system said, out of the words of all through whom it came."""
    said = re.findall(r'(?:message|error): "([^"]+)"', told)
    return said[-1] if said else told


async def check_namespace(client: Client, place: Place) -> None:
    """Ask the server for the namespace; ``RPCError`` if it does not answer, or has none."""
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

    asked = DescribeNamespaceRequest(namespace=place.namespace)
    await client.workflow_service.describe_namespace(asked)


async def search_attributes(client: Client, place: Place) -> bool:
    """Whether runs can be found by blueprint and status: the server is told of these if it may be.

    Without them lists of runs are filtered here.
    """
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.api.operatorservice.v1 import (
        AddSearchAttributesRequest,
        ListSearchAttributesRequest,
    )
    from temporalio.service import RPCError

    from atomiton.drivers.temporal.wire import BY_BLUEPRINT, BY_STATUS

    operator, wanted = client.operator_service, (BY_BLUEPRINT, BY_STATUS)
    try:
        listing = ListSearchAttributesRequest(namespace=place.namespace)
        known = (await operator.list_search_attributes(listing)).custom_attributes
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        if all(known.get(name) == keyword for name in wanted):
            return True
        more = {name: keyword for name in wanted if name not in known}
        adding = AddSearchAttributesRequest(namespace=place.namespace, search_attributes=more)
        await operator.add_search_attributes(adding)
    except RPCError:  # who runs the server does not let us
        return False
    return len(more) == len(wanted) or any(known.get(name) == keyword for name in wanted)


def _measured(where: str) -> Runtime:
    """What counts and measures, and tells Prometheus."""
    from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

    numbers = PrometheusConfig(bind_address=where, durations_as_seconds=True)
    return Runtime(telemetry=TelemetryConfig(metrics=numbers))
