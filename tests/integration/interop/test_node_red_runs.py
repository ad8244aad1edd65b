"""Flows of Node-RED give the messages that it would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.interop.examples import example
from tests.integration.interop.running import run

from atomiton.interop import import_workflow
from atomiton.interop.data import listing, mapping


def red(name: str) -> str:
    return example(f"node_red/{name}.json").decode()


async def payloads(made: str, folder: Path, **inputs: object) -> list[object]:
    """What the debug nodes at the end of an example show."""
    result = await run(import_workflow(made, filename="x"), folder, **inputs)
    assert result.status == "completed", result.error
    assert isinstance(result.output, dict)
    shown: list[object] = []
    for value in result.output.values():
        shown += [mapping(one).get("message", one) for one in listing(value)]
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
        ("csv-05-convert-javascript-object-to-csv", ["Apple,100\n"]),
        ("join-01-automatic-join-mode", ["Apple\nOrange\nBanana\nKiwi"]),
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
