"""Workflows of n8n give the items that n8n would."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from tests.integration.interop.running import gives, run
from tests.integration.interop.world import Reply, World

from atomiton import Conductor
from atomiton.blueprint.yaml import load
from atomiton.interop import import_workflow


def n8n(*nodes: tuple[str, str, float, dict[str, object]], **more: list[object]) -> str:
    """A workflow whose nodes follow each other, unless ``more`` says what follows a node."""
    names = [name for name, *_ in nodes]
    wires = {
        name: {"main": more.get(name, [[{"node": after, "type": "main", "index": 0}]])}
        for name, after in pairwise(names)
    }
    wires |= {name: {"main": outputs} for name, outputs in more.items()}
    made = [
        {
            "name": name,
            "type": f"n8n-nodes-base.{type_}",
            "typeVersion": version,
            "position": [100 * number, 0],
            "parameters": parameters,
        }
        for number, (name, type_, version, parameters) in enumerate(nodes)
    ]
    return json.dumps({"name": "Flow", "nodes": made, "connections": wires})


def to(*names: str) -> list[object]:
    return [{"node": name, "type": "main", "index": 0} for name in names]


START = ("Start", "manualTrigger", 1, {})


def fields(**values: object) -> dict[str, object]:
    pairs = [
        {"id": name, "name": name, "value": value, "type": "string"}
        for name, value in values.items()
    ]
    return {"assignments": {"assignments": pairs}, "options": {}}


async def test_n8n_asks_chooses_and_changes_each_item(server: str, tmp_path: Path) -> None:
    adult = {
        "conditions": {
            "options": {"typeValidation": "strict", "caseSensitive": True},
            "combinator": "and",
            "conditions": [
                {
                    "leftValue": "={{ $json.age }}",
                    "rightValue": 18,
                    "operator": {"type": "number", "operation": "gte"},
                }
            ],
        }
    }
    text = n8n(
        START,
        ("Users", "httpRequest", 4.2, {"url": f"{server}/users", "options": {}}),
        ("Adult?", "if", 2, adult),
        ("Yes", "set", 3.4, fields(text="={{ $json.name }} is {{ $json.age }}")),
        ("No", "set", 3.4, {**fields(young="={{ true }}"), "includeOtherFields": True}),
        ("All", "merge", 3, {}),
        **{
            "Adult?": [to("Yes"), to("No")],
            "Yes": [[{"node": "All", "type": "main", "index": 0}]],
            "No": [[{"node": "All", "type": "main", "index": 1}]],
        },
    )
    assert await gives(text, tmp_path) == {
        "all": [{"text": "Ada is 36"}, {"name": "Bob", "age": 17, "young": "true"}]
    }


async def test_n8n_sends_what_it_is_given(server: str, tmp_path: Path) -> None:
    request = {
        "method": "POST",
        "url": f"={server}/{{{{ 'echo' }}}}",
        "sendQuery": True,
        "queryParameters": {"parameters": [{"name": "q", "value": "={{ $json.name }}"}]},
        "sendHeaders": True,
        "headerParameters": {"parameters": [{"name": "x-agent", "value": "007"}]},
        "sendBody": True,
        "specifyBody": "json",
        "jsonBody": (
            '={"name": "{{ $json.name }}!", "n": {{ $json.n + 1 }}, "of": {{ $itemIndex }}}'
        ),
    }
    given = {"mode": "raw", "jsonOutput": '{"name": "Ada", "n": 1}', "options": {}}
    text = n8n(START, ("Given", "set", 3.4, given), ("Ask", "httpRequest", 4.2, request))
    output = await gives(text, tmp_path)
    assert output == {
        "ask": [
            {
                "method": "POST",
                "query": {"q": "Ada"},
                "agent": "007",
                "auth": None,
                "body": {"name": "Ada!", "n": 2, "of": 0},
            }
        ]
    }


async def test_n8n_lists(tmp_path: Path) -> None:
    given = {"mode": "raw", "jsonOutput": '{"rows": [{"n": 3}, {"n": 1}, {"n": 2}, {"n": 1}]}'}
    by = {"sortFieldsUi": {"sortField": [{"fieldName": "n", "order": "descending"}]}}
    text = n8n(
        START,
        ("Given", "set", 3.4, given),
        ("Split", "splitOut", 1, {"fieldToSplitOut": "rows", "options": {}}),
        ("Once", "removeDuplicates", 1, {}),
        ("Sort", "sort", 1, by),
        ("Two", "limit", 1, {"maxItems": 2}),
        ("Pair", "set", 3.4, fields(n="={{ $json.n }}", first="={{ $('Sort').item.json.n }}")),
        ("All", "aggregate", 1, {"aggregate": "aggregateAllItemData", "options": {}}),
    )
    rows = [{"n": "3", "first": "3"}, {"n": "2", "first": "2"}]
    made = import_workflow(text)
    notes = {entry.source: entry.notes for entry in made.report.entries}
    assert notes["Pair"] == ["computed values keep their type: they are not converted"]
    output = await gives(text, tmp_path)
    assert output == {"all": [{"data": [{k: int(v) for k, v in row.items()} for row in rows]}]}


async def test_n8n_joins_two_inputs(tmp_path: Path) -> None:
    left = {"mode": "raw", "jsonOutput": '{"id": 1, "a": "left"}'}
    right = {"mode": "raw", "jsonOutput": '{"id": 1, "a": "right", "b": 2}'}
    match = {"mode": "combine", "fieldsToMatchString": "id", "options": {}}
    text = n8n(
        START,
        ("L", "set", 3.4, left),
        ("R", "set", 3.4, right),
        ("Match", "merge", 3, match),
        Start=[to("L", "R")],
        L=[[{"node": "Match", "type": "main", "index": 0}]],
        R=[[{"node": "Match", "type": "main", "index": 1}]],
    )
    assert await gives(text, tmp_path) == {"match": [{"id": 1, "a": "right", "b": 2}]}


async def test_n8n_switch_takes_the_first_that_fits(tmp_path: Path) -> None:
    def rule(number: int) -> dict[str, object]:
        test = {
            "leftValue": "={{ $json.n }}",
            "rightValue": number,
            "operator": {"type": "number", "operation": "gt"},
        }
        return {"conditions": {"options": {}, "combinator": "and", "conditions": [test]}}

    rules = {"rules": {"values": [rule(10), rule(5)]}, "options": {"fallbackOutput": "extra"}}
    given = {"mode": "raw", "jsonOutput": '{"rows": [{"n": 11}, {"n": 6}, {"n": 1}]}'}
    text = n8n(
        START,
        ("Given", "set", 3.4, given),
        ("Split", "splitOut", 1, {"fieldToSplitOut": "rows"}),
        ("Which", "switch", 3.2, rules),
        ("A", "noOp", 1, {}),
        ("B", "noOp", 1, {}),
        ("C", "noOp", 1, {}),
        Which=[to("A"), to("B"), to("C")],
        A=[],
        B=[],
        C=[],
    )
    assert await gives(text, tmp_path) == {"a": [{"n": 11}], "b": [{"n": 6}], "c": [{"n": 1}]}


async def test_n8n_a_webhook_answers(tmp_path: Path) -> None:
    hook = {"path": "orders", "httpMethod": "POST", "responseMode": "responseNode"}
    answer = {
        "respondWith": "json",
        "responseBody": '={"got": {{ $json.body.id }}}',
        "options": {"responseCode": 201},
    }
    text = n8n(("Hook", "webhook", 2, hook), ("Answer", "respondToWebhook", 1.1, answer))
    made = import_workflow(text)
    trigger = {"path": "orders", "method": "POST", "respond": "result", "secret": "none"}
    assert load(made.text).data["triggers"] == [{"webhook": trigger}]
    output = await gives(text, tmp_path, body={"id": 7})
    assert output == {"status": 201, "headers": {}, "body": {"got": 7}}


async def test_n8n_what_is_not_mapped_stops_where_it_stands(tmp_path: Path) -> None:
    text = n8n(START, ("Tell", "slack", 2, {"text": "hi"}), ("After", "noOp", 1, {}))
    made = import_workflow(text)
    assert not made.report.complete
    result = await run(made, tmp_path)
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.code == "NOT_MAPPED"
    assert "slack 'Tell'" in result.error.message
    none = {"conditions": {"boolean": [{"value1": "={{ 1 > 2 }}", "value2": True}]}}
    around = n8n(
        START,
        ("Never", "if", 1, none),
        ("Tell", "slack", 2, {}),
        Never=[to("Tell"), []],
        Tell=[],
    )
    assert (await run(import_workflow(around), tmp_path)).status == "completed"


ROWS = '{"rows": [{"n": 1}, {"n": 2}]}'
SPLIT = {"fieldToSplitOut": "rows", "options": {}}


def asked(code: str, mode: str = "runOnceForEachItem") -> str:
    """Two items, a node that changes each, and code that asks for what they were."""
    return n8n(
        START,
        ("Given", "set", 3.4, {"mode": "raw", "jsonOutput": ROWS}),
        ("Split", "splitOut", 1, SPLIT),
        ("Change", "set", 3.4, fields(changed="yes")),
        ("Code", "code", 2, {"mode": mode, "jsCode": code}),
    )


async def test_n8n_code_asks_for_the_item_that_belongs_to_its_own(tmp_path: Path) -> None:
    each = asked("return {json: {was: $('Split').item.json.n, all: $('Given').item.json.rows}};")
    rows = [{"n": 1}, {"n": 2}]
    assert await gives(each, tmp_path) == {
        "code": [{"was": 1, "all": rows}, {"was": 2, "all": rows}]
    }
    once = asked(
        "return $input.all().map((one, i) => ({json: {was: $('Split').itemMatching(i).json.n}}));",
        "runOnceForAllItems",
    )
    assert await gives(once, tmp_path) == {"code": [{"was": 1}, {"was": 2}]}


async def test_n8n_code_that_asks_for_what_is_not_sure_fails_also_if_it_hides_it(
    tmp_path: Path,
) -> None:
    code = "let n = 0; try { n = $('Split').item.json.n } catch { n = 9 } return {json: {n}};"
    text = n8n(
        START,
        ("Given", "set", 3.4, {"mode": "raw", "jsonOutput": ROWS}),
        ("Split", "splitOut", 1, SPLIT),
        ("Sort", "sort", 1, {"sortFieldsUi": {"sortField": [{"fieldName": "n"}]}}),
        ("Code", "code", 2, {"mode": "runOnceForEachItem", "jsCode": code}),
    )
    made = import_workflow(text)
    assert made.report.complete
    notes = {entry.source: entry.notes for entry in made.report.entries}["Code"]
    assert any("which item of 'Split' is meant" in note for note in notes)
    result = await run(made, tmp_path)
    assert result.status == "failed"
    assert result.error is not None
    assert "which of 2 items is meant is not known" in result.error.message
    assert await gives(text.replace(', {\\"n\\": 2}', ""), tmp_path) == {"code": [{"n": 1}]}


async def test_n8n_variables_of_the_installation_are_secrets(tmp_path: Path) -> None:
    request = {
        "url": "http://shop.example/orders",
        "sendQuery": True,
        "queryParameters": {"parameters": [{"name": "q", "value": "={{ $env.REGION }}"}]},
        "sendHeaders": True,
        "headerParameters": {
            "parameters": [{"name": "Authorization", "value": "=Bearer {{ $vars.API_KEY }}"}]
        },
    }
    made = import_workflow(n8n(START, ("Ask", "httpRequest", 4.2, request)))
    assert made.report.complete
    assert load(made.text).data["secrets"] == ["REGION", "API_KEY"]
    notes = {entry.source: entry.notes for entry in made.report.entries}["Ask"]
    assert "'$vars.API_KEY' is not in the file: keep it as a secret" in notes
    file = tmp_path / "imported.yaml"
    with World({"GET /orders": Reply({"ok": True})}) as world:
        file.write_text(made.text.replace("http://shop.example", world.url), encoding="utf-8")
        async with Conductor("memory:", secrets={"API_KEY": "k-123", "REGION": "eu"}) as conductor:
            result = await conductor.run(str(file), {})
    assert result.status == "completed", result.error
    assert world.asked[0].query == {"q": "eu"}
    assert world.asked[0].headers["authorization"] == "Bearer k-123"
    test = {"conditions": {"string": [{"value1": "={{ $vars.A }}", "value2": "x"}]}}
    assert not import_workflow(n8n(START, ("If", "if", 1, test))).report.complete


async def test_n8n_conditions_may_not_mind_capitals(tmp_path: Path) -> None:
    def kept(operation: str, right: str) -> str:
        test = {
            "leftValue": "={{ $json.name }}",
            "rightValue": right,
            "operator": {"type": "string", "operation": operation},
        }
        said = {
            "conditions": {
                "options": {"caseSensitive": False},
                "combinator": "and",
                "conditions": [test],
            }
        }
        given = {"mode": "raw", "jsonOutput": '{"name": "Ada LOVELACE"}'}
        return n8n(START, ("Given", "set", 3.4, given), ("Keep", "filter", 2, said))

    none: dict[str, object] = {"keep": {"items": [], "count": 0}}
    ada = {"keep": {"items": [{"name": "Ada LOVELACE"}], "count": 1}}
    for operation, right in (
        *(("equals", "ada lovelace"), ("contains", "Love"), ("startsWith", "ADA")),
        *(("endsWith", "lace"), ("notEquals", "ada"), ("notContains", "x")),
    ):
        assert await gives(kept(operation, right), tmp_path) == ada, operation
    for operation, right in (("equals", "ada"), ("notContains", "LOVE"), ("notEmpty", "")):
        found = await gives(kept(operation, right), tmp_path)
        assert found == (ada if operation == "notEmpty" else none), operation


def test_n8n_a_statement_that_changes_something_in_its_with_is_no_question() -> None:
    def used(query: str, version: float = 2.5) -> tuple[str, str]:
        said = {"operation": "executeQuery", "query": query, "options": {}}
        made = import_workflow(n8n(START, ("Ask", "postgres", version, said)))
        node = load(made.text).data["nodes"]["ask"]
        return node["nodes"]["answers"]["uses"], node["output"]

    rows = "${{ answers.map(x, x.rows).flatten() }}"
    assert used("SELECT 1") == ("sql.query", rows)
    assert used("WITH a AS (SELECT 1) SELECT * FROM a")[0] == "sql.query"
    kind, output = used("WITH a AS (INSERT INTO t VALUES (1) RETURNING id) SELECT * FROM a")
    assert kind == "sql.execute"
    assert '[{"success": true}]' in output
    assert "success" in used("SELECT 1", 2.2)[1]


async def test_n8n_one_of_several_starts_is_chosen(tmp_path: Path) -> None:
    text = n8n(
        START,
        ("Each day", "scheduleTrigger", 1.2, {"rule": {"interval": [{"field": "days"}]}}),
        ("Do", "set", 3.4, fields(done="yes")),
        **{"Start": [to("Do")], "Each day": [to("Do")]},
    )
    assert await gives(text, tmp_path) == {"do": [{"done": "yes"}]}
    assert await gives(text, tmp_path, trigger="Each day") == {"do": [{"done": "yes"}]}
