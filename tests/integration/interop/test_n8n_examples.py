"""n8n workflows of others run as a whole: real Postgres, real Node.js, real HTTP.

What each must do is worked out from the workflow itself, as n8n runs it: its statements, its code
and its requests. Hosts are played by a server here.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.integration.interop.examples import complete, imported
from tests.integration.interop.world import Reply, World

from atomiton import Conductor
from atomiton.conductor.result import RunResult

TABLES = """
CREATE SCHEMA cold_outreach;
SET search_path TO cold_outreach;
CREATE TABLE outreach_config (
  id int PRIMARY KEY, campaign text, min_score int, max_new_per_day int
);
CREATE TABLE suppression (email text);
CREATE TABLE outreach_state (
  lead_id int PRIMARY KEY, campaign text, status text, sequence_step int,
  next_send_at timestamptz, enrolled_at timestamptz
);
CREATE TABLE gms_leads_enriched (
  id int PRIMARY KEY, email text, email_status text, phone text, firm_name text,
  firm_short_name text, first_name text, title text, canonical_domain text, icp_score int,
  apollo_person_id text, apollo_person_payload jsonb, icp_reasons jsonb DEFAULT '{}'
);
CREATE TABLE gms_runs (
  id serial PRIMARY KEY, vertical text, search_terms text[], location_query text,
  max_per_search int, status text, apify_run_id text, apify_dataset_id text,
  error_message text, completed_at timestamptz
);
"""
HOSTS = ("https://listmonk.example.com", "https://api.apollo.io", "https://api.apify.com")

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not here")


class Tables:
    """The database of the workflows."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, statement: str) -> list[Any]:
        """Run statements, and give the rows of one that asks."""
        connection = await asyncpg.connect(self.url)
        try:
            if statement.startswith("SELECT"):
                return [tuple(row) for row in await connection.fetch(statement)]
            await connection.execute(statement)
            return []
        finally:
            await connection.close()


@pytest.fixture
async def tables(postgres: Any) -> AsyncIterator[Tables]:
    made = Tables(postgres.url)
    await made.run("DROP SCHEMA IF EXISTS cold_outreach CASCADE")
    await made.run(TABLES)
    yield made
    await made.run("DROP SCHEMA cold_outreach CASCADE")


async def run(name: str, tables: Tables, world: World, folder: Path, **inputs: object) -> RunResult:
    made = imported(f"n8n/{name}.json")
    assert made.report.complete
    text = made.text
    for host in HOSTS:
        text = text.replace(host, world.url)
    file = folder / "imported.yaml"
    file.write_text(text, encoding="utf-8")
    async with Conductor("memory:", secrets={"DATABASE_URL": tables.url}) as conductor:
        result = await conductor.run(str(file), inputs)
    assert result.status == "completed", result.error
    return result


async def test_n8n_leads_are_enrolled(tables: Tables, tmp_path: Path) -> None:
    await tables.run("INSERT INTO cold_outreach.outreach_config VALUES (1, 'spring', 70, NULL)")
    await tables.run("INSERT INTO cold_outreach.suppression VALUES ('NO@b.example')")
    await tables.run(
        "INSERT INTO cold_outreach.gms_leads_enriched "
        "(id, email, email_status, firm_name, first_name, canonical_domain, icp_score) VALUES "
        "(1, 'ada@a.example', 'verified', 'A & Co', 'Ada', 'a.example', 90), "
        "(2, 'no@b.example', 'verified', 'B', 'Bob', 'b.example', 95), "  # suppressed
        "(3, 'c@c.example', 'guessed', 'C', NULL, 'c.example', 99), "  # not verified
        "(4, 'd@d.example', 'verified', 'D', NULL, 'd.example', 69)"  # the table says 70, not 60
    )
    with World({"POST /api/subscribers": Reply({"data": {"id": 5}})}) as world:
        await run("leads-4a-outbound-enroller", tables, world, tmp_path)
        # A second run finds nobody: who is enrolled is not enrolled again.
        await run("leads-4a-outbound-enroller", tables, world, tmp_path)
    assert [one.json for one in world.asked] == [
        {
            "email": "ada@a.example",
            "name": "Ada",
            "status": "enabled",
            "lists": [1],
            "preconfirm_subscriptions": True,
            "attribs": {
                "firm_name": "A & Co",
                "firm_short_name": "",
                "first_name": "Ada",
                "title": "",
                "domain": "a.example",
            },
        }
    ]
    rows = await tables.run(
        "SELECT lead_id, campaign, status, sequence_step FROM cold_outreach.outreach_state"
    )
    assert rows == [(1, "spring", "in_sequence", 0)]


async def test_n8n_without_a_row_the_config_of_the_workflow_counts(
    tables: Tables, tmp_path: Path
) -> None:
    await tables.run(
        "INSERT INTO cold_outreach.gms_leads_enriched "
        "(id, email, email_status, firm_name, icp_score) "
        "VALUES (4, 'd@d.example', 'verified', 'D', 60)"
    )
    with World({"POST /api/subscribers": Reply({"data": {"id": 5}})}) as world:
        await run("leads-4a-outbound-enroller", tables, world, tmp_path)
    assert [mapped["name"] for mapped in (one.json for one in world.asked)] == ["D"]  # type: ignore[index]
    assert await tables.run("SELECT lead_id, campaign FROM cold_outreach.outreach_state") == [
        (4, "default")
    ]


