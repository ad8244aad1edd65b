"""DBOS on a Postgres of its own whose commits are synced; all else as on SQLite."""

from __future__ import annotations

from common import main
from dbos_peer import Dbos
from on_postgres import OnPostgres


class DbosOnPostgres(OnPostgres, Dbos):
    name = "DBOS, Postgres"

    def database(self) -> str:
        return self.server.url


if __name__ == "__main__":
    main(DbosOnPostgres)
