"""The ``crypto`` family: signatures with a shared secret."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Literal, TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.guard.threads import aside
from atomiton.nodes.hash import Encoding, written
from atomiton.nodes.spec import node


class Signed(TypedDict):
    """A signature as text."""

    signature: str


@node(
    "crypto.sign",
    effect="pure",
    title="Sign",
    icon="key",
    plain=True,
    example="""
    atomiton: 1
    id: crypto-sign-example
    secrets: [SIGNING_KEY]
    nodes:
      signed:
        uses: crypto.sign
        with:
          data: '{"id": 7}'
          key: ${{ secrets.SIGNING_KEY }}
    output: ${{ signed.signature }}
    """,
)
async def sign(
    data: str | bytes,
    key: str,
    algorithm: Literal["sha256", "sha512", "sha384", "sha1"] = "sha256",
    *,
    key_encoding: Literal["text", "base64", "hex"] = "text",
    encoding: Encoding = "hex",
) -> Signed:
    """Sign data with HMAC: who knows the same key can check that it is yours and unchanged.

    Give the key as `${{ secrets.NAME }}`: then it is never stored, logged or shown.

    Args:
        data: Text, taken as UTF-8, or bytes.
        key: The shared secret.
        algorithm: The digest that HMAC is computed with; `sha1` for old systems only.
        key_encoding: How the key is written.
        encoding: How to write the signature.
    """
    content = data.encode() if isinstance(data, str) else data
    secret = _key(key, key_encoding)
    found = await aside(len(content), hmac.digest, secret, content, algorithm)
    return {"signature": written(found, encoding)}


def _key(key: str, encoding: str) -> bytes:
    try:
        if encoding == "base64":
            found = base64.b64decode(key, validate=True)
        elif encoding == "hex":
            found = bytes.fromhex(key)
        else:
            found = key.encode()
    except (binascii.Error, ValueError):
        # The key itself stands in no message.
        raise NodeError(
            f"the key is not {encoding}; see key_encoding",
            code="INVALID_INPUT",
            details={"parameter": "key"},
        ) from None
    if not found:
        raise NodeError("the key is empty", code="INVALID_INPUT", details={"parameter": "key"})
    return found
