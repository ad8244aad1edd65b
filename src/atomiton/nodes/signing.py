"""Signatures of messages, as Standard Webhooks has them: for who sends and for who checks."""

from __future__ import annotations

import base64
import binascii
import hmac


def webhook_key(secret: str) -> bytes:
    """The key that a secret stands for.

    Args:
        secret: ``whsec_`` and Base64, or any text.

    Raises:
        ValueError: What stands after ``whsec_`` is not Base64, or nothing.

    Example:
        >>> webhook_key("whsec_a2V5"), webhook_key("key")
        (b'key', b'key')
    """
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is not Base64 after whsec_") from error


def webhook_signature(key: bytes, id_: str, stamp: str, body: bytes) -> str:
    """The signature of a message, in Base64, as it stands after ``v1,``.

    Args:
        key: What ``webhook_key`` gave.
        id_: Id of the message.
        stamp: When it is sent, in seconds since 1970, UTC.
        body: To the byte.
    """
    signed = f"{id_}.{stamp}.".encode("latin-1", "replace") + body
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
