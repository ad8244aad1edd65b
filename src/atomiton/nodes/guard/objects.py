"""Stores of objects, such as S3, by obstore: only with what a node is given, never with ours."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes.guard.reach import Reach
from atomiton.nodes.guard.threads import in_thread
from atomiton.ports.capabilities import Bucket, ObjectEntry

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Config, S3Store

T = TypeVar("T")

#: Largest object that is read as one value.
LARGEST = 256 * 1024 * 1024


class ObjectsGuard:
    """``Objects`` of S3 and of services that speak as it does.

    Args:
        reach: Which addresses services may have; None for all.
    """

    def __init__(self, reach: Reach | None = None) -> None:
        self._reach = reach

    async def get(self, bucket: Bucket, key: str) -> bytes:
        """The content of an object; ``NodeError`` with code NOT_FOUND when there is none."""

        def work(store: S3Store) -> bytes:
            import obstore

            found = obstore.get(store, key)
            if found.meta["size"] > LARGEST:
                message = f"{key!r} has more than {LARGEST} bytes"
                raise NodeError(message, code="LIMIT_EXCEEDED")
            return bytes(found.bytes())

        return await self._ask(bucket, key, work)

    async def put(self, bucket: Bucket, key: str, content: bytes, *, overwrite: bool) -> str:
        """Put an object in its place, whole; gives its tag."""

        def work(store: S3Store) -> str:
            import obstore

            mode: Any = "overwrite" if overwrite else "create"
            done = obstore.put(store, key, content, mode=mode)
            return (done["e_tag"] or "").strip('"')

        return await self._ask(bucket, key, work)

    async def entries(self, bucket: Bucket, prefix: str, most: int) -> list[ObjectEntry]:
        """The objects below a prefix, sorted by key; at most so many, and one more if there is."""

        def work(store: S3Store) -> list[ObjectEntry]:
            import obstore

            ask = cast(
                "Callable[..., Iterable[Sequence[ObjectMeta]]]",
                obstore.list,  # pyright: ignore[reportUnknownMemberType]
            )
            found: list[ObjectEntry] = []
            for chunk in ask(store, prefix or None):
                found += [_entry(one) for one in chunk]
                if len(found) > most:
                    break
            return sorted(found, key=lambda entry: entry["key"])[: most + 1]

        return await self._ask(bucket, prefix, work)

    async def _ask(self, bucket: Bucket, key: str, work: Callable[[S3Store], T]) -> T:
        def ask() -> T:
            _check(bucket, self._reach)
            return _explained(bucket, key, lambda: work(_store(bucket)))

        return await in_thread(ask)


def _entry(one: ObjectMeta) -> ObjectEntry:
    modified = one["last_modified"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"key": one["path"], "size": one["size"], "modified": modified}


def _check(bucket: Bucket, reach: Reach | None) -> None:
    """Refuse an endpoint that is none, or that may not be reached."""
    if bucket.endpoint is None:
        return
    try:
        parts = urlsplit(bucket.endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query:
        message = f"{bucket.endpoint!r} is not the address of a service, such as https://HOST"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "endpoint"})
    if reach is None:
        return
    try:
        places = socket.getaddrinfo(host, port or 443, 0, socket.SOCK_STREAM)
    except OSError as error:
        raise NodeError(f"{bucket.endpoint}: {error}", code="CONNECTION") from None
    if any(reach.refuses(str(place[4][0])) for place in places):
        message = f"{bucket.endpoint}: the owner of this machine lets no request go there"
        raise NotAllowed(message)


def _store(bucket: Bucket) -> S3Store:
    try:
        from obstore.store import S3Store
    except ModuleNotFoundError:
        raise NodeError(
            "stores of objects need obstore: pip install 'atomiton[cloud]'", code="NOT_SUPPORTED"
        ) from None
    plain = bucket.endpoint is not None and bucket.endpoint.startswith("http://")
    settings: S3Config = {
        "region": bucket.region,
        # Without keys the store is asked as everybody may: the machine's own keys are not a
        # blueprint's to use, and nobody asks the machine's metadata for any.
        "skip_signature": not bucket.access_key,
        # Part of the address, so that no service is asked where a bucket lives.
        "virtual_hosted_style_request": False,
    }
    if bucket.access_key:
        settings["access_key_id"] = bucket.access_key
        settings["secret_access_key"] = bucket.secret_key or ""
    if bucket.endpoint is not None:
        settings["endpoint"] = bucket.endpoint
    options: Any = {"allow_http": plain, "timeout": "60s", "connect_timeout": "30s"}
    retry: Any = {"max_retries": 1}  # trying again is the business of the engine
    return S3Store(bucket.name, config=settings, client_options=options, retry_config=retry)


def _explained(bucket: Bucket, key: str, work: Callable[[], T]) -> T:
    """Say as the error of a node why a service did not do what was asked."""
    try:
        return work()
    except FileNotFoundError:
        message = f"there is no object {key!r} in the bucket {bucket.name!r}, or no such bucket"
        raise NodeError(message, code="NOT_FOUND") from None
    except NodeError:
        raise
    except Exception as error:  # the library's errors descend from this alone, by many classes
        raise _failure(bucket, key, error) from None


def _failure(bucket: Bucket, key: str, error: Exception) -> NodeError:
    kind = type(error).__name__
    first = " ".join((str(error).strip().splitlines() or [kind])[0].split())[:500]
    place = f"{key!r} in the bucket {bucket.name!r}"
    if kind == "AlreadyExistsError":
        return NodeError(f"{place} exists already", code="INVALID_INPUT")
    if kind in ("PermissionDeniedError", "UnauthenticatedError") or "403 Forbidden" in str(error):
        return NodeError(f"{place}: the service refused the keys", code="AUTHENTICATION")
    if kind in ("ValueError", "TypeError", "UnknownConfigurationKeyError", "InvalidPathError"):
        return NodeError(f"{place}: {first}", code="INVALID_INPUT")
    return NodeError(f"{place}: {first}", code="CONNECTION")
