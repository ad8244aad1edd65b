"""Section 2: the keys of the document."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.acceptance.rules.world import World, code, statuses

from atomiton import InputError
from atomiton.blueprint.compile import content_hash

ONE = "nodes: {a: {uses: t.do}}\n"


@pytest.mark.parametrize("missing", ["atomiton", "id", "nodes"])
def test_the_format_the_id_and_the_nodes_are_required(world: World, missing: str) -> None:
    lines = {"atomiton": "atomiton: 1", "id": "id: x", "nodes": "nodes: {a: {uses: t.do}}"}
    text = "\n".join(line for key, line in lines.items() if key != missing)
    text = text if missing != "atomiton" else f"# atomiton\n{text}"
    if missing == "atomiton":
        text = "atomiton: 2\n" + text
        assert "which is 1" in world.problem(text).message
    else:
        assert world.problem(text).message == f"a blueprint needs the key '{missing}'"


@pytest.mark.parametrize("bad", ["Order", "-a", "a b", "a" * 65, "''"])
def test_an_id_is_small_letters_digits_and_dashes(world: World, bad: str) -> None:
    assert world.problem(f"atomiton: 1\nid: {bad}\n{ONE}").path == "id"


def test_at_least_one_node_is_needed(world: World) -> None:
    assert "at least one node" in world.problem("nodes: {}").message


@pytest.mark.parametrize("name", ["Order", "1a", "a-b", "inputs", "nodes", "item", "acc", "true"])
def test_the_id_of_a_node_is_no_name_that_means_something_else(world: World, name: str) -> None:
    assert world.problem(f"nodes: {{'{name}': {{uses: t.do}}}}").path == f"nodes.{name}"


async def test_what_is_for_people_changes_nothing(world: World) -> None:
    result = await world.run(
        "name: A\nversion: 1.0.0\ndescription: b\nmetadata: {author: c, tags: [d], any: {e: 1}}\n"
        + ONE
    )
    assert result.ok


async def test_an_input_is_required_unless_it_has_a_default(world: World) -> None:
    text = "inputs: {a: string, b: {type: integer, default: 2}}\n" + ONE + "output: ${{ inputs }}"
    assert (await world.run(text, {"a": "x"})).output == {"a": "x", "b": 2}
    with pytest.raises(InputError, match="the input 'a' is missing"):
        await world.run(text, {})


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        ("string", 1, "expected string"),
        ("{type: integer, minimum: 3}", 2, "expected at least 3"),
        ("{enum: [a, b]}", "c", "expected one of 'a', 'b'"),
        ("{type: array, items: integer}", [1, "x"], r"expected integer"),
    ],
)
async def test_unknown_inputs_and_wrong_types_are_refused_before_anything_runs(
    world: World, declared: str, given: object, message: str
) -> None:
    text = f"inputs: {{a: {declared}}}\n{ONE}"
    with pytest.raises(InputError, match=message):
        await world.run(text, {"a": given})
    with pytest.raises(InputError, match="there is no input 'b'"):
        await world.run("inputs: {a: any}\n" + ONE, {"a": 1, "b": 1})
    assert world.acts == []


async def test_variables_are_seen_as_vars(world: World) -> None:
    result = await world.run("variables: {x: {y: [1]}}\n" + ONE + "output: ${{ vars.x.y[0] }}")
    assert result.output == 1


async def test_secrets_are_resolved_only_for_the_parameters_of_nodes(world: World) -> None:
    text = "secrets: [TOKEN]\nnodes: {a: {uses: t.secret, with: {given: '${{ secrets.TOKEN }}'}}}\n"
    assert (await world.run(text)).output == {"a": True}
    for place in (
        "nodes: {a: {uses: t.do, if: secrets.TOKEN == 'x'}}",
        "nodes: {a: {map: ['${{ secrets.TOKEN }}'], uses: t.do}}",
        "nodes: {a: {branch: {x: secrets.TOKEN == 'x'}}}",
        "nodes: {a: {wait: {signal: x, match: payload == secrets.TOKEN}}}",
        "nodes: {a: {loop: {times: 1, start: '${{ secrets.TOKEN }}'}, uses: t.do}}",
        "nodes: {a: {nodes: {b: {uses: t.do}}, output: '${{ secrets.TOKEN }}'}}",
        ONE + "output: ${{ secrets.TOKEN }}",
    ):
        problem = world.problem(f"secrets: [TOKEN]\n{place}")
        assert problem.message == "secrets can only be used in the parameters of a node"


def test_only_secrets_that_are_named_may_be_read(world: World) -> None:
    text = "secrets: [OTHER]\nnodes: {a: {uses: t.text, with: {value: '%s'}}}"
    problem = world.problem(text % "${{ secrets.OTHR }}")
    assert problem.message == "the blueprint does not declare a secret 'OTHR'"
    assert problem.hint == "did you mean 'OTHER'?"
    problem = world.problem(text % "${{ string(secrets) }}")
    assert problem.message == "'secrets' needs the name of a secret: secrets.NAME"


async def test_a_secret_is_in_no_fact_no_error_and_no_result(world: World) -> None:
    run = await world.start("""
        secrets: [TOKEN]
        nodes:
          a: {uses: t.fail, with: {code: "X", value: "${{ secrets.TOKEN }}"}, on_error: continue}
          b: {uses: t.add, with: {x: "${{ secrets.TOKEN }}"}}
    """)
    result = await run.result()
    facts = [str(event) async for event in world.conductor.events(run.id)]
    assert "s3cret" not in "".join([*facts, str(result.error), str(result.nodes)])


async def test_output_is_an_expression_or_any_value_that_holds_some(world: World) -> None:
    node = "nodes: {a: {uses: t.do, with: {value: {n: 1}}}}\n"
    assert (await world.run(node + "output: ${{ a.n }}")).output == 1
    text = "output: {list: ['${{ a.n }}', x], text: 'n=${{ a.n }}'}"
    assert (await world.run(node + text)).output == {"list": [1, "x"], "text": "n=1"}
    assert (await world.run(node + "output: null")).output is None


async def test_without_output_it_is_an_object_of_the_sinks(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, with: {value: 1}}
          b: {uses: t.do, with: {value: 2}, needs: a}
          c: {uses: t.do, if: 'false'}
    """)
    assert result.output == {"b": 2, "c": None}


