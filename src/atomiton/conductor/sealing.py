"""Secrets at rest: AES-256-GCM, under a key that is kept apart from the store."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path
from typing import Protocol

from atomiton.errors import StoreError

_NONCE = 12
#: The variable that holds the key, Base64 of 32 bytes, where no file is to.
VARIABLE = "ATOMITON_SECRETS_KEY"


class _Cipher(Protocol):
    """What is used of the library, which is imported only where it is needed."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...


class Sealing:
    """Seals and opens.

    Args:
        file: Holds the key; it is made, for its user alone, when the first secret is set.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def ready(self) -> bool:
        """Whether there is a key, so that there may be secrets."""
        return bool(os.environ.get(VARIABLE)) or self._file.exists()

    def seal(self, name: str, value: str) -> bytes:
        """Seal a value; it can be opened under the same name only."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = _cipher(self._key(make=True)).encrypt(nonce, value.encode(), name.encode())
        return nonce + sealed

    def open(self, name: str, sealed: bytes) -> str:
        """Open what was sealed under a name.

        Raises:
            StoreError: It was sealed under another key or name, or was changed.
        """
        cipher = _cipher(self._key(make=False))
        try:
            value = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except Exception as error:  # the library has one error for all of it, which says nothing
            message = f"the secret {name} cannot be opened: it was sealed with another key"
            raise StoreError(f"{message}; set it anew") from error
        return value.decode()

    def _key(self, *, make: bool) -> bytes:
        given = os.environ.get(VARIABLE)
        if given:
            try:
                key = base64.b64decode(given, validate=True)
            except (binascii.Error, ValueError) as error:
                raise StoreError(f"{VARIABLE} is not Base64") from error
        elif self._file.exists():
            if self._file.stat().st_mode & 0o077:
                raise StoreError(f"{self._file} can be read by others: chmod 600 {self._file}")
            key = self._file.read_bytes()
        elif make:
            key = self._make()
        else:
            raise StoreError(f"there is no key at {self._file}, nor in {VARIABLE}")
        if len(key) != 32:
            raise StoreError("the key of the secrets has to have 32 bytes")
        return key

    def _make(self) -> bytes:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = self._file.with_suffix(f".{secrets.token_hex(4)}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(made, self._file)  # whoever is first has made it
        except FileExistsError:
            pass
        finally:
            made.unlink()
        return self._file.read_bytes()


def _cipher(key: bytes) -> _Cipher:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ModuleNotFoundError as error:
        message = "secrets are sealed with a library that is not installed: atomiton[secrets]"
        raise StoreError(message) from error
    return AESGCM(key)
