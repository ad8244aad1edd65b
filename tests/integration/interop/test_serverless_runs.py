"""Workflows of Serverless Workflow run as its conformance kit wants it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from tests.integration.interop.examples import EXAMPLES, example
from tests.integration.interop.running import PETS, gives, run

from atomiton.blueprint.yaml import load
from atomiton.interop import import_workflow


def scenarios() -> list[tuple[str, str]]:
    found = []
    for path in sorted((EXAMPLES / "serverless" / "ctk").glob("*.feature")):
        for part in re.split(r"\n  Scenario: ", path.read_text(encoding="utf-8"))[1:]:
            title, _, text = part.partition("\n")
            if "call: openapi" not in text and "emit:" not in text:
                found.append((f"{path.stem}: {title.strip()}", text))
    return found


SCENARIOS = dict(scenarios())


def block(text: str, title: str) -> str | None:
    found = re.search(rf'{title}[^\n]*\n\s*"""yaml\n(.*?)"""', text, re.DOTALL)
    return textwrap.dedent(found[1]) if found else None


def data(text: str | None) -> object:
    return load(f"value:\n{textwrap.indent(text, '  ')}").data["value"] if text else {}


def test_the_kit_is_there() -> None:
    if not SCENARIOS:
        pytest.skip("the kit is not there")
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
    text = example("serverless/examples/star-wars-homeworld.yaml").decode()
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
async def test_serverless_switch(kind: str, wanted: object, tmp_path: Path) -> None:
    text = example("serverless/examples/switch-then-string.yaml").decode()
    assert await gives(text, tmp_path, input={"orderType": kind}) == wanted


async def test_serverless_shell(tmp_path: Path) -> None:
    name = "run-shell-stdin-and-arguments.yaml"
    text = example(f"serverless/examples/{name}").decode()
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
