"""The specification's own examples run, each with the result that the specification gives it.

The blueprint is the one that the import made, but for the hosts: one server here plays them all. A
run is in virtual time, so that 30 seconds of waiting take none; the requests are real.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.integration.interop.examples import complete, imported
from tests.integration.interop.world import Answer, Reply, World

from atomiton.blueprint.yaml import load
from atomiton.conductor.result import RunResult
from atomiton.testing import VirtualConductor, virtual_run

PET = {"id": 7, "name": "Rex"}
SKY = {"results": [{"name": "Luke Skywalker"}]}
EVENT = {"type": "io.serverlessworkflow.samples.events.trigger.v1", "key": "1", "data": {"n": 1}}
HOSTS = [
    "petstore.swagger.io",
    "superbet-casinos.com",
    "fake-hospital.com",
    "example.com",
    "swapi.dev",
    "virtual-wf-powered-race.com",
    "hospital.example.com",
]
_ORIGIN = re.compile(rf"https://(?:{'|'.join(map(re.escape, HOSTS))})(?=/(?:v2|api)/)")


@dataclass(frozen=True)
class Case:
    """A run of an example.

    Attributes:
        why: What the specification says of it.
        inputs: Inputs of the run.
        answers: What the server answers; ``{url}`` in a text is its address.
        asked: The requests that must have come, in their order.
        output: What the run gives.
        error: Or the code it fails with, and what its message holds.
        signals: Events that come, in their order.
        took: Seconds that it takes, in virtual time.
    """

    why: str
    inputs: Mapping[str, object] = field(default_factory=dict[str, object])
    answers: Mapping[str, Answer] = field(default_factory=dict[str, Answer])
    asked: tuple[str, ...] = ()
    sent: tuple[object, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    output: object = None
    error: tuple[str, str] | None = None
    signals: tuple[tuple[str, object], ...] = ()
    took: tuple[float, float] | None = None


def given(**data: object) -> dict[str, object]:
    """The input of a workflow."""
    return {"input": data}


async def ran(text: str, case: Case, folder: Path) -> RunResult:
    file = folder / "imported.yaml"
    file.write_text(text, encoding="utf-8")
    async with VirtualConductor() as conductor:
        run = await conductor.start(str(file), case.inputs)
        for name, payload in case.signals:
            while not await conductor.waits(run.id):
                await asyncio.sleep(0.01)
            await run.signal(name, payload)
        return await run.result()


def check(name: str, case: Case, folder: Path) -> None:
    made = imported(f"serverless/examples/{name}.yaml")
    assert made.report.complete
    with World(case.answers) as world:
        text = _ORIGIN.sub(world.url, made.text)
        result = virtual_run(ran(text, case, folder))
    if case.error is None:
        assert result.status == "completed", (case.why, result.error)
        assert result.output == case.output, case.why
    else:
        code, words = case.error
        assert result.status == "failed", case.why
        assert result.error is not None
        assert (result.error.code, words in result.error.message) == (code, True), result.error
    assert tuple(sorted(world.lines)) == tuple(sorted(case.asked)), case.why
    assert tuple(one.json for one in world.asked if one.text) == case.sent, case.why
    if case.asked:
        assert world.asked[0].query == case.query, case.why
        assert case.headers.items() <= world.asked[0].headers.items(), case.why
    if case.took is not None:
        low, high = case.took
        assert low <= result.duration_ms / 1000 <= high, case.why


def pet(why: str, **more: object) -> Case:
    """One that gets a pet by its id from the store."""
    about: dict[str, object] = {
        "inputs": given(petId=7),
        "answers": {"GET /v2/pet/7": Reply(PET)},
        "asked": ("GET /v2/pet/7",),
        "output": PET,
        **more,
    }
    return Case(why, **about)  # type: ignore[arg-type]


def characters(why: str, **more: object) -> Case:
    """One that looks for people."""
    about: dict[str, object] = {
        "inputs": given(searchQuery="Luke & Leia"),
        "answers": {"GET /api/people/": Reply(SKY)},
        "asked": ("GET /api/people/",),
        "query": {"search": "Luke & Leia"},
        "output": SKY,
        **more,
    }
    return Case(why, **about)  # type: ignore[arg-type]


NOT_YET = "The workflow 'raise-{}:0.1.0' is a work in progress and cannot be run yet"
PATIENT = {"patient": {"fullName": "Ada L."}, "room": {"number": 12}}
ALARM = {"patientId": "Ada L.", "room": 12}
NURSE, DOCTOR = "PUT /api/v3/alert/nurses", "PUT /api/v3/alert/doctor"
HOT, BPM = (f"com.fake-hospital.vitals.measurements.{name}" for name in ("temperature", "bpm"))
BEAT = {
    "patient": {"id": "p1", "name": "Ada", "room": {"number": 12}, "vitals": {"bpm": 31}},
    "timestamp": "2026-01-01T00:00:00Z",
}
SAID = {
    "channel": "C1234567890",
    "thread": "1623456789.123456",
    "text": "Hello, world! :wave:",
    "type": "text/markdown",
    "by": "xoxp",
    "arguments": "slack-mcp-serverr@latest --transport stdio",
}
TOOLS = Path(__file__).parents[2] / "mcp_server.py"
NEEDS = {"run-script-with-stdin-and-arguments": "node"}
CASES: dict[str, list[Case]] = {
    "authentication-bearer": [
        pet(
            "'bearer.token' is an expression over the input of the task",
            inputs=given(token="let-me-in"),
            answers={"GET /v2/pet/1": Reply(PET)},
            asked=("GET /v2/pet/1",),
            headers={"authorization": "Bearer let-me-in"},
        )
    ],
    "authentication-bearer-uri-format": [
        pet(
            "the address is a template over the input, and so is the token",
            inputs=given(petId=7, token="t"),
            headers={"authorization": "Bearer t"},
        )
    ],
    "authentication-reusable": [
        pet(
            "'use' names an authentication defined once",
            inputs=given(petId=7, token="t"),
            headers={"authorization": "Bearer t"},
        )
    ],
    "call-custom-function-inline": [
        Case(
            "a function sees what 'with' gives it, not the input of the workflow",
            inputs=given(petId=1),
            answers={"GET /v2/pet/69": Reply(PET)},
            asked=("GET /v2/pet/69",),
            output=PET,
        )
    ],
    "call-http-endpoint-interpolation-shorthand": [
        pet("a template of an address"),
        pet(
            "an answer that is no 2xx raises an error",
            inputs=given(petId=8),
            asked=("GET /v2/pet/8",),
            error=("NOT_FOUND", "404"),
        ),
        pet(
            "values are percent-encoded, as the simple expansion of RFC 6570 wants it",
            inputs=given(petId="a b/c?"),
            answers={"GET /v2/pet/a%20b%2Fc%3F": Reply(PET)},
            asked=("GET /v2/pet/a%20b%2Fc%3F",),
        ),
        pet(
            "'if no value is found for the identifier, an empty string will be used'",
            inputs=given(),
            answers={"GET /v2/pet/": Reply(PET)},
            asked=("GET /v2/pet/",),
        ),
        pet(
            "a variable that is no string, number, boolean or null is an expression error",
            inputs=given(petId=[7]),
            asked=(),
            error=("EXPRESSION_ERROR", ""),
        ),
    ],
    "call-http-endpoint-interpolation": [
        pet("an address that is an expression", headers={"content-type": "application/json"})
    ],
    "call-http-query-headers-expressions": [
        characters(
            "headers and query are expressions over what the task before set",
            headers={"accept": "application/json"},
        )
    ],
    "call-http-query-parameters": [
        characters("the query is encoded"),
        characters(
            "without 'redirect: true' an answer of 300 to 399 is an error",
            answers={"GET /api/people/": Reply("", 302, {"location": "/elsewhere"})},
            error=("HTTP_STATUS", "302"),
        ),
    ],
    "call-http-redirect": [
        characters(
            "with 'redirect: true' an answer of 300 to 399 is no error: it is followed",
            answers={
                "GET /api/people/": Reply("", 302, {"location": "/moved"}),
                "GET /moved": Reply(SKY),
            },
            asked=("GET /api/people/", "GET /moved"),
        )
    ],
    "conditional-task": [
        Case(
            "'if' holds: the error is raised, and nothing else happens",
            inputs=given(customer={"age": 17}),
            error=("ACCESS_FORBIDDEN", "Access Forbidden"),
        ),
        Case(
            "'if' does not hold; in the strict mode a text without ${ } is no expression",
            inputs=given(customer={"age": 18}, bet=5),
            answers={"POST /api/bet/on/football": Reply({"placed": True})},
            asked=("POST /api/bet/on/football",),
            sent=({"customer": ".customer", "bet": ".bet"},),
            output={"placed": True},
        ),
    ],
    "do-single": [pet("the output of the last task is that of the workflow")],
    "for": [
        Case(
            "'while' is asked before each turn: without a vet no turn is made, and the input stays",
            inputs=given(pets=[{"id": 1}], vet=None),
            output={"pets": [{"id": 1}], "vet": None},
        ),
        Case(
            "the output of 'listen' is a list, which has no field 'pets': jq calls that an error",
            inputs=given(pets=[{"id": 1}], vet="Dr. Who"),
            signals=(("com.fake.petclinic.pets.checkup.completed.v2", {"ok": True}),),
            error=("EXPRESSION_ERROR", "pets"),
        ),
    ],
    "fork": [
        Case(
            "'compete: true': only the output of the branch that wins",
            inputs={"input": PATIENT},
            answers={NURSE: Reply({"by": "nurse"}), DOCTOR: Reply({"by": "doctor"}, after=2)},
            asked=(NURSE, DOCTOR),
            sent=(ALARM, ALARM),
            output={"by": "nurse"},
        ),
        Case(
            "whichever it is",
            inputs={"input": PATIENT},
            answers={NURSE: Reply({"by": "nurse"}, after=2), DOCTOR: Reply({"by": "doctor"})},
            asked=(NURSE, DOCTOR),
            sent=(ALARM, ALARM),
            output={"by": "doctor"},
        ),
    ],
    "listen-to-all": [
        Case(
            "all of the events: the list of their data",
            signals=((HOT, {"temperature": 39}), (BPM, {"bpm": 120})),
            output=[{"temperature": 39}, {"bpm": 120}],
        )
    ],
    "listen-to-any-filter": [
        Case(
            "one event of any of the kinds, if its data is as wanted",
            signals=((BPM, {"bpm": 80}), (HOT, {"temperature": 36}), (BPM, {"bpm": 130})),
            output=[{"bpm": 130}],
        )
    ],
    "listen-to-one": [
        Case(
            "the output of 'listen' is a list, in which the address finds no 'carId': empty",
            signals=(("com.virtual-wf-powered-race.events.race.started.v1", {"carId": 5}),),
            answers={"POST /api/v4/cars//start": Reply({"started": True})},
            asked=("POST /api/v4/cars//start",),
            output={"started": True},
        )
    ],
    "raise-inline": [
        Case(
            "the error has the type that is said, and what 'detail' computes",
            error=("NOT_IMPLEMENTED", NOT_YET.format("not-implemented")),
        )
    ],
    "raise-reusable": [
        Case(
            "as if it stood there",
            error=("NOT_IMPLEMENTED", NOT_YET.format("not-implemented")),
        )
    ],
    "run-shell-stdin-and-arguments": [
        Case(
            "standard input and arguments reach the program; its standard output is the output",
            output="STDIN was: Hello World\nARGS are Foo Bar\n",
        )
    ],
    "run-script-with-stdin-and-arguments": [
        Case(
            "a script is a module; its arguments follow the program and the script in argv",
            output="stdin >  Hello Workflow\narg >  hello\nenv >  bar\n",
        )
    ],
    "call-mcp": [
        Case(
            "a tool of a program: the output is the result that the protocol gives",
            output={
                "content": [
                    {"type": "text", "text": json.dumps(SAID, indent=2)},
                ],
                "structuredContent": SAID,
                "isError": False,
            },
        )
    ],
    "schedule-cron": [
        Case(
            "each midnight; a run of it asks for the backup",
            answers={"POST /api/v1/backup/start": Reply({"id": 3})},
            asked=("POST /api/v1/backup/start",),
            output={"id": 3},
        )
    ],
    "schedule-event-driven": [
        Case(
            "the input of the workflow is the list of the events that started it",
            inputs={"event": {"type": "low", "key": "1", "data": BEAT}},
            answers={"POST /api/v1/notify": Reply({"told": True})},
            asked=("POST /api/v1/notify",),
            sent=(
                {
                    "patientId": "p1",
                    "patientName": "Ada",
                    "roomNumber": 12,
                    "vitals": {"heartRate": 31, "timestamp": "2026-01-01T00:00:00Z"},
                    "message": "Alert: Patient's heartbeat is critically low. "
                    "Immediate attention required.",
                },
            ),
            output={"told": True},
        )
    ],
    "set": [Case("an event starts it", inputs={"event": EVENT}, output={"startEvent": EVENT})],
    "set-expression": [
        Case("what is set may be one expression", inputs={"event": EVENT}, output=EVENT)
    ],
    "star-wars-homeworld": [
        Case(
            "what is exported is the context of the tasks behind it",
            inputs=given(id=1),
            answers={
                "GET /api/people/1": lambda asked: Reply(
                    {"homeworld": f"http://{asked.headers['host']}/api/planets/1/"}
                ),
                "GET /api/planets/1/": Reply({"name": "Tatooine"}),
            },
            asked=("GET /api/people/1", "GET /api/planets/1/"),
            output={"name": "Tatooine"},
        )
    ],
    "switch-then-string": [
        Case(
            "case 1",
            given(orderType="electronic"),
            output={"validate": True, "status": "fulfilled"},
        ),
        Case(
            "case 2",
            given(orderType="physical"),
            output={"inventory": "clear", "items": 1, "address": "Elmer St"},
        ),
        Case(
            "default", given(orderType="x"), output={"log": "warn", "message": "something's wrong"}
        ),
    ],
    "try-catch": [
        pet("nothing to catch"),
        pet(
            "an error of the type and status named is caught: the input goes on",
            answers={},
            output={"petId": 7},
        ),
        pet(
            "another status is not caught",
            answers={"GET /v2/pet/7": Reply("", 400)},
            error=("HTTP_STATUS", "400"),
        ),
    ],
    "wait-duration-inline": [
        Case("30 seconds, and the input goes on", given(a=1), output={"a": 1}, took=(30, 30.5))
    ],
    "wait-duration-iso8601": [
        Case("the same in ISO 8601", given(a=1), output={"a": 1}, took=(30, 30.5))
    ],
}
for _name in ("try-catch-retry-inline", "try-catch-retry-reusable"):
    CASES[_name] = [
        pet(
            "an error is tried again after 3 seconds, then twice as long each time: 3 + 6",
            answers={"GET /v2/pet/7": [Reply("", 503), Reply("", 503), Reply(PET)]},
            asked=("GET /v2/pet/7",) * 3,
            took=(9, 13),
        ),
        pet(
            "five more times, and the error is caught",
            answers={"GET /v2/pet/7": Reply("", 503)},
            asked=("GET /v2/pet/7",) * 6,
            output={"petId": 7},
            took=(93, 100),
        ),
    ]
RUNS = [(name, number) for name, cases in sorted(CASES.items()) for number in range(len(cases))]


@pytest.mark.parametrize(("name", "number"), RUNS, ids=[f"{n}-{i + 1}" for n, i in RUNS])
def test_an_example_runs(
    name: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which(NEEDS.get(name, "sh")) is None:
        pytest.skip(f"there is no {NEEDS[name]} here")
    if name == "call-mcp":  # the program that it names, played by a server of this project's tests
        pytest.importorskip("mcp", reason="the SDK of the protocol is not installed")
        program = tmp_path / "npx"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {TOOLS} --stdio "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    check(name, CASES[name][number], tmp_path)


def test_every_example_that_maps_as_a_whole_is_run() -> None:
    assert {Path(name).stem for name in complete("serverless/examples")} == set(CASES)


def test_schedules_are_triggers() -> None:
    cron = imported("serverless/examples/schedule-cron.yaml").text
    assert load(cron).data["triggers"] == [{"schedule": {"cron": "0 0 * * *"}}]
    event = load(imported("serverless/examples/schedule-event-driven.yaml").text).data
    kind = "com.example.hospital.events.patients.heartbeat.low"
    assert event["triggers"] == [{"event": {"type": kind}}]
