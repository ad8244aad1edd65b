"""Secrets that are kept in the store, sealed."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import os
import re
from functools import cached_property, partial
from typing import TYPE_CHECKING

from atomiton.conductor.triggers import Triggers
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError, NotFound, StoreError
from atomiton.store.ledger import secrets as ledger

if TYPE_CHECKING:
    from atomiton.conductor.sealing import Sealing
    from atomiton.ports.secrets import SecretInfo

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
#: Most bytes of a secret.
_MOST = 64 * 1024
#: Seconds after which a secret that another process has set is known here.
_FRESH = 2.0


class Secrets(Triggers):
    """What a conductor does with secrets: values given to it, of the environment, and kept ones."""

    async def _begin_beside(self) -> None:
        await super()._begin_beside()
        self._kept_secrets: dict[str, str] = {}
        if self._secrets is not None or self.in_memory:
            return
        if self._sealing.ready:
            await self._read_secrets()
        if self._resume:
            self._spawn(self._keep_fresh())

    @cached_property
    def _sealing(self) -> Sealing:
        # Runs in memory need none of it.
        from atomiton.conductor.places import store_path, tokens_folder
        from atomiton.conductor.sealing import Sealing

        return Sealing(tokens_folder(store_path(self.journal.address)) / "secrets.key")

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(_FRESH)
            if self._sealing.ready:
                with contextlib.suppress(StoreError):  # who needs one is told
                    await self._read_secrets()

    async def _read_secrets(self) -> None:
        found: dict[str, str] = {}
        for name, (sealed, _) in (await self._beside.do(ledger.every)).items():
            with contextlib.suppress(StoreError):  # of another key: as if it were not there
                found[name] = self._sealing.open(name, sealed)
        self._kept_secrets = found

    def secret(self, name: str) -> str | None:
        """The value of a secret; None if there is none. The environment wins over what is kept."""
        if self._secrets is not None:
            return self._secrets.get(name)
        return os.environ.get(f"ATOMITON_SECRET_{name}", self._kept_secrets.get(name))

    def _secrets_of(self, program: Program) -> dict[str, str]:
        names = program.plan.secrets
        if not names:
            return {}
        values = ((name, self.secret(name)) for name in names)
        return {name: value for name, value in values if value is not None}

    async def set_secret(self, name: str, value: str) -> None:
        """Keep a secret, sealed; runs that begin from now on see it.

        Raises:
            AtomitonError: The name is none, or the value is too long.
            StoreError: It cannot be sealed.
        """
        if not _NAME.fullmatch(name):
            message = f"a secret is named by letters, digits and _, not {name!r}"
            raise AtomitonError(message, code="INVALID_INPUT")
        if not value or len(value.encode("utf-8", "replace")) > _MOST:
            raise AtomitonError("a secret has 1 to 65,536 bytes", code="INVALID_INPUT")
        sealed = await asyncio.to_thread(self._sealing.seal, name, value)
        await self._beside.do(partial(ledger.put, name, sealed, self._now()))
        self._kept_secrets[name] = value

    async def secrets(self) -> builtins.list[SecretInfo]:
        """The names of the kept secrets; never what they are."""
        from atomiton.ports.secrets import SecretInfo

        found = await self._beside.do(ledger.every)
        return [SecretInfo(name, at) for name, (_, at) in found.items()]

    async def delete_secret(self, name: str) -> None:
        """Keep a secret no more; ``NotFound`` if there is none."""
        if not await self._beside.do(partial(ledger.delete, name)):
            raise NotFound(f"there is no secret {name!r}")
        self._kept_secrets.pop(name, None)
