"""What is known before a run, beside names: facts, moments, texts, types, words."""

from __future__ import annotations

import pytest
from tests.unit.blueprint.test_refusals import SET, compiled, one

from atomiton.errors import BlueprintError

# -- what is known of a run, a node, an error ----------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("run.statsu", "'run' has no field 'statsu'", "did you mean 'status'?"),
        ("nodes.a.stat", "'nodes.a' has no field 'stat'", "did you mean 'status'?"),
        ("nodes.a.error.cod", "'nodes.a.error' has no field 'cod'", "did you mean 'code'?"),
        (
            "run.owner",
            "'run' has no field 'owner'",
            "its fields: id, blueprint, version, started_at, status, error",
        ),
    ],
)
def test_a_fact_that_nothing_has_is_refused(expression: str, message: str, hint: str) -> None:
    text = "nodes: {a: %s}, b: {uses: data.value, with: {value: '${{ %s }}'}}}"
    assert one(text % (SET, expression)) == (
        "UNKNOWN_REFERENCE",
        "nodes.b.with.value",
        message,
        hint,
    )


def test_a_fact_that_may_be_missing_can_be_asked_for() -> None:
    text = "nodes: {a: %s}}\noutput: '${{ [run.?x.orValue(1), has(nodes.a.x), run.error.code] }}'"
    compiled(text % SET)


# -- moments and texts ---------------------------------------------------------------------------


def test_a_moment_that_is_none_is_refused() -> None:
    code, path, message, hint = one("nodes: {w: {wait: {until: '2024-13-01T00:00:00Z'}}}")
    assert (code, path, hint) == (
        "INVALID_BLUEPRINT",
        "nodes.w.wait.until",
        "such as 2030-01-01T00:00:00Z",
    )
    assert message.startswith("'2024-13-01T00:00:00Z' is no moment: ")
    assert one("nodes: {w: {wait: {until: '2024-12-01T00:00:00'}}}")[2:] == (
        "the moment 2024-12-01T00:00:00 has no time zone",
        "add Z or an offset such as +02:00",
    )


@pytest.mark.parametrize(
    ("schedule", "path", "message", "hint"),
    [
        ("{cron: '61 * * * *'}", "cron", "'cron' '61 * * * *' has no moments: ", "five fields"),
        ("{cron: '* * * * frob'}", "cron", "'cron' '* * * * frob' has no moments: ", "five fields"),
        ("{cron: '0 0 30 2 *'}", "cron", "'cron' '0 0 30 2 *' has no moments: ", "five fields"),
        (
            "{cron: '@daily', timezone: Europe/Berln}",
            "timezone",
            "there is no time zone 'Europe/Berln'",
            "did you mean 'Europe/Berlin'?",
        ),
    ],
)
def test_a_schedule_without_moments_is_refused(
    schedule: str, path: str, message: str, hint: str
) -> None:
    code, at, told, way = one(f"triggers: [{{schedule: {schedule}}}]\nnodes: {{a: {SET}}}}}")
    assert (code, at) == ("INVALID_BLUEPRINT", f"triggers[0].schedule.{path}")
    assert told.startswith(message)
    assert way is not None
    assert way.startswith(hint)


@pytest.mark.parametrize(
    ("value", "hint"), [(" ${{ 3 }}", "leave out the spaces"), ("n ${{ 3 }}", "only the")]
)
def test_text_around_an_expression_is_no_list(value: str, hint: str) -> None:
    text = "nodes: {f: {uses: data.flatten, with: {items: '%s'}}}"
    code, path, message, given = one(text % value)
    assert (code, path) == ("TYPE_MISMATCH", "nodes.f.with.items")
    assert message == (
        "what holds text beside an expression is text, but parameter 'items' takes array"
    )
    assert hint in (given or "")


# -- words of which there are few ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        (f"nodes: {{a: {SET}, runtime: treads}}}}", "nodes.a.runtime", "did you mean 'thread'?"),
        (f"nodes: {{a: {SET}, wiht: 1}}}}", "nodes.a.wiht", "did you mean 'with'?"),
        (f"nodes: {{a: {SET}, on_error: contineu}}}}", "nodes.a.on_error", "'continue'"),
        (f"nodes: {{a: {SET}, on_error: {{valeu: 1}}}}}}", "nodes.a.on_error.valeu", "'value'"),
        (f"nodes: {{a: {SET}}}}}\ncompensate_on: [failur]", "compensate_on[0]", "'failure'"),
        (f"nodes: {{a: {SET}}}}}\ndefaults: {{runtime: x}}", "defaults.runtime", ""),
    ],
)
def test_a_slip_is_told_with_the_right_word(text: str, path: str, hint: str) -> None:
    with pytest.raises(BlueprintError) as caught:
        compiled(text)
    found = {problem.path: problem.hint or "" for problem in caught.value.problems}
    assert hint in found[path]


# -- what groups, loops and people give ----------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "reference", "message"),
    [
        ("nodes: {v: %s}}, output: {total: '${{ v }}'}", "g.totl", "'g' has no output 'totl'"),
        ("nodes: {v: %s}}, output: 'n ${{ v }}'", "g", "nodes.g gives text"),
        ("nodes: {v: %s}}, output: 'n ${{ v }}', loop: {until: 'true'}", "g", "nodes.g gives text"),
        ("nodes: {v: %s}}", "g", "nodes.g gives object"),
        (
            "nodes: {v: {uses: file.exists, with: {path: x}}}, output: '${{ v.exists }}'",
            "g",
            "bool",
        ),
        ("wait: {approval: {fields: {n: {type: number}}}}", "g.fields.n", "gives number"),
        ("wait: {approval: {}}", "g.approvd", "'g' has no output 'approvd'"),
    ],
)
def test_what_a_body_or_a_person_gives_is_known(node: str, reference: str, message: str) -> None:
    node = node % SET if "%s" in node else node
    text = "nodes: {g: {%s}, f: {uses: data.flatten, with: {items: '${{ %s }}'}}}"
    assert message in one(text % (node, reference))[2]


def test_what_a_loop_without_a_turn_gives_is_not_known() -> None:
    group = "g: {nodes: {v: %s}}, output: text, loop: {times: 3}}"
    compiled("nodes: {%s, f: {uses: data.flatten, with: {items: '${{ g }}'}}}" % (group % SET))
