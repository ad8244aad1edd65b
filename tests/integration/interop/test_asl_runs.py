"""State machines give what Step Functions would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.interop.examples import complete, example
from tests.integration.interop.running import gives, run

from atomiton.conductor.result import RunResult
from atomiton.interop import import_workflow
from atomiton.testing import VirtualConductor, virtual_run


def machine(start: str, **states: object) -> str:
    return json.dumps({"StartAt": start, "States": states})


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"type": "Public", "value": 25}, "next_state_one"),
        ({"type": "Private", "value": 0}, "next_state_two"),
        ({"type": "Private", "value": 22}, "next_state_two"),
        ({"type": "Private", "value": 30}, "default_state"),
    ],
)
async def test_asl_an_example_chooses_by_data(given: object, state: str, tmp_path: Path) -> None:
    made = import_workflow(example("asl/path-based-on-data.json"))
    assert made.report.exact
    result = await run(made, tmp_path, input=given)
    assert result.output == given
    ran = {id_ for id_, node in result.nodes.items() if node.status == "completed"}
    assert ran == {"choice_state", state}


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


@pytest.mark.parametrize(
    ("given", "error", "state", "seconds"),
    [
        ({"Process1ToComplete": True}, "States.FauxFailure1", "next_step_if_process1_completes", 0),
        (
            {"Process2ToComplete": True},
            "States.FauxFailure2",
            "next_step_if_process_2_completes",
            0,
        ),
        # Both ask every 5 seconds, and the third branch fails after 15.
        ({}, "States.RanOutOfTime", "next_step_if_process_ran_out_of_time", 15),
    ],
)
def test_asl_an_example_of_branches_that_race(
    given: object, error: str, state: str, seconds: int, tmp_path: Path
) -> None:
    made = import_workflow(example("asl/either-or-parallel-pattern.json"))
    assert made.report.exact
    file = tmp_path / "imported.yaml"
    file.write_text(made.text, encoding="utf-8")

    async def ran() -> RunResult:
        async with VirtualConductor() as conductor:
            return await conductor.run(str(file), {"input": given})

    result = virtual_run(ran())
    assert result.status == "completed", result.error
    assert isinstance(result.output, dict)
    assert result.output["Error"] == error
    after = {id_ for id_, node in result.nodes.items() if node.status == "completed"}
    steps = {i for i in after if i.startswith("next_step") and not i.endswith("_input")}
    assert steps == {state}
    assert seconds <= result.duration_ms / 1000 < seconds + 1


def test_asl_every_example_that_maps_as_a_whole_is_run() -> None:
    assert complete("asl") == {"asl/path-based-on-data.json", "asl/either-or-parallel-pattern.json"}


def test_asl_what_catching_all_means_is_told() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    work = {"Type": "Parallel", "Branches": [], "Catch": catch, "End": True}
    work["Branches"] = [{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}]
    for language, told in (("JSONPath", True), ("JSONata", False)):
        text = json.dumps(
            {
                "QueryLanguage": language,
                "StartAt": "A",
                "States": {"A": work, "B": {"Type": "Succeed"}},
            }
        )
        entry = import_workflow(text).report.entries[0]
        assert any("States.Runtime" in note for note in entry.notes) is told
