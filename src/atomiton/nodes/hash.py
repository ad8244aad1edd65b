"""The ``hash`` family: digests."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal, TypedDict

from atomiton.nodes.guard.threads import aside
from atomiton.nodes.spec import node

Algorithm = Literal["sha256", "sha512", "sha384", "sha3-256", "blake2b", "sha1", "md5"]
Encoding = Literal["hex", "base64", "base64url"]


class Digest(TypedDict):
    """A digest as text, and its length in bytes.

    Attributes:
        digest: As text, written as `encoding` says.
        size: Its own length, in bytes.
    """

    digest: str
    size: int


@node(
    "hash.digest",
    effect="pure",
    title="Hash",
    icon="fingerprint",
    plain=True,
    example="""
    atomiton: 1
    id: hash-digest-example
    nodes:
      sum:
        uses: hash.digest
        with:
          data: Hello
    output: ${{ sum.digest }}
    """,
)
async def digest(
    data: str | bytes, algorithm: Algorithm = "sha256", *, encoding: Encoding = "hex"
) -> Digest:
    """A digest: the same for the same data, and for no other that anybody knows.

    `sha1` and `md5` are for checking against old systems: others with the same digest can be made.
    A password or a message from a known sender is not kept safe by a digest; sign it instead.

    Args:
        data: Text, taken as UTF-8, or bytes, such as those of `file.read` with `as: bytes`.
        algorithm: How to compute it.
        encoding: How to write it.
    """
    content = data.encode() if isinstance(data, str) else data
    found = await aside(len(content), _digest, algorithm, content)
    return {"digest": written(found, encoding), "size": len(found)}


def _digest(algorithm: str, content: bytes) -> bytes:
    name = algorithm.replace("-", "_")
    return hashlib.new(name, content, usedforsecurity=False).digest()


def written(digest: bytes, encoding: str) -> str:
    """A digest as text.

    Example:
        >>> written(bytes([251]), "hex"), written(bytes([251]), "base64url")
        ('fb', '-w')
    """
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    if encoding == "base64url":
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return digest.hex()