async def test_defaults_are_of_every_node_that_runs_a_type_and_does_not_say_otherwise(
    world: World,
) -> None:
    result = await world.run("""
        defaults: {retry: {attempts: 3, delay: 0}, timeout: 20ms}
        nodes:
          a: {uses: t.fail, with: {times: 2}}
          b: {uses: t.fail, retry: {attempts: 1}, on_error: continue}
          c: {uses: t.hold, retry: {attempts: 1}, on_error: continue}
          d: {uses: t.left, timeout: 1h}
          w: {wait: {for: 30ms}}
          g: {nodes: {x: {uses: t.fail, with: {times: 2}}}}
    """)
    assert result.ok
    attempts = {path: node.attempts for path, node in result.nodes.items()}
    assert attempts == {"a": 3, "b": 1, "c": 1, "d": 1, "w": 1, "g": 1, "g.x": 3}
    assert result.nodes["c"].error is not None
    assert result.nodes["c"].error.code == "TIMEOUT"


# -- limits --------------------------------------------------------------------------------------


async def test_concurrency_bounds_the_nodes_at_once_in_the_run(world: World) -> None:
    run = await world.start("""
        limits: {concurrency: 2}
        nodes:
          a: {uses: t.hold}
          g: {nodes: {b: {uses: t.hold}}}
          m: {map: [1, 2], uses: t.hold}
    """)
    paths = ["a", "g.b", "m[0]", "m[1]"]
    world.release(*paths)
    assert (await run.result()).ok
    assert world.most == 2


async def test_timeout_bounds_the_wall_clock_of_the_run(world: World) -> None:
    began = time.monotonic()
    result = await world.run("""
        limits: {timeout: 40ms}
        nodes:
          a: {uses: t.hold}
          g: {nodes: {w: {wait: {for: 1h}}}}
    """)
    assert (result.status, code(result)) == ("failed", "TIMEOUT")
    assert time.monotonic() - began < 5
    assert set(statuses(result).values()) == {"cancelled"}


