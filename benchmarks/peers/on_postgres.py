"""A Postgres server for an engine that keeps what it keeps there."""

from __future__ import annotations

import sys
from pathlib import Path

from common import Peer

sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.postgres import Postgres


class OnPostgres(Peer):
    """Has a server from the beginning to the end; ``fsync`` is on, as it is by default."""

    async def open(self) -> None:
        self.server = Postgres(fsync=True)
        self.server.start()
        await super().open()

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            self.server.remove()
