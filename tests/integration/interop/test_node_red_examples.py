"""Node-RED's own examples run, and their debug nodes show what they would show there.

What Node-RED does is worked out from the help of its nodes. Files are put into a folder of the
test, and what an example asks of its own endpoints is answered by a run of that endpoint.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.interop.examples import complete, imported
from tests.integration.interop.world import Answer, Asked, Reply, World

from atomiton.blueprint.yaml import load
from atomiton.conductor.result import RunResult
from atomiton.interop.data import listing, mapping
from atomiton.testing import VirtualConductor, virtual_run

APPLE = {"kind": "Apple", "price": 100, "origin": "Canada"}
ORANGE = {"kind": "Orange", "price": 120, "origin": "USA"}
BANANA = {"kind": "Banana", "price": 80, "origin": "Philippines"}
NOT_FOUND = "/bin/sh: 1: /non/existing/command: not found\n"
PAGE = "<html>\n    <head></head>\n    <body>\n        <h1>Hello {}</h1>\n    </body>\n</html>"
START = 1_767_225_600_000
XML = {"fruit": {"@id": "100", "kind": "Apple", "price": "100", "origin": "Canada"}}

Shown = dict[str, list[object]]
"""What the debug nodes show, by their node; those that show nothing are left out."""

CASES: dict[str, dict[str, Shown]] = {
    "change-01-set-payload-value": {"": {"debug": ["Hello World!"]}},
    "change-02-set-any-property-value": {
        "": {"debug": [{"payload": "Hello, World!", "topic": "Title"}]}
    },
    # The payload is undefined there.
    "change-06-delete-message-property": {"": {"debug": [None]}},
    "change-07-move-message-property": {"": {"debug": ["Hello"]}},
    "csv-03-parse-csv-with-specified-column-name-as-message-sequence": {
        "": {"debug": [APPLE, ORANGE, BANANA]}
    },
    "csv-04-parse-csv-with-column-name-in-first-row-as-message-sequence": {
        "": {"debug": [APPLE, ORANGE, BANANA]}
    },
    "csv-05-convert-javascript-object-to-csv": {"": {"debug": ["Apple,100\n"]}},
    "csv-06-convert-javascript-object-to-csv": {
        "": {"debug": ["Apple,100\nOrange,120\nBanana,80\n"]}
    },
    "csv-07-convert-array-of-javascript-objects-to-csv-with-column-name-header": {
        "": {"debug": ["kind,price\nApple,100\nOrange,120\nBanana,80\n"]}
    },
    # The first message has the names of the columns before it; each message is a run of its own.
    "csv-09-send-column-name-when-reset-property-set": {
        "apple": {"debug": ["kind,price\nApple,100\n"]},
        "orange": {"debug": ["kind,price\nOrange,120\n"]},
        "banana_reset": {"debug": ["kind,price\nBanana,80\n"]},
    },
    "csv-10-join-parsed-csv-message-sequence-using-join-node": {
        "": {"debug": ["Apple,100\nOrange,120\nBanana,80\n"]}
    },
    "debug-01-output-payload-value": {"": {"debug": ["Hello, World!"]}},
    "debug-02-output-complete-message": {
        "": {"debug": [{"payload": "Hello, World!", "topic": "Sample"}]}
    },
    "debug-03-output-to-console": {"": {"debug": ["Hello, World!"]}},
    "debug-04-output-to-node-status": {"": {"debug": ["Hello, World!"]}},
    "debug-05-formatting-output-using-jsonata": {"": {"debug": ["[Sample] Hello, World!"]}},
    "delay-01-delay-message": {"": {"debug": ["Hello, World!"], "debug_2": ["Goodbye, World!"]}},
    # A message that resets it goes no further there: the report says that here it does.
    "delay-03-reset-or-flush-pending-message": {
        "inject": {"debug": ["Hello, World!"], "debug_2": ["Goodbye, World!"]},
        "reset": {"debug_2": ["Goodbye, World!"]},
        "flush": {"debug_2": ["Goodbye, World!"]},
    },
    "exec-01-get-standard-output-from-external-command": {
        "": {"debug": ["Hello World!\n"], "debug_2": [{"code": 0}]}
    },
    "exec-02-get-error-output-from-external-command": {
        "": {
            "debug_2": [NOT_FOUND],
            "debug": [
                {
                    "code": 127,
                    "message": f"Command failed: /non/existing/command\n{NOT_FOUND}",
                }
            ],
        }
    },
    "function-01-send-message-to-output-port": {"": {"debug": ["Hello, World!"]}},
    "function-02-send-multiple-messages": {
        "": {
            "debug": [f"{which} out of output 1" for which in ("first", "second", "third")],
            "debug_2": ["only message from output 2"],
        }
    },
    "function-03-send-messages-asynchronously": {"": {"debug": ["Hello, World!"]}},
    "function-04-logging-events": {"": {"debug": [START]}},
    "function-07-showing-status-information": {
        name: {} for name in ("inject", "inject_2", "inject_3", "inject_4")
    },
    "http-01-create-http-endpoint": {
        "inject": {"debug": [PAGE.format("World!")]},
        "inject_2": {"debug_2": [PAGE.format("World!")]},
    },
    "http-02-handle-query-parameters": {"inject": {"debug": [PAGE.format("Nick!")]}},
    "http-05-post-data-to-a-flow": {"inject": {"debug": [PAGE.format("Nick")]}},
    "inject-01-trigger-a-flow-at-startup": {"": {"debug": ["Started!"]}},
    "inject-02-trigger-a-flow-at-regular-intervals": {"": {"debug": [START]}},
    "inject-03-trigger-a-flow-at-a-specific-time": {"": {"debug": ["It is 4pm on a weekday!"]}},
    # What 'split' made of a text is a text again; rows of CSV are a list.
    "join-01-automatic-join-mode": {
        "inject": {"debug": ["Apple\nOrange\nBanana\nKiwi"]},
        "inject_2": {
            "debug_2": [
                [
                    {"name": "Apple", "price": 100},
                    {"name": "Orange", "price": 80},
                    {"name": "Banana", "price": 120},
                    {"name": "Kiwi", "price": 50},
                ]
            ]
        },
        "inject_3": {
            "debug_3": [[{"name": "Apple", "price": 100}, {"name": "Banana", "price": 120}]]
        },
    },
    "json-01-convert-json-string-to-javascript-object": {"": {"debug": [APPLE]}},
    # A debug node shows the text, which reads as the object here.
    "json-02-convert-javascript-object-to-json-string": {"": {"debug": [APPLE]}},
    # The schema would refuse the second: the report says that it is not asked.
    "json-03-validate-input-json-string": {
        "ok": {"debug": [APPLE]},
        "ng": {"debug": [{**APPLE, "price": "100"}]},
    },
    "link-01-link-within-a-tab": {"": {"debug": ["Hello, World!"]}},
    "link-02-link-across-tabs": {"": {"debug": ["Hello, World!"]}},
    "read-file-01-read-string-from-a-file": {"": {"debug": ["Hello, World!\n"]}},
    "read-file-02-read-data-in-specified-encoding": {"": {"debug": ["8J+YgAo="]}},
    # What stands behind the last line end is a line, also if it is empty.
    "read-file-03-read-data-breaking-lines-into-messages": {
        "": {"debug": ["one", "two", "three!", ""]}
    },
    "read-file-04-create-a-message-stream": {"": {"debug": ["Apple\nBanana\n"]}},
    "switch-01-select-output-port": {
        "inject": {"debug": ["negative"]},
        "inject_2": {"debug_2": ["zero"]},
        "inject_3": {"debug_3": ["positive"]},
    },
    "switch-02-check-all-rules": {
        "inject": {"debug": ["<10"]},
        "inject_2": {"debug_2": [">-10"]},
        "inject_3": {"debug": ["<10"], "debug_2": [">-10"]},
    },
    "switch-03-stop-after-first-match": {
        "inject": {"debug": ["<10"]},
        "inject_2": {"debug_2": [">-10"]},
        "inject_3": {"debug": ["<10"]},
    },
    "switch-04-select-output-port-by-type": {
        "number_128": {"debug": ["number"]},
        "string_128": {"debug_2": ["string"]},
    },
    "switch-05-use-jsonata-for-switch-rule": {
        "inject": {"debug_2": ["odd"]},
        "inject_2": {"debug": ["even"]},
    },
    "switch-06-use-jsonata-for-switch-value": {
        "inject": {"debug_2": ["odd"]},
        "inject_2": {"debug": ["even"]},
    },
    # 3 > "0" compares numbers.
    "switch-07-recreate-message-sequence": {"": {"debug": [[3, 1, 2]], "debug_2": [[-2, -1, -3]]}},
    "switch-08-route-message-based-on-properties": {
        "inject": {"temperature": [27]},
        "inject_2": {"humidity": [45]},
        "inject_3": {"pressure": [1001]},
    },
    "template-02-parse-result-as-json": {
        "": {"debug": [{"key": "message", "value": "Hello, World!"}]}
    },
    "template-03-parse-result-as-yaml": {
        "": {"debug": [{"key": "message", "value": "Hello, World!"}]}
    },
    "write-file-01-write-string-to-a-file": {"": {"debug": ["Hello, World!\n"]}},
    "write-file-02-write-string-to-a-file-specified-by-property": {
        "": {"debug": ["Hello, World!\n"]}
    },
    "write-file-03-delete-a-file": {"": {"debug": [START]}},
    "write-file-04-specify-encoding-of-written-data": {"": {"debug": ["😀"]}},
    # Other names for the same, as the report says.
    "xml-02-convert-xml-to-javascript-object": {"": {"debug": [XML]}},
    "xml-03-control-conversion-using-options-property": {"": {"debug": [XML]}},
    # Another style of YAML, as the report says.
    "yaml-01-convert-javascript-object-to-yaml": {
        "": {"debug": ["fruits: {kind: Apple, price: 100, origin: Canada}\n"]}
    },
    "yaml-02-convert-yaml-to-javascript-object": {"": {"debug": [{"fruits": APPLE}]}},
}
RUNS = [(name, trigger) for name, runs in CASES.items() for trigger in runs]
FAILS = {"xml-01-convert-javascript-object-to-xml"}


def run(text: str, folder: Path, **inputs: object) -> RunResult:
    file = folder / "imported.yaml"
    file.write_text(text.replace("/tmp/", f"{folder}/"), encoding="utf-8")

    async def ran() -> RunResult:
        async with VirtualConductor() as conductor:
            return await conductor.run(str(file), inputs)

    return virtual_run(ran())


def endpoint(text: str, folder: Path) -> Callable[[Asked], Reply]:
    """What the flow's own endpoint answers."""

    def answer(asked: Asked) -> Reply:
        result = run(text, folder, trigger="http_in", query=asked.query, body=asked.text)
        assert result.status == "completed", result.error
        given = mapping(result.output)
        return Reply(given["body"], int(str(given["status"])))

    return answer