async def test_steps_bounds_the_attempts_of_the_run(world: World) -> None:
    result = await world.run("""
        limits: {steps: 3}
        nodes: {m: {map: [1, 2, 3, 4], concurrency: 1, uses: t.do}}
    """)
    assert (code(result), len(world.acts)) == ("LIMIT_EXCEEDED", 3)


async def test_cost_bounds_what_attempts_spend_in_the_run(world: World) -> None:
    result = await world.run("""
        limits: {cost: 2.5}
        nodes: {m: {map: [1, 2, 3, 4], concurrency: 1, uses: t.spend, with: {amount: 1}}}
    """)
    assert (code(result), result.cost) == ("LIMIT_EXCEEDED", 3)


async def test_the_cost_of_a_called_blueprint_is_bounded_by_its_caller(world: World) -> None:
    each = "{map: [1, 2], concurrency: 1, uses: t.spend, with: {amount: 1}}"
    called = {"x": f"limits: {{cost: 1}}\nnodes: {{m: {each}}}"}
    assert (await world.run("nodes: {c: {call: x}}", called=called)).cost == 2
    result = await world.run("limits: {cost: 1}\nnodes: {c: {call: x}}", called=called)
    assert (code(result), result.cost) == ("LIMIT_EXCEEDED", 1)


@pytest.mark.parametrize("durability", ["sync", "async", "none"])
async def test_every_durability_gives_the_same_result(world: World, durability: str) -> None:
    text = f"durability: {durability}\nnodes: {{a: {{uses: t.do, with: {{value: 1}}}}}}"
    assert (await world.run(text)).output == {"a": 1}


@pytest.mark.parametrize(
    ("wanted", "undone"), [("failure", True), ("cancel", False), ("", False)]
)  # fmt: skip
async def test_compensate_on_says_when_completed_nodes_are_compensated(
    world: World, wanted: str, undone: bool
) -> None:
    await world.run(f"""
        compensate_on: [{wanted}]
        nodes:
          a: {{uses: t.do, compensate: {{uses: t.do}}}}
          b: {{uses: t.fail, needs: a}}
    """)
    assert ("a:compensate" in world.acts) is undone


# -- on ------------------------------------------------------------------------------------------

ON = """
    nodes:
      a: {uses: t.do, with: {value: 5}}
      b: {uses: %s, needs: a}
    on:
      success: {uses: t.do, with: {value: success}}
      failure: {uses: t.do, with: {value: "${{ [a, run.status, run.error.code] }}"}}
      cancel: {uses: t.do, with: {value: "${{ run.error.message }}"}}
      always: {uses: t.do, with: {value: "${{ [run.status, nodes.b.status] }}"}}
"""


async def test_on_success_and_always_run_after_a_run_that_completed(world: World) -> None:
    result = await world.run(ON % "t.do")
    assert (result.status, result.output) == ("completed", {"b": None})
    assert world.acts == ["a", "b", "on:success", "on:always"]
    assert world.outputs["on:always"] == ["completed", "completed"]
    assert statuses(result)["on:success"] == "completed"


async def test_on_failure_sees_the_outputs_of_all_nodes_and_the_error(world: World) -> None:
    result = await world.run(ON % "t.fail")
    assert result.status == "failed"
    assert world.acts == ["a", "b!", "on:failure", "on:always"]
    assert world.outputs["on:failure"] == [5, "failed", "NODE_FAILED"]


async def test_on_cancel_runs_after_a_run_that_was_cancelled(world: World) -> None:
    run = await world.start(ON % "t.hold")
    await world.until("b?")
    await run.cancel("enough")
    assert (await run.result()).status == "cancelled"
    assert world.acts[-2:] == ["on:cancel", "on:always"]
    assert world.outputs["on:cancel"] == "enough"


