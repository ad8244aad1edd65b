"""The ``s3`` family: objects of S3 and of services that speak as it does."""

from __future__ import annotations

import re
from typing import TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.file import encode
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Bucket, Files, ObjectEntry, Objects, injected

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")


class Got(TypedDict):
    """An object that was read: its bytes, or where they are when they went into a file.

    Attributes:
        content: Its bytes; null when they went into a file.
        path: The file they went into; null without one.
        size: How many bytes.
    """

    content: bytes | None
    path: str | None
    size: int


class Put(TypedDict):
    """An object that was written; `etag` is the service's mark of its content.

    Attributes:
        key: The object.
        size: How many bytes.
        etag: The service's mark of its content.
    """

    key: str
    size: int
    etag: str


class Listing(TypedDict):
    """Objects, sorted by key; `more` says that there are others.

    Attributes:
        objects: Sorted by key.
        count: How many.
        more: Whether there are others.
    """

    objects: list[ObjectEntry]
    count: int
    more: bool


@node(
    "s3.get",
    title="Get object",
    icon="cloud-download",
    plain=True,
    example="""
    atomiton: 1
    id: s3-get-example
    inputs:
      endpoint: {type: string, default: "http://127.0.0.1:9001"}
    secrets: [S3_SECRET_KEY]
    nodes:
      save:
        uses: s3.put
        with:
          bucket: reports
          key: may.csv
          content: "id,total"
          endpoint: ${{ inputs.endpoint }}
          access_key: key
          secret_key: ${{ secrets.S3_SECRET_KEY }}
      load:
        uses: s3.get
        needs: [save]
        with:
          bucket: reports
          key: ${{ save.key }}
          endpoint: ${{ inputs.endpoint }}
          access_key: key
          secret_key: ${{ secrets.S3_SECRET_KEY }}
    output: ${{ string(load.content) }}
    """,
)
async def get(
    bucket: str,
    key: str,
    *,
    path: str | None = None,
    region: str = "us-east-1",
    endpoint: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    objects: Objects = injected,
    files: Files = injected,
) -> Got:
    """Read an object of up to 256 MiB, as bytes or into a file. Needs `atomiton[cloud]`.

    Without keys the service is asked as everybody may: the keys of the machine are never used.

    Args:
        bucket: The bucket.
        key: The object, such as `reports/may.csv`.
        path: A file to write it to; without one the content is bytes.
        region: Where the bucket is.
        endpoint: Address of a service other than Amazon's; keys stand in its path.
        access_key: Name of the key.
        secret_key: The key; give it as `${{ secrets.NAME }}`.
        objects: The door to stores of objects.
        files: The door to files.
    """
    place = _bucket(bucket, region, endpoint, access_key, secret_key)
    content = await objects.get(place, _key(key))
    if path is None:
        return {"content": content, "path": None, "size": len(content)}
    await files.write(path, content, append=False, overwrite=True, create_folders=True)
    return {"content": None, "path": str(files.resolve(path)), "size": len(content)}


@node(
    "s3.put",
    title="Put object",
    icon="cloud-upload",
    plain=True,
    example="""
    atomiton: 1
    id: s3-put-example
    inputs:
      endpoint: {type: string, default: "http://127.0.0.1:9001"}
    secrets: [S3_SECRET_KEY]
    nodes:
      save:
        uses: s3.put
        with:
          bucket: reports
          key: 2026/may.json
          content: {total: 120}
          endpoint: ${{ inputs.endpoint }}
          access_key: key
          secret_key: ${{ secrets.S3_SECRET_KEY }}
    output: ${{ save.size }}
    """,
)
async def put(
    bucket: str,
    key: str,
    content: object = None,
    *,
    path: str | None = None,
    overwrite: bool = True,
    region: str = "us-east-1",
    endpoint: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    objects: Objects = injected,
    files: Files = injected,
) -> Put:
    """Write an object; it is there whole or not at all. Needs `atomiton[cloud]`.

    Text is written as UTF-8, bytes as they are, anything else as JSON. Written again, it is the
    same object, so the node may be repeated.

    Args:
        bucket: The bucket, which must be there.
        key: The object, such as `reports/may.csv`.
        content: What to write.
        path: A file to write instead.
        overwrite: Replace an object that exists; otherwise that is an error.
        region: Where the bucket is.
        endpoint: Address of a service other than Amazon's; keys stand in its path.
        access_key: Name of the key.
        secret_key: The key; give it as `${{ secrets.NAME }}`.
        objects: The door to stores of objects.
        files: The door to files.
    """
    if (content is None) is (path is None):
        raise NodeError("give one of content and path", code="INVALID_INPUT")
    place = _bucket(bucket, region, endpoint, access_key, secret_key)
    name = _key(key)
    data = encode(content) if path is None else await files.read(path)
    etag = await objects.put(place, name, data, overwrite=overwrite)
    return {"key": name, "size": len(data), "etag": etag}


@node(
    "s3.list",
    title="List objects",
    icon="cloud",
    plain=True,
    example="""
    atomiton: 1
    id: s3-list-example
    inputs:
      endpoint: {type: string, default: "http://127.0.0.1:9001"}
    secrets: [S3_SECRET_KEY]
    nodes:
      found:
        uses: s3.list
        with:
          bucket: reports
          prefix: "2026"
          endpoint: ${{ inputs.endpoint }}
          access_key: key
          secret_key: ${{ secrets.S3_SECRET_KEY }}
    output: ${{ found.objects }}
    """,
)
async def list_(
    bucket: str,
    prefix: str = "",
    *,
    limit: int = 1000,
    region: str = "us-east-1",
    endpoint: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    objects: Objects = injected,
) -> Listing:
    """The objects of a bucket, or of a folder in it. Needs `atomiton[cloud]`.

    Args:
        bucket: The bucket.
        prefix: The folder, such as `reports/2026`; whole names between slashes.
        limit: Most objects, up to 100,000; `more` says whether there are others.
        region: Where the bucket is.
        endpoint: Address of a service other than Amazon's; keys stand in its path.
        access_key: Name of the key.
        secret_key: The key; give it as `${{ secrets.NAME }}`.
        objects: The door to stores of objects.
    """
    if not 1 <= limit <= 100_000:
        raise NodeError("limit must be from 1 to 100000", code="INVALID_INPUT")
    place = _bucket(bucket, region, endpoint, access_key, secret_key)
    found = await objects.entries(place, prefix.strip("/"), limit)
    shown = found[:limit]
    return {"objects": shown, "count": len(shown), "more": len(found) > limit}


def _bucket(
    name: str, region: str, endpoint: str | None, access_key: str | None, secret_key: str | None
) -> Bucket:
    if not _BUCKET.fullmatch(name):
        message = f"{name[:100]!r} is not the name of a bucket"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "bucket"})
    if bool(access_key) is not bool(secret_key):
        raise NodeError("give both access_key and secret_key, or neither", code="INVALID_INPUT")
    return Bucket(name, region, endpoint, access_key or None, secret_key or None)


def _key(key: str) -> str:
    parts = key.split("/")
    if not key or len(key.encode()) > 1024 or any(part in ("", ".", "..") for part in parts):
        message = f"{key[:100]!r} is not the key of an object, such as reports/may.csv"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "key"})
    return key