def shown(result: RunResult) -> Shown:
    """What the debug nodes show, with texts of JSON read."""
    assert result.status == "completed", result.error
    found: Shown = {}
    for node, value in mapping(result.output).items():
        messages = [mapping(one)["message"] for one in listing(value)]
        if messages:
            found[node] = [_read(message) for message in messages]
    return found


def _read(message: object) -> object:
    try:
        return json.loads(str(message))
    except ValueError:
        return message


@pytest.mark.parametrize(("name", "trigger"), RUNS)
def test_an_example_shows_what_it_should(name: str, trigger: str, tmp_path: Path) -> None:
    if name.startswith("function-") and shutil.which("node") is None:
        pytest.skip("there is no node here")
    (tmp_path / "hello.txt").write_text("there before", encoding="utf-8")
    text = imported(f"node_red/{name}.json").text
    of_endpoint: Answer = endpoint(text, tmp_path)
    paths = ("GET /hello", "GET /hello-query", "POST /hello-raw")
    with World(dict.fromkeys(paths, of_endpoint)) as world:
        text = text.replace("http://localhost:1880", world.url)
        result = run(text, tmp_path, **({"trigger": trigger} if trigger else {}))
        assert shown(result) == CASES[name][trigger]
    assert (tmp_path / "hello.txt").exists() == (name != "write-file-03-delete-a-file")


def test_what_the_report_says_cannot_be_fails(tmp_path: Path) -> None:
    made = imported("node_red/xml-01-convert-javascript-object-to-xml.json")
    notes = [note for entry in made.report.entries for note in entry.notes]
    assert any("objects are not made XML" in note for note in notes)
    result = run(made.text, tmp_path)
    assert result.error is not None
    assert result.error.code == "INVALID_INPUT"


def test_every_example_that_maps_as_a_whole_is_run() -> None:
    found: dict[str, set[str]] = {}
    for name in complete("node_red"):
        declared = mapping(load(imported(name).text).data.get("inputs"))
        starts = listing(mapping(declared.get("trigger")).get("enum")) or [""]
        found[Path(name).stem] = {str(start) for start in starts} - {"http_in"}
    assert found == {
        **{name: set(runs) for name, runs in CASES.items()},
        **{name: {""} for name in FAILS},
    }
