"""The table of the contract: what is held where, printed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.places import PLACES, Place, place

from atomiton.conductor.api import ConductorApi

_HELD: dict[tuple[str, str, str], str] = {}


#: The last takes as long as all others.
_WHERE = [*PLACES[:-1], pytest.param(PLACES[-1], marks=pytest.mark.campaign)]


@pytest.fixture(params=_WHERE, ids="-".join)
async def where(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    way, store = request.param
    servers = {
        "postgres": "postgres_url",
        "server": "temporal_address",
        "temporal": "temporal_address",
    }
    address = request.getfixturevalue(servers[store]) if store in servers else ""
    async with place(way, store, tmp_path, address) as opened:
        yield opened


@pytest.fixture
async def conductor(where: Place) -> AsyncIterator[ConductorApi]:
    async with where.again() as conductor:
        yield conductor


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and "[" in report.nodeid and "tests/contract" in report.nodeid:
        name, _, ids = report.nodeid.rpartition("::")[2].partition("[")
        for way, store in PLACES:
            if ids.startswith(f"{way}-{store}"):
                _HELD[name, way, store] = "yes" if report.passed else "NO"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    names = list(dict.fromkeys(name for name, _, _ in _HELD))
    if not names:
        return
    terminalreporter.section("the contract")
    terminalreporter.line(" " * 62 + "  ".join(f"{way[:10]:10}" for way, _ in PLACES))
    terminalreporter.line(" " * 62 + "  ".join(f"{store:10}" for _, store in PLACES))
    for name in names:
        shown = name.removeprefix("test_").replace("_", " ")
        cells = "  ".join(f"{_HELD.get((name, *column), '-'):10}" for column in PLACES)
        terminalreporter.line(f"{shown[:60]:62}{cells}")
