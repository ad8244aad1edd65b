"""What may be told of secrets."""

from __future__ import annotations

import msgspec


class SecretInfo(msgspec.Struct, frozen=True):
    """A kept secret.

    Attributes:
        name: As blueprints name it.
        updated_at: When it was set, seconds since 1970, UTC.
    """

    name: str
    updated_at: float
