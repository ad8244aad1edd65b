"""n8n workflows of others run as a whole: real Postgres, real Node.js, real HTTP.

What each must do is worked out from the workflow itself, as n8n runs it: its statements, its code
and its requests. Hosts are played by a server here.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from tests.integration.interop.examples import complete, imported
from tests.integration.interop.world import Answer, Reply, World

from atomiton import Conductor
from atomiton.conductor.result import RunResult

TABLES = """
CREATE SCHEMA cold_outreach;
SET search_path TO cold_outreach;
CREATE TABLE outreach_config (
  id int PRIMARY KEY, campaign text, min_score int, max_new_per_day int,
  daily_send_cap int, send_window_start int, send_window_end int, min_gap_seconds int
);
CREATE TABLE suppression (email text);
CREATE TABLE outreach_state (
  lead_id int PRIMARY KEY, campaign text, status text, sequence_step int,
  next_send_at timestamptz, enrolled_at timestamptz, last_sent_at timestamptz,
  completed_at timestamptz
);
CREATE TABLE gms_leads_enriched (
  id serial PRIMARY KEY, raw_id int, run_id int, email text, email_status text, phone text,
  firm_name text, firm_short_name text, first_name text, last_name text, title text,
  seniority text, canonical_domain text, icp_score int, industry text, practice_area text,
  linkedin_url text, person_linkedin_url text, employee_count int, apollo_org_id text,
  apollo_org_payload jsonb, apollo_person_id text, apollo_person_payload jsonb,
  icp_reasons jsonb DEFAULT '{}', created_at timestamptz DEFAULT now(),
  UNIQUE (canonical_domain, apollo_person_id)
);
CREATE TABLE gms_leads_raw (
  id serial PRIMARY KEY, run_id int, place_id text, canonical_domain text, firm_name text,
  firm_short_name text, website text, phone text, email text, address text, city text,
  state text, postal_code text, category text, rating float, reviews_count int,
  permanently_closed bool, raw_payload jsonb, enrichment_status text, enrichment_error text,
  UNIQUE (run_id, place_id)
);
CREATE TABLE seen_leads (
  canonical_domain text, place_id text, first_run_id int, last_seen_at timestamptz,
  seen_count int DEFAULT 1, UNIQUE (canonical_domain, place_id)
);
CREATE TABLE outreach_sends (
  lead_id int, campaign text, step int, subject text, sent_at timestamptz,
  provider_message_id text, status text
);
CREATE TABLE gms_runs (
  id serial PRIMARY KEY, vertical text, search_terms text[], location_query text,
  max_per_search int, status text, apify_run_id text, apify_dataset_id text,
  error_message text, completed_at timestamptz
);
"""
#: The services that the workflows call.
HOSTS = re.compile(r"https://(listmonk\.example|hooks\.slack|api\.[a-z]+)\.(com|io|org)")

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
    text = HOSTS.sub(world.url, made.text)
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


ALERT = {
    "rule": {"level": 12, "description": "Root login", "groups": ["auth"], "id": "5501"},
    "agent": {"name": "web-1", "ip": "10.0.0.5"},
    "data": {"srcip": "203.0.113.9"},
    "timestamp": "2026-05-01T12:00:00Z",
}


@pytest.mark.parametrize("kept", [None, "one machine: web-1"])
async def test_n8n_an_alert_is_explained_and_told(
    kept: str | None, tables: Tables, tmp_path: Path
) -> None:
    name = "leads-wazuh-ai-security-analyzer" + ("-dynamic" if kept else "")
    if kept:
        await tables.run(
            "CREATE TABLE IF NOT EXISTS public.infra_context_block (context text); "
            f"TRUNCATE infra_context_block; INSERT INTO infra_context_block VALUES ('{kept}')"
        )
    found = {"risk_level": "high", "likely_cause": "A guess.", "recommended_action": ["Look"]}
    answer = {"content": [{"text": f"```json\n{json.dumps(found)}\n```"}]}
    slack = "POST /services/YOUR/SLACK/WEBHOOK"
    telegram = "POST /botYOUR_TELEGRAM_BOT_TOKEN/sendMessage"
    answers = {"POST /v1/messages": Reply(answer), slack: Reply("ok"), telegram: Reply({"ok": 1})}
    with World(answers) as world:
        await run(name, tables, world, tmp_path, body=ALERT)
    by_line = {one.line: one.json for one in world.asked}
    assert set(by_line) == set(answers)
    model, told, chat = (cast("dict[str, Any]", by_line[line]) for line in answers)
    assert model["model"]
    assert (kept or "3-node home lab cluster") in model["system"]
    assert "Host: web-1 (10.0.0.5)" in model["messages"][0]["content"]
    assert "*CRITICAL* | Level 12 | *web-1*" in told["text"]
    assert "A guess.\n\n" in told["text"]
    assert "• Look" in told["text"]
    assert (chat["chat_id"], chat["parse_mode"]) == ("YOUR_TELEGRAM_CHAT_ID", "Markdown")


async def test_n8n_an_alert_that_is_low_is_not_told(tables: Tables, tmp_path: Path) -> None:
    low = {**ALERT, "rule": {"level": 3}}
    with World({}) as world:
        await run("leads-wazuh-ai-security-analyzer", tables, world, tmp_path, body=low)
    assert world.asked == []


@pytest.mark.parametrize(
    ("text", "subject"),
    [('"subject": "Hello", "body": "Dear Ada"}', "Hello"), ("none", "quick question about A")],
)
async def test_n8n_a_mail_that_is_due_is_written_and_sent(
    text: str, subject: str, tables: Tables, tmp_path: Path
) -> None:
    await tables.run(
        "INSERT INTO cold_outreach.outreach_config VALUES (1, 'spring', 70, 5, 40, 0, 24, 1); "
        "INSERT INTO cold_outreach.gms_leads_enriched (id, email, firm_name, first_name) "
        "VALUES (1, 'ada@a.example', 'A', 'Ada'); "
        "INSERT INTO cold_outreach.outreach_state (lead_id, campaign, status, sequence_step, "
        "next_send_at) VALUES (1, 'spring', 'in_sequence', 0, now() - interval '1 hour')"
    )
    answers = {
        "POST /v1/messages": Reply({"content": [{"text": text}]}),
        "POST /api/tx": Reply({"data": True}),
    }
    with World(answers) as world:
        await run("leads-4b-outbound-sender", tables, world, tmp_path)
    asked, sent = (cast("dict[str, Any]", one.json) for one in world.asked)
    assert asked["messages"][1] == {"role": "assistant", "content": "{"}
    assert "- Name: A\n" in asked["messages"][0]["content"]
    assert (sent["subscriber_email"], sent["subject"]) == ("ada@a.example", subject)
    rows = await tables.run(
        "SELECT o.subject, o.status, s.status, s.sequence_step, s.next_send_at > now() "
        "FROM cold_outreach.outreach_sends o JOIN cold_outreach.outreach_state s USING (lead_id)"
    )
    assert rows == [(subject, "sent", "in_sequence", 1, True)]


async def test_n8n_a_lead_is_enriched_and_revealed_once(tables: Tables, tmp_path: Path) -> None:
    place = {
        "title": "Ada Studio, LLC",
        "website": "https://www.a.example/about",
        "placeId": "p-1",
        "state": "NY",
        "categoryName": "Design studio",
        "totalScore": 4.8,
        "reviewsCount": 90,
    }
    person = {"id": "ada", "first_name": "Ada", "title": "Owner"}
    revealed = {"person": {"email": "ada@a.example", "email_status": "verified"}}
    answers: dict[str, Answer] = {
        "GET /v2/datasets/set-1/items": Reply([place]),
        "GET /api/v1/organizations/enrich": Reply({"organization": {"id": "org-1"}}),
        "POST /api/v1/mixed_people/api_search": Reply({"people": [person]}),
        "POST /v1/people/match": Reply(revealed),
    }
    body = {"status": "SUCCEEDED", "dataset_id": "set-1", "run_pk": 7, "vertical": "design"}
    name = "leads-2-apollo-lead-enrichment"
    with World(answers) as world:
        await run(name, tables, world, tmp_path, body=body)
        assert world.lines == list(answers)
        await run(name, tables, world, tmp_path, body=body)  # it has been seen: nothing is asked
        assert world.lines == [*answers, world.lines[0]]
    assert world.asked[1].query == {"domain": "a.example"}
    rows = await tables.run(
        "SELECT r.firm_short_name, r.enrichment_status, e.email, e.email_status, e.icp_score, "
        "e.icp_reasons->>'reveal_status' FROM cold_outreach.gms_leads_raw r "
        "JOIN cold_outreach.gms_leads_enriched e ON e.raw_id = r.id"
    )
    assert rows == [
        ("Ada Studio", "enriched", "ada@a.example", "verified", 100, "verified"),
    ]


async def test_n8n_a_scrape_that_failed_is_marked(tables: Tables, tmp_path: Path) -> None:
    await tables.run("INSERT INTO cold_outreach.gms_runs (id, status) VALUES (7, 'running')")
    body = {"status": "ABORTED", "dataset_id": "", "run_pk": 7}
    with World({}) as world:
        await run("leads-2-apollo-lead-enrichment", tables, world, tmp_path, body=body)
    rows = await tables.run("SELECT status, error_message FROM cold_outreach.gms_runs")
    assert rows == [("failed", "Apify ABORTED")]


def test_n8n_every_example_that_maps_as_a_whole_is_run() -> None:
    assert {Path(name).stem for name in complete("n8n")} == {
        "leads-1-gms-scrape-start",
        "leads-2-apollo-lead-enrichment",
        "leads-3-manual-reveal",
        "leads-4a-outbound-enroller",
        "leads-4b-outbound-sender",
        "leads-wazuh-ai-security-analyzer",
        "leads-wazuh-ai-security-analyzer-dynamic",
        "starter-flow",
    }
