"""What maps is run, against a real server where it calls out, and gives what its own engine gives."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import BasicAuth, web
from tests.integration.interop.examples import HERE

from atomiton import Conductor
from atomiton.blueprint.yaml import load
from atomiton.conductor.result import RunResult
from atomiton.interop import Imported, import_workflow

PETS = {"1": {"id": 1, "name": "Rex"}, "2": {"id": 2, "name": "Milou"}}
Json = object


async def pet(request: web.Request) -> web.Response:
    found = PETS.get(request.match_info["id"])
    return web.json_response(found) if found else web.Response(status=404, text="no such pet")


async def by_status(request: web.Request) -> web.Response:
    return web.json_response([{"id": 1, "status": request.query["status"]}])


async def password(request: web.Request) -> web.Response:
    wanted = BasicAuth(request.match_info["name"], request.match_info["word"]).encode()
    good = request.headers.get("authorization") == wanted
    return web.json_response({"authenticated": good}, status=200 if good else 401)


async def echo(request: web.Request) -> web.Response:
    body = await request.text()
    return web.json_response(
        {
            "method": request.method,
            "query": dict(request.query),
            "agent": request.headers.get("x-agent"),
            "auth": request.headers.get("authorization"),
            "body": json.loads(body) if body else None,
        }
    )


async def users(_: web.Request) -> web.Response:
    return web.json_response([{"name": "Ada", "age": 36}, {"name": "Bob", "age": 17}])


@pytest.fixture
async def server() -> AsyncIterator[str]:
    seen: list[str] = []

    async def unsteady(_: web.Request) -> web.Response:
        seen.append("asked")
        return web.json_response({"ok": True}, status=200 if len(seen) > 2 else 503)

    app = web.Application()
    app.router.add_get("/v2/pet/getPetByName/{id}", pet)
    app.router.add_get("/v2/pet/findByStatus", by_status)
    app.router.add_get("/v2/pet/{id}", pet)
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/users", users)
    app.router.add_get("/basic-auth/{name}/{word}", password)
    app.router.add_get("/unsteady", unsteady)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def run(made: Imported, folder: Path, **inputs: object) -> RunResult:
    """Run an imported workflow from the file that a user would have."""
    file = folder / "imported.yaml"
    file.write_text(made.text, encoding="utf-8")
    async with Conductor("memory:") as conductor:
        return await conductor.run(str(file), dict(inputs))


async def gives(text: str, folder: Path, name: str = "flow", **inputs: object) -> object:
    """The output of a workflow that maps as a whole."""
    made = import_workflow(text, filename=name)
    assert made.report.complete, [entry.as_object() for entry in made.report.entries]
    result = await run(made, folder, **inputs)
    assert result.status == "completed", result.error
    return result.output


# -- Serverless Workflow: the scenarios of its conformance kit ---------------------------------------


def scenarios() -> list[tuple[str, str]]:
    found = []
    for path in sorted((HERE / "serverless" / "ctk").glob("*.feature")):
        for part in re.split(r"\n  Scenario: ", path.read_text(encoding="utf-8"))[1:]:
            title, _, text = part.partition("\n")
            if "call: openapi" not in text and "emit:" not in text:
                found.append((f"{path.stem}: {title.strip()}", text))
    return found


SCENARIOS = dict(scenarios())


def block(text: str, title: str) -> str | None:
    found = re.search(rf'{title}[^\n]*\n\s*"""yaml\n(.*?)"""', text, re.DOTALL)
    return textwrap.dedent(found[1]) if found else None


def data(text: str | None) -> Json:
    return load(f"value:\n{textwrap.indent(text, '  ')}").data["value"] if text else {}


def test_the_kit_is_there() -> None:
    assert len(SCENARIOS) >= 18


@pytest.mark.parametrize("title", SCENARIOS)
async def test_the_conformance_kit(title: str, server: str, tmp_path: Path) -> None:
    text = re.sub(r"https://(petstore\.swagger\.io|httpbin\.org)", server, SCENARIOS[title])
    made = import_workflow(block(text, "with definition:") or "")
    assert made.report.complete
    result = await run(made, tmp_path, input=data(block(text, "workflow input is:")))
    if "should fault" in text:
        assert result.status == "failed"
        assert result.error is not None
        assert result.error.code != "NOT_MAPPED"
        return
    assert result.status == "completed", result.error
    wanted = block(text, "should complete with output:")
    if wanted is not None:
        assert result.output == data(wanted)
    if "error.status" in text:
        assert result.output["error"]["status"] == 404
        assert result.output["error"]["type"].endswith("/communication")
    if "containing 1 items" in text:
        assert len(result.output["colors"]) == 1


def workflow(tasks: str, more: str = "") -> str:
    head = "document: {dsl: '1.0.3', namespace: test, name: flow, version: '1.0.0'}\n"
    return f"{head}{more}do:\n{textwrap.indent(textwrap.dedent(tasks), '  ')}"


async def test_serverless_the_star_wars_example(server: str, tmp_path: Path) -> None:
    text = (HERE / "serverless/examples/star-wars-homeworld.yaml").read_text(encoding="utf-8")
    text = text.replace("https://swapi.dev/api/people/{id}", f"{server}/v2/pet/{{id}}")
    text = text.replace("${ .content.homeworld }", f'${{ "{server}/v2/pet/\\(.content.id + 1)" }}')
    assert await gives(text, tmp_path, input={"id": 1}) == PETS["2"]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("electronic", {"validate": True, "status": "fulfilled"}),
        ("physical", {"inventory": "clear", "items": 1, "address": "Elmer St"}),
        ("other", {"log": "warn", "message": "something's wrong"}),
    ],
)
async def test_serverless_switch(kind: str, wanted: Json, tmp_path: Path) -> None:
    text = (HERE / "serverless/examples/switch-then-string.yaml").read_text(encoding="utf-8")
    assert await gives(text, tmp_path, input={"orderType": kind}) == wanted


async def test_serverless_shell(tmp_path: Path) -> None:
    name = "run-shell-stdin-and-arguments.yaml"
    text = (HERE / "serverless/examples" / name).read_text(encoding="utf-8")
    assert await gives(text, tmp_path) == "STDIN was: Hello World\nARGS are Foo Bar\n"


async def test_serverless_jumps_back_are_a_loop(tmp_path: Path) -> None:
    text = workflow(
        """
        - count:
            set: {n: "${ .n + 1 }"}
        - enough:
            switch:
              - no: {when: .n < 5, then: count}
              - yes: {then: done}
        - never:
            set: {n: -1}
        - done:
            set: {total: "${ .n * 10 }"}
        """
    )
    assert await gives(text, tmp_path, input={"n": 1}) == {"total": 50}


async def test_serverless_try_again_and_catch(server: str, tmp_path: Path) -> None:
    text = workflow(
        f"""
        - ask:
            try:
              - get: {{call: http, with: {{method: get, endpoint: "{server}/unsteady"}}}}
            catch:
              errors:
                with: {{type: https://serverlessworkflow.io/spec/1.0.0/errors/communication}}
              retry: {{delay: {{milliseconds: 1}}, limit: {{attempt: {{count: 3}}}}}}
        - own:
            try:
              - mine:
                  raise:
                    error: {{type: https://example.com/errors/out-of-tea, status: 418, title: No}}
            catch:
              as: problem
              do:
                - tell:
                    set: {{status: "${{ $problem.status }}", title: "${{ $problem.title }}"}}
        """
    )
    assert await gives(text, tmp_path) == {"status": 418, "title": "No"}


async def test_serverless_fork_and_conditions(tmp_path: Path) -> None:
    text = workflow(
        """
        - both:
            fork:
              branches:
                - one: {set: {a: "${ .x }"}}
                - two:
                    if: .x > 5
                    set: {b: true}
        - pick:
            set: {first: "${ .[0].a }", second: "${ .[1] }"}
        """
    )
    assert await gives(text, tmp_path, input={"x": 1}) == {"first": 1, "second": {"x": 1}}
    assert await gives(text, tmp_path, input={"x": 9}) == {"first": 9, "second": {"b": True}}


# -- Amazon States Language ----------------------------------------------------------------------------


def machine(start: str, **states: object) -> str:
    return json.dumps({"StartAt": start, "States": states})


async def test_asl_an_example_chooses_by_data(tmp_path: Path) -> None:
    text = (HERE / "asl/path-based-on-data.json").read_text(encoding="utf-8")
    states = json.loads(text)["States"]
    made = import_workflow(text)
    assert made.report.exact
    assert {entry.source for entry in made.report.entries} == set(states)
    result = await run(
        made, tmp_path, input={"type": "Private", "value": 22, "IsHelloWorldExample": True}
    )
    assert result.status in ("completed", "failed")
    assert "NOT_MAPPED" not in str(result.error)


async def test_asl_paths_results_and_a_loop(tmp_path: Path) -> None:
    again = {"Variable": "$.at.n", "NumericLessThan": 4, "Next": "Pause"}
    text = machine(
        "Begin",
        Begin={"Type": "Pass", "Result": {"n": 0}, "ResultPath": "$.at", "Next": "Add"},
        Add={
            "Type": "Pass",
            "Parameters": {"n.$": "States.MathAdd($.at.n, 1)"},
            "ResultPath": "$.at",
            "Next": "Enough",
        },
        Enough={"Type": "Choice", "Choices": [again], "Default": "Show"},
        Pause={"Type": "Wait", "Seconds": 0, "Next": "Add"},
        Show={
            "Type": "Pass",
            "Parameters": {"said.$": "States.Format('{} of {}', $.at.n, $.name)"},
            "OutputPath": "$.said",
            "End": True,
        },
    )
    assert await gives(text, tmp_path, input={"name": "Ada"}) == "4 of Ada"


async def test_asl_parallel_map_and_catch(tmp_path: Path) -> None:
    fails = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "why"}}}
    ends = {"StartAt": "G", "States": {"G": {"Type": "Succeed"}}}
    each = {
        "StartAt": "E",
        "States": {"E": {"Type": "Pass", "Parameters": {"t.$": "$.value"}, "End": True}},
    }
    text = machine(
        "Both",
        Both={
            "Type": "Parallel",
            "Branches": [fails, ends],
            "Catch": [
                {"ErrorEquals": ["Other"], "Next": "No"},
                {"ErrorEquals": ["Broken"], "ResultPath": "$.error", "Next": "Each"},
            ],
            "Next": "No",
        },
        No={"Type": "Fail", "Error": "No"},
        Each={
            "Type": "Map",
            "ItemsPath": "$.list",
            "MaxConcurrency": 1,
            "ItemSelector": {"value.$": "$$.Map.Item.Value", "of.$": "$.error.Error"},
            "ItemProcessor": each,
            "ResultPath": "$.made",
            "End": True,
        },
    )
    output = await gives(text, tmp_path, input={"list": [1, 2]})
    assert output == {
        "list": [1, 2],
        "error": {"Error": "Broken", "Cause": "why"},
        "made": [{"t": 1}, {"t": 2}],
    }


async def test_asl_no_choice_matched_is_an_error(tmp_path: Path) -> None:
    choice = {"Variable": "$.a", "StringMatches": "x*.log", "Next": "End"}
    text = machine(
        "Choose", Choose={"Type": "Choice", "Choices": [choice]}, End={"Type": "Succeed"}
    )
    assert await gives(text, tmp_path, input={"a": "x7.log"}) == {"a": "x7.log"}
    result = await run(import_workflow(text), tmp_path, input={"a": "x7Xlog"})
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.message == "no choice matched"


async def test_asl_calls_http_and_tries_again(server: str, tmp_path: Path) -> None:
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::http:invoke",
        "Parameters": {"ApiEndpoint": f"{server}/unsteady", "Method": "GET"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 0, "MaxAttempts": 3}],
        "ResultSelector": {"status.$": "$.StatusCode", "ok.$": "$.ResponseBody.ok"},
        "End": True,
    }
    assert await gives(machine("Ask", Ask=call), tmp_path) == {"status": 200, "ok": True}


async def test_asl_in_jsonata(tmp_path: Path) -> None:
    text = json.dumps(
        {
            "QueryLanguage": "JSONata",
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Pass",
                    "Output": {
                        "sum": "{% $states.input.a + $states.input.b * 2 %}",
                        "x": "as it is",
                    },
                    "Next": "B",
                },
                "B": {
                    "Type": "Choice",
                    "Choices": [
                        {
                            "Condition": "{% $states.input.sum > 5 and $states.input.x != '' %}",
                            "Next": "C",
                        }
                    ],
                    "Default": "D",
                },
                "C": {"Type": "Pass", "Output": "{% 'big ' & $states.input.x %}", "End": True},
                "D": {"Type": "Succeed"},
            },
        }
    )
    assert await gives(text, tmp_path, input={"a": 1, "b": 3}) == "big as it is"
    assert await gives(text, tmp_path, input={"a": 1, "b": 1}) == {"sum": 3, "x": "as it is"}


# -- n8n ---------------------------------------------------------------------------------------------------


def n8n(*nodes: tuple[str, str, float, dict[str, object]], **more: list[object]) -> str:
    """A workflow whose nodes follow each other, unless ``more`` says what follows a node."""
    names = [name for name, *_ in nodes]
    wires = {
        name: {"main": more.get(name, [[{"node": after, "type": "main", "index": 0}]])}
        for name, after in zip(names, names[1:], strict=False)
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
        "jsonBody": '={"name": "{{ $json.name }}!", "n": {{ $json.n + 1 }}, "of": {{ $itemIndex }}}',
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


async def test_n8n_one_of_several_starts_is_chosen(tmp_path: Path) -> None:
    text = n8n(
        START,
        ("Each day", "scheduleTrigger", 1.2, {"rule": {"interval": [{"field": "days"}]}}),
        ("Do", "set", 3.4, fields(done="yes")),
        **{"Start": [to("Do")], "Each day": [to("Do")]},
    )
    assert await gives(text, tmp_path) == {"do": [{"done": "yes"}]}
    assert await gives(text, tmp_path, trigger="Each day") == {"do": [{"done": "yes"}]}


# -- Node-RED --------------------------------------------------------------------------------------------


def red(name: str) -> str:
    return (HERE / "node_red" / f"{name}.json").read_text(encoding="utf-8")


async def payloads(made: str, folder: Path, **inputs: object) -> list[object]:
    """What the debug nodes at the end of an example show."""
    result = await run(import_workflow(made, filename="x"), folder, **inputs)
    assert result.status == "completed", result.error
    assert isinstance(result.output, dict)
    shown: list[object] = []
    for value in result.output.values():
        for one in value or []:
            shown.append(one["message"] if isinstance(one, dict) and "message" in one else one)
    return shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("change-01-set-payload-value", ["Hello World!"]),
        ("change-07-move-message-property", ["Hello"]),
        (
            "json-01-convert-json-string-to-javascript-object",
            ['{"kind":"Apple","price":100,"origin":"Canada"}'],
        ),
        ("template-02-parse-result-as-json", ['{"key":"message","value":"Hello, World!"}']),
        (
            "yaml-01-convert-javascript-object-to-yaml",
            ["fruits: {kind: Apple, price: 100, origin: Canada}\n"],
        ),
        ("exec-01-get-standard-output-from-external-command", ["Hello World!\n", '{"code":0}']),
        ("split-01-split-message-payload", ["Apple", "Orange", "Banana"]),
        ("switch-02-check-all-rules", ["<10"]),
        ("csv-05-convert-javascript-object-to-csv", ["Apple,100\r\n"]),
        ("join-01-automatic-join-mode", ['["Apple","Orange","Banana","Kiwi"]']),
        (
            "xml-02-convert-xml-to-javascript-object",
            ['{"fruit":{"@id":"100","kind":"Apple","price":"100","origin":"Canada"}}'],
        ),
    ],
)
async def test_node_red_examples(name: str, shown: list[object], tmp_path: Path) -> None:
    assert await payloads(red(name), tmp_path) == shown


async def test_node_red_answers_a_request(tmp_path: Path) -> None:
    made = import_workflow(red("http-01-create-http-endpoint"), filename="x")
    result = await run(made, tmp_path)
    assert result.status == "completed", result.error
    assert result.output["status"] == 200
    assert "<h1>Hello World!</h1>" in result.output["body"]


async def test_node_red_asks_over_http(server: str, tmp_path: Path) -> None:
    nodes = [
        {"id": "a", "type": "inject", "payload": "7", "payloadType": "num", "wires": [["b"]]},
        {
            "id": "b",
            "type": "http request",
            "method": "GET",
            "ret": "obj",
            "paytoqs": "ignore",
            "url": f"{server}/v2/pet/{{{{{{topic}}}}}}",
            "wires": [["c"]],
        },
        {
            "id": "c",
            "type": "change",
            "rules": [
                {"t": "set", "p": "payload.asked", "pt": "msg", "to": "statusCode", "tot": "msg"},
                {"t": "delete", "p": "headers", "pt": "msg"},
            ],
            "wires": [["d"]],
        },
        {"id": "d", "type": "debug", "active": True, "complete": "payload", "wires": []},
    ]
    nodes[0] |= {"topic": "2"}
    text = json.dumps([{**node, "x": 0, "y": 0, "z": "t"} for node in nodes])
    shown = await payloads(text, tmp_path)
    assert [json.loads(str(one)) for one in shown] == [{"id": 2, "name": "Milou", "asked": 200}]