async def test_n8n_a_scrape_is_started(tables: Tables, tmp_path: Path) -> None:
    form = {
        "vertical": " Legal ",
        "searchStringsArray": "Estate Planning, , Elder Law",
        "locationQuery": "Poughkeepsie, NY",
        "maxCrawledPlacesPerSearch": 50,
    }
    answer = {"data": {"id": "run-1", "defaultDatasetId": "set-1"}}
    path = "POST /v2/acts/compass~crawler-google-places/runs"
    with World({path: Reply(answer)}) as world:
        await run("leads-1-gms-scrape-start", tables, world, tmp_path, **form)
    assert world.lines == [path]
    asked = world.asked[0].json
    assert isinstance(asked, dict)
    assert asked["searchStringsArray"] == ["Estate Planning", "Elder Law"]
    assert (asked["locationQuery"], asked["maxCrawledPlacesPerSearch"]) == ("Poughkeepsie, NY", 50)
    (hook,) = json.loads(base64.b64decode(world.asked[0].query["webhooks"]))
    assert hook["requestUrl"] == "https://your-n8n.example.com/webhook/maps-lead-enrich-inbound"
    assert hook["payloadTemplate"].startswith('{"run_pk": 1, "vertical": "legal", ')
    rows = await tables.run(
        "SELECT vertical, search_terms, max_per_search, status, apify_run_id, apify_dataset_id "
        "FROM cold_outreach.gms_runs"
    )
    assert rows == [("legal", ["Estate Planning", "Elder Law"], 50, "running", "run-1", "set-1")]


@pytest.mark.parametrize(
    ("body", "answer", "email"),
    [
        ({"token": "wrong", "lead_id": 1}, {"ok": False, "error": "unauthorized"}, None),
        (
            {"token": "change-me", "lead_id": 2},  # verified already
            {
                "ok": False,
                "reason": "lead not found, already revealed, or no Apollo contact",
            },
            None,
        ),
        (
            {"token": "change-me", "lead_id": 99},  # not there: 'Always Output Data' goes on
            {
                "ok": False,
                "reason": "lead not found, already revealed, or no Apollo contact",
            },
            None,
        ),
        (
            {"token": "change-me", "lead_id": 1},
            {"ok": True, "lead_id": 1, "email": "ada@a.example", "email_status": "verified"},
            "ada@a.example",
        ),
    ],
)
async def test_n8n_an_address_is_revealed(
    body: object, answer: object, email: str | None, tables: Tables, tmp_path: Path
) -> None:
    await tables.run(
        "INSERT INTO cold_outreach.gms_leads_enriched (id, apollo_person_id, email_status) "
        "VALUES (1, 'p1', 'guessed'), (2, 'p2', 'verified')"
    )
    person = {"email": "ada@a.example", "email_status": "verified"}
    with World({"POST /v1/people/match": Reply({"person": person})}) as world:
        result = await run("leads-3-manual-reveal", tables, world, tmp_path, body=body)
    assert isinstance(result.output, dict)
    given = [item for items in result.output.values() for item in items or []]
    assert given == [answer]
    wanted = {"id": "p1", "reveal_personal_emails": True, "reveal_phone_number": False}
    assert [one.json for one in world.asked] == ([wanted] if email else [])
    rows = await tables.run(
        "SELECT email, apollo_person_payload, icp_reasons FROM cold_outreach.gms_leads_enriched "
        "WHERE id = 1"
    )
    reasons = {"reveal_status": "verified", "revealed_manually": True}
    found = [tuple(json.loads(v) if v and v[0] == "{" else v for v in row) for row in rows]
    assert found == ([(email, person, reasons)] if email else [(None, None, {})])


async def test_n8n_a_model_is_asked(tmp_path: Path) -> None:
    text = imported("n8n/starter-flow.json").text
    message = {"role": "assistant", "content": " Tea is a drink. "}
    answer = {
        "model": "llama3.2:latest",
        "choices": [{"message": message, "finish_reason": "stop"}],
    }
    with World({"POST /v1/chat/completions": Reply(answer)}) as world:
        file = tmp_path / "imported.yaml"
        file.write_text(text.replace("http://localhost:11434", world.url), encoding="utf-8")
        async with Conductor("memory:") as conductor:
            result = await conductor.run(str(file), {"chatInput": "What is tea?"})
    assert result.status == "completed", result.error
    assert result.output == {"basic_llm_chain": [{"text": "Tea is a drink."}]}
    (asked,) = (one.json for one in world.asked)
    assert isinstance(asked, dict)
    assert asked["model"] == "llama3.2:latest"
    assert asked["messages"] == [{"role": "user", "content": "What is tea?"}]


def test_n8n_every_example_that_maps_as_a_whole_is_run() -> None:
    assert {Path(name).stem for name in complete("n8n")} == {
        "leads-1-gms-scrape-start",
        "leads-3-manual-reveal",
        "leads-4a-outbound-enroller",
        "starter-flow",
    }
