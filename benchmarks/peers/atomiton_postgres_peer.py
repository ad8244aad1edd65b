"""Atomiton on a Postgres of its own whose commits are synced; all else as on SQLite."""

from __future__ import annotations

from atomiton_peer import Atomiton
from common import main
from on_postgres import OnPostgres


class AtomitonOnPostgres(OnPostgres, Atomiton):
    name = "Atomiton, Postgres"

    def store(self, *, durable: bool) -> str:
        return self.server.url


if __name__ == "__main__":
    main(AtomitonOnPostgres)