async def test_the_failure_of_an_on_node_never_changes_the_status_of_the_run(
    world: World,
) -> None:
    result = await world.run("""
        nodes: {a: {uses: t.do, with: {value: 1}}}
        on:
          success: {uses: t.fail, retry: {attempts: 2, delay: 0}}
          always: {nodes: {x: {uses: t.fail}, y: {uses: t.do, needs: x}}}
    """)
    assert (result.status, result.output, result.error) == ("completed", {"a": 1}, None)
    assert world.acts == ["a", "on:success!", "on:success!", "on:always.x!"]
    assert result.nodes["on:success"].error is not None


async def test_on_runs_after_compensation(world: World) -> None:
    await world.run("""
        nodes:
          a: {uses: t.do, compensate: {uses: t.do}}
          b: {uses: t.fail, needs: a}
        on: {failure: {uses: t.do}}
    """)
    assert world.acts == ["a", "b!", "a:compensate", "on:failure"]


async def test_an_on_node_may_have_a_condition_and_be_repeated(world: World) -> None:
    result = await world.run("""
        nodes: {a: {uses: t.do, with: {value: [1, 2]}}}
        on:
          success: {if: a.size() > 2, uses: t.do}
          always: {map: "${{ a }}", uses: t.do, with: {value: "${{ item }}"}}
    """)
    assert result.ok
    assert world.acts == ["a", "on:always[0]", "on:always[1]"]
    assert statuses(result)["on:success"] == "skipped"


async def test_a_cancel_stops_what_runs_at_the_end_and_not_how_the_run_ended(
    world: World,
) -> None:
    run = await world.start("""
        nodes: {a: {uses: t.do}}
        on: {success: {uses: t.hold}, always: {uses: t.do}}
    """)
    await world.until("on:success?")
    await run.cancel()
    result = await run.result()
    assert result.status == "completed"
    assert statuses(result) == {
        "a": "completed",
        "on:success": "cancelled",
        "on:always": "cancelled",
    }


@pytest.mark.parametrize("key", ["needs: a", "join: any", "on_error: continue",
                                 "compensate: {uses: t.do}"])  # fmt: skip
def test_an_on_node_may_not_have_what_makes_no_sense_for_it(world: World, key: str) -> None:
    problem = world.problem(ONE + f"'on': {{always: {{uses: t.do, {key}}}}}")
    name = key.split(":")[0]
    assert problem.message == f"a node that runs at the end cannot have '{name}'"
    assert problem.path == f"on.always.{name}"


# -- the rest ------------------------------------------------------------------------------------


async def test_layout_and_triggers_change_no_run_that_is_started_by_hand(world: World) -> None:
    text = ONE + "layout: {a: [1, 2]}\ntriggers: [{event: {type: x}}]\n"
    assert (await world.run(text)).ok
    assert content_hash({"id": "a", "layout": {"a": [1, 2]}}) == content_hash({"id": "a"})


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        ("outputs: 1\n" + ONE, "outputs", "output"),
        ("nodes: {a: {uses: t.do, needz: b}}", "nodes.a.needz", "needs"),
        ("nodes: {a: {uses: t.do, retry: {attempt: 2}}}", "nodes.a.retry.attempt", "attempts"),
        ("nodes: {a: {wait: {fro: 1s}}}", "nodes.a.wait.fro", "for"),
        ("limits: {timeot: 1s}\n" + ONE, "limits.timeot", "timeout"),
        ("nodes: {a: {uses: t.do, loop: {time: 1}}}", "nodes.a.loop.time", "times"),
    ],
)
def test_unknown_keys_are_errors_everywhere_with_the_nearest_known_key(
    world: World, text: str, path: str, hint: str
) -> None:
    (problem,) = [found for found in world.problems(text) if found.path == path]
    assert problem.code == "INVALID_BLUEPRINT"
    assert f"'{hint}'" in str(problem.hint)


async def test_limits_of_the_run_hold_over_a_pause(world: World) -> None:
    run = await world.start("limits: {timeout: 50ms}\nnodes: {w: {wait: {for: 1h}}}")
    await run.pause()
    async with asyncio.timeout(5):
        assert code(await run.result()) == "TIMEOUT"
