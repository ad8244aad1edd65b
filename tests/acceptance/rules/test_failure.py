"""Section 9: failure, errors, and the states of nodes and runs."""

from __future__ import annotations

import pytest
from tests.acceptance.rules.world import World, code, statuses


async def test_a_node_that_fails_after_its_last_attempt_fails_the_run(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.fail, retry: {attempts: 2, delay: 0}}
          b: {uses: t.do, needs: a}
    """)
    assert (result.status, result.output) == ("failed", None)
    assert world.acts == ["a!", "a!"]
    assert statuses(result) == {"a": "failed", "b": "cancelled"}


async def test_an_error_has_code_message_node_attempt_retryable_and_details(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.fail, with: {code: MINE}, retry: {attempts: 2, delay: 0}}
          see: {uses: t.do, needs: [a.error], with: {value: "${{ nodes.a.error }}"}}
    """)
    assert result.output == {
        "see": {
            "code": "MINE",
            "message": "no luck",
            "node": "a",
            "attempt": 2,
            "retryable": True,
            "details": {"try": 2},
        }
    }


async def test_an_error_route_is_taken_and_what_needs_the_node_is_skipped(world: World) -> None:
    result = await world.run("""
        nodes:
          x: {uses: t.fail}
          y: {uses: t.do, needs: x}
          z: {uses: t.do, with: {value: "${{ y }}"}}
          fix: {uses: t.do, needs: [x.error], with: {value: "${{ nodes.x.error.message }}"}}
    """)
    assert (result.status, result.output) == ("completed", {"z": None, "fix": "no luck"})
    assert statuses(result) == {"x": "failed", "y": "skipped", "z": "skipped", "fix": "completed"}


async def test_an_error_route_is_not_taken_when_all_is_well(world: World) -> None:
    result = await world.run("""
        nodes:
          x: {uses: t.do}
          fix: {uses: t.do, needs: [x.error]}
    """)
    assert statuses(result) == {"x": "completed", "fix": "skipped"}


async def test_an_error_route_that_fails_fails_the_run_with_its_own_error(world: World) -> None:
    result = await world.run("""
        nodes:
          x: {uses: t.fail}
          fix: {uses: t.fail, needs: [x.error], with: {code: WORSE}}
    """)
    assert (result.status, code(result)) == ("failed", "WORSE")


@pytest.mark.parametrize(
    "node",
    [
        "{nodes: {a: {uses: t.fail}}}",
        "{map: [1], uses: t.fail}",
        "{loop: {times: 2}, uses: t.fail}",
        "{branch: {a: '1'}}",
        "{uses: t.fail, if: 1 / 0 > 1}",
        "{uses: t.do, with: {value: '${{ 1 / 0 }}'}}",
        "{nodes: {a: {uses: t.do}}, output: '${{ a.x }}'}",
    ],
)
async def test_every_kind_of_node_has_an_error_route_and_on_error(world: World, node: str) -> None:
    result = await world.run(f"nodes: {{x: {node}, fix: {{uses: t.do, needs: [x.error]}}}}")
    assert (result.status, statuses(result)["fix"]) == ("completed", "completed")
    node = f"{node[:-1]}, on_error: {{value: 7}}}}"
    result = await world.run(f"nodes: {{x: {node}}}")
    assert (result.status, result.output) == ("completed", {"x": 7})
    assert statuses(result)["x"] == "failed"


async def test_on_error_continue_goes_on_with_null(world: World) -> None:
    result = await world.run("""
        nodes:
          x: {uses: t.fail, on_error: continue}
          y: {uses: t.do, with: {value: "${{ [x, x.field, nodes.x.status] }}"}}
    """)
    assert result.output == {"y": [None, None, "failed"]}


async def test_on_error_value_goes_on_with_it(world: World) -> None:
    result = await world.run("""
        nodes:
          x: {uses: t.fail, on_error: {value: {n: 5}}}
          y: {uses: t.do, with: {value: "${{ x.n }}"}}
    """)
    assert result.output == {"y": 5}
    assert result.nodes["x"].error is not None


async def test_otherwise_nothing_new_starts_and_what_runs_is_cancelled(world: World) -> None:
    run = await world.start("""
        nodes:
          a: {uses: t.hold}
          b: {uses: t.hold}
          w: {wait: {for: 1h}}
          fails: {uses: t.fail, needs: a}
          late: {uses: t.do, needs: [b]}
    """)
    await world.until("a?", "b?")
    world.release("a")
    result = await run.result()
    assert world.acts == ["a?", "b?", "a", "fails!", "b~"]
    assert statuses(result) == {
        "a": "completed",
        "b": "cancelled",
        "w": "cancelled",
        "fails": "failed",
        "late": "cancelled",
    }


async def test_the_first_error_is_the_one_of_the_run(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.fail, with: {code: FIRST}}
          b: {uses: t.fail, with: {code: SECOND}}
    """)
    assert code(result) == "FIRST"


async def test_a_failure_inside_a_group_names_the_inner_node(world: World) -> None:
    result = await world.run("""
        nodes:
          g: {nodes: {h: {nodes: {a: {uses: t.fail}, b: {uses: t.do, needs: a}}}}}
          after: {uses: t.do, needs: g}
    """)
    assert result.error is not None
    assert result.error.node == "g.h.a"
    assert statuses(result) == {
        "g": "failed",
        "after": "cancelled",
        "g.h": "failed",
        "g.h.a": "failed",
        "g.h.b": "cancelled",
    }
    assert result.nodes["g"].error == result.error


async def test_a_failure_inside_a_group_can_be_met_at_any_level(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            nodes:
              h: {nodes: {a: {uses: t.fail}, b: {uses: t.hold}}, on_error: {value: met}}
              c: {uses: t.do, with: {value: "${{ h }}"}}
    """)
    assert (result.status, result.output) == ("completed", {"g": {"c": "met"}})
    assert statuses(result)["g.h.b"] == "cancelled"


# -- states --------------------------------------------------------------------------------------


async def test_the_states_of_nodes_and_runs(world: World) -> None:
    run = await world.start("""
        nodes:
          done: {uses: t.do}
          runs: {uses: t.hold}
          waits: {wait: {for: 1h}}
          skips: {uses: t.do, if: 'false'}
          fails: {uses: t.fail, on_error: continue}
          later: {uses: t.do, needs: [waits]}
    """)
    await world.until("runs?")
    shown = await world.conductor.show(run.id)
    assert (shown.status, statuses(shown)) == (
        "running",
        {
            "done": "completed",
            "runs": "running",
            "waits": "waiting",
            "skips": "skipped",
            "fails": "failed",
            "later": "pending",
        },
    )
    world.release("runs")
    await world.until("runs")
    assert (await world.conductor.show(run.id)).status == "waiting"
    await run.pause()
    assert (await world.conductor.show(run.id)).status == "paused"
    await run.cancel()
    result = await run.result()
    assert (result.status, statuses(result)["later"]) == ("cancelled", "cancelled")
