"""Time, randomness and secrets of this machine."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from atomiton.errors import NodeError, NotAllowed


class SystemClock:
    """``Clock`` of this machine.

    Args:
        now: What the time is asked of; seconds since 1970, UTC.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return self._now()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class SystemRandom:
    """``Random`` of this machine."""

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        return random.random()  # noqa: S311 - for secrets there is ``token``

    def token(self, size: int) -> bytes:
        """Random bytes fit for secrets."""
        return os.urandom(size)


class SecretsGuard:
    """``Secrets``: the declared names only.

    Args:
        values: Secrets by name, such as the variables of the environment.
        declared: Names that the blueprint declares.
        prefix: What names in ``values`` begin with, and blueprints leave out.
    """

    def __init__(
        self, values: Mapping[str, str], declared: AbstractSet[str], prefix: str = ""
    ) -> None:
        self._values = values
        self._declared = declared
        self._prefix = prefix

    def get(self, name: str) -> str:
        """The value; ``NotAllowed`` unless the blueprint declares the name."""
        if name not in self._declared:
            raise NotAllowed(f"the blueprint does not declare the secret {name!r}")
        value = self._values.get(self._prefix + name)
        if value is None:
            raise NodeError(
                f"the secret {name!r} is not set: keep a value with 'atomiton secrets set {name}', "
                f"or set ATOMITON_SECRET_{name}",
                code="NOT_FOUND",
            )
        return value

    def __repr__(self) -> str:
        """Show the names only."""
        return f"SecretsGuard({sorted(self._declared)})"
