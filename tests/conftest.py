"""Servers that tests share; each is started when the first test asks for it."""

import secrets

import pytest


@pytest.fixture(scope="session")
def postgres():
    """A Postgres server that stays up."""
    from tests.postgres import Postgres

    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres):
    """Address of an empty store of its own."""
    return f"{postgres.url}?schema=t_{secrets.token_hex(6)}"
