"""Stores in real files."""

import pytest

from atomiton.store.sqlite import SqliteJournal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


@pytest.fixture
async def opened():
    made = []

    async def make(path, **options):
        journal = SqliteJournal(path, **options)
        await journal.open()
        await journal.save_blueprint("h", b"{}")
        made.append(journal)
        return journal

    yield make
    for journal in made:
        await journal.close()
