"""What is done to payloads on their way to a server: large ones kept elsewhere, all encrypted.

Conductors and workers of a task queue need the same codec. The server sees references, or bytes
that say nothing; what it must read itself (names of workflows, ids, memos of runs) it still reads.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from atomiton.errors import NotFound, StoreError
from atomiton.store.object_address import object_address
from atomiton.store.open import missing

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_REFERENCE = b"binary/atomiton-reference"
_SEALED = b"binary/atomiton-sealed"
#: Payloads of more bytes than this are kept elsewhere.
LARGE = 64 * 1024
_NONCE = 12
#: Variables that say what is done to payloads: a place for large ones, and a key.
BLOBS, KEY = "ATOMITON_TEMPORAL_BLOBS", "ATOMITON_TEMPORAL_KEY"


class Blobs(Protocol):
    """Where large values are kept, each under the hash of what it is."""

    async def put(self, name: str, data: bytes) -> None:
        """Keep a value; one that is there already is the same."""
        ...

    async def get(self, name: str) -> bytes:
        """Give a value back; ``NotFound``."""
        ...


class FolderBlobs:
    """Large values in a folder, which all processes must see at the same place.

    Args:
        folder: It is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, data: bytes) -> None:
        """Keep a value."""
        await asyncio.to_thread(self._put, name, data)

    def _put(self, name: str, data: bytes) -> None:
        path = self._path(name)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(f".{secrets.token_hex(4)}")
        with made.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)  # whole, or not at all

    async def get(self, name: str) -> bytes:
        """Give a value back."""
        try:
            return await asyncio.to_thread(self._path(name).read_bytes)
        except FileNotFoundError as error:
            raise NotFound(f"there is no value {name} in {self._folder}") from error

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


class ObjectBlobs:
    """Large values in a store of objects.

    Args:
        url: ``s3://BUCKET/PREFIX``, ``gs://`` or ``az://``; ``?endpoint=`` and ``?region=`` may
            follow, credentials come from the environment.
    """

    def __init__(self, url: str) -> None:
        try:
            from obstore.store import from_url
        except ModuleNotFoundError as error:
            raise missing(error, "a store of objects", "cloud") from error
        self._url, options = object_address(url, "s3://bucket/values")
        make = cast("Callable[..., ObjectStore]", from_url)
        with self._explained():
            try:
                self._store = make(self._url, **options)
            except ValueError as error:
                raise StoreError(f"store {self._url}: {error}") from error

    async def put(self, name: str, data: bytes) -> None:
        """Keep a value."""
        import obstore

        with self._explained():
            await obstore.put_async(self._store, name, data)

    async def get(self, name: str) -> bytes:
        """Give a value back."""
        import obstore

        with self._explained():
            try:
                found = await obstore.get_async(self._store, name)
                return bytes(await found.bytes_async())
            except FileNotFoundError as error:
                raise NotFound(f"there is no value {name} in {self._url}") from error

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        """Say which store a failure is of."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            first = str(error).strip().splitlines()[:1]
            raise StoreError(f"store {self._url}: {first[0] if first else error!r}") from error


def open_blobs(address: str) -> Blobs:
    """The place for large values that an address names: a folder, or ``s3://BUCKET/PREFIX``."""
    if "://" in address and not address.startswith("file:"):
        return ObjectBlobs(address)
    path = address.removeprefix("file://").removeprefix("file:")
    if not path:
        raise StoreError("name a folder for large values")
    return FolderBlobs(Path(path).expanduser())


class Sealer:
    """Encrypts payloads: AES-256-GCM, under one key.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise StoreError("the key of payloads has to have 32 bytes")
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ModuleNotFoundError as error:
            raise missing(error, "encryption of payloads", "secrets") from error
        self._cipher = AESGCM(key)

    def seal(self, data: bytes) -> bytes:
        """Encrypt."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data, None)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt; ``StoreError`` if it was sealed with another key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except Exception as error:  # the library has one error for all of it, which says nothing
            raise StoreError("a payload cannot be read: it was sealed with another key") from error


class Codec(PayloadCodec):
    """Keeps large payloads elsewhere, and encrypts, each if it is wanted.

    What is kept elsewhere is encrypted too, if anything is.

    Args:
        blobs: Where large payloads are kept; None for on the server.
        sealer: What encrypts; None for nothing.
        large: Payloads of more bytes than this are large.
    """

    def __init__(
        self, blobs: Blobs | None = None, sealer: Sealer | None = None, large: int = LARGE
    ) -> None:
        self._blobs = blobs
        self._sealer = sealer
        self._large = large

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Do to payloads what is wanted, on the way to the server."""
        return list(await asyncio.gather(*map(self._encode, payloads)))

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Undo it, on the way back."""
        return list(await asyncio.gather(*map(self._decode, payloads)))

    async def _encode(self, payload: Payload) -> Payload:
        if self._sealer is not None:
            sealed = self._sealer.seal(payload.SerializeToString())
            payload = Payload(metadata={"encoding": _SEALED}, data=sealed)
        if self._blobs is not None and len(payload.data) > self._large:
            data = payload.SerializeToString(deterministic=True)
            name = hashlib.sha256(data).hexdigest()
            await self._blobs.put(name, data)
            payload = Payload(metadata={"encoding": _REFERENCE}, data=name.encode())
        return payload

    async def _decode(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") == _REFERENCE:
            name = payload.data.decode()
            if self._blobs is None:
                raise StoreError(f"a large value is kept elsewhere: set {BLOBS} to where")
            data = await self._blobs.get(name)
            if hashlib.sha256(data).hexdigest() != name:
                raise StoreError(f"the large value {name} is damaged")
            payload = Payload.FromString(data)
        if payload.metadata.get("encoding") == _SEALED:
            if self._sealer is None:
                raise StoreError(f"a payload is encrypted: set {KEY}")
            payload = Payload.FromString(self._sealer.open(payload.data))
        return payload


def codec_of_environment() -> Codec | None:
    """What the environment wants done to payloads; None if nothing.

    ATOMITON_TEMPORAL_BLOBS names a place for large ones, ATOMITON_TEMPORAL_KEY is a key (Base64 of
    32 bytes) to encrypt all with.
    """
    place, key = os.environ.get(BLOBS), os.environ.get(KEY)
    if not place and not key:
        return None
    sealer = None
    if key:
        try:
            sealer = Sealer(base64.b64decode(key, validate=True))
        except (binascii.Error, ValueError) as error:
            raise StoreError(f"{KEY} is not Base64") from error
    return Codec(open_blobs(place) if place else None, sealer)
