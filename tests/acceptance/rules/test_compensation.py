"""Section 9: compensation."""

from __future__ import annotations

import pytest
from tests.acceptance.rules.world import World, code, compensation, statuses

UNDO = "compensate: {uses: t.do}"


async def test_compensation_sees_what_the_node_gave(world: World) -> None:
    result = await world.run("""
        nodes:
          charge:
            uses: t.do
            with: {value: {id: 7}}
            compensate: {uses: t.do, with: {value: "${{ [charge.id, other] }}"}}
          other: {uses: t.do, with: {value: 2}}
          fails: {uses: t.fail, needs: [charge, other]}
    """)
    assert result.status == "failed"
    assert world.acts == ["charge", "other", "fails!", "charge:compensate"]
    assert world.outputs["charge:compensate"] == [7, 2]
    assert compensation(result) == (["charge"], [])
    assert statuses(result)["charge"] == "completed"


async def test_completed_nodes_are_compensated_last_completed_first(world: World) -> None:
    run = await world.start(f"""
        nodes:
          a: {{uses: t.hold, {UNDO}}}
          b: {{uses: t.hold, {UNDO}}}
          c: {{uses: t.do, needs: [a, b], {UNDO}}}
          fails: {{uses: t.fail, needs: c, {UNDO}}}
    """)
    await world.until("a?", "b?")
    for name in "ba":
        world.release(name)
        await world.until(name)
    result = await run.result()
    assert world.acts[-4:] == ["fails!", "c:compensate", "a:compensate", "b:compensate"]
    assert compensation(result) == (["c", "a", "b"], [])


async def test_compensations_run_one_after_the_other(world: World) -> None:
    run = await world.start("""
        nodes:
          a: {uses: t.do, compensate: {uses: t.hold}}
          b: {uses: t.do, needs: a, compensate: {uses: t.hold}}
          fails: {uses: t.fail, needs: b}
    """)
    await world.until("b:compensate?")
    assert (await world.conductor.show(run.id)).status == "compensating"
    assert "a:compensate?" not in world.acts
    assert compensation(await world.conductor.show(run.id)) == ([], [])
    world.release("b:compensate")
    await world.until("a:compensate?")
    world.release("a:compensate")
    assert (await run.result()).status == "failed"


async def test_only_completed_nodes_are_compensated(world: World) -> None:
    result = await world.run(f"""
        nodes:
          skipped: {{uses: t.do, if: 'false', {UNDO}}}
          met: {{uses: t.fail, on_error: continue, {UNDO}}}
          runs: {{uses: t.hold, {UNDO}}}
          fails: {{uses: t.fail, needs: [met], {UNDO}}}
          never: {{uses: t.do, needs: [fails], {UNDO}}}
    """)
    assert compensation(result) == ([], [])


async def test_the_failed_node_itself_is_compensated_only_with_when_failed(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, compensate: {uses: t.do}}
          fails:
            uses: t.fail
            needs: a
            compensate: {uses: t.do, when_failed: true, with: {value: "${{ fails.id }}"}}
    """)
    assert world.acts == ["a", "fails!", "fails:compensate", "a:compensate"]
    assert compensation(result) == (["fails", "a"], [])


async def test_what_was_cancelled_at_work_counts_as_failed(world: World) -> None:
    undo = "compensate: {uses: t.do, when_failed: true}"
    run = await world.start(f"""
        nodes:
          runs: {{uses: t.hold, {undo}}}
          never: {{uses: t.do, needs: runs, {undo}}}
    """)
    await world.until("runs?")
    await run.cancel()
    assert compensation(await run.result()) == (["runs"], [])


async def test_each_is_compensated_once_under_a_key_of_its_own(world: World) -> None:
    result = await world.run("""
        nodes:
          a:
            uses: t.do
            compensate: {uses: t.fail, with: {times: 2}, retry: {attempts: 3, delay: 0}}
          fails: {uses: t.fail, needs: a}
    """)
    assert world.acts[2:] == ["a:compensate!", "a:compensate!", "a:compensate"]
    assert set(world.keys[2:]) == {f"{result.run}/a:compensate"}
    assert compensation(result) == (["a"], [])


async def test_a_compensation_that_fails_is_recorded_and_the_others_still_run(
    world: World,
) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, compensate: {uses: t.do}}
          b: {uses: t.do, needs: a, compensate: {uses: t.fail, with: {code: WORSE}}}
          c: {uses: t.do, needs: b, compensate: {uses: t.do, with: {value: "${{ 1 / 0 }}"}}}
          fails: {uses: t.fail, needs: c}
    """)
    assert (result.status, code(result)) == ("failed", "NODE_FAILED"), "the original error"
    assert compensation(result) == (["a"], ["c", "b"])
    assert result.nodes["b:compensate"].error is not None
    assert result.nodes["b:compensate"].error.code == "WORSE"


async def test_a_cancelled_run_is_compensated_too(world: World) -> None:
    run = await world.start(f"""
        nodes:
          a: {{uses: t.do, {UNDO}}}
          b: {{uses: t.hold, needs: a}}
    """)
    await world.until("b?")
    await run.cancel("enough")
    result = await run.result()
    assert (result.status, code(result)) == ("cancelled", "CANCELLED")
    assert compensation(result) == (["a"], [])


async def test_a_cancel_does_not_stop_the_compensation_of_a_failed_run(world: World) -> None:
    run = await world.start("""
        nodes:
          a: {uses: t.do, compensate: {uses: t.hold}}
          fails: {uses: t.fail, needs: a}
    """)
    await world.until("a:compensate?")
    await run.cancel()
    world.release("a:compensate")
    result = await run.result()
    assert (result.status, code(result)) == ("failed", "NODE_FAILED")
    assert compensation(result) == (["a"], [])


async def test_a_run_that_completes_compensates_nothing(world: World) -> None:
    result = await world.run(f"nodes: {{a: {{uses: t.do, {UNDO}}}}}")
    assert (result.status, world.acts) == ("completed", ["a"])


async def test_an_output_that_cannot_be_made_fails_the_run_and_compensates(world: World) -> None:
    result = await world.run(f"nodes: {{a: {{uses: t.do, {UNDO}}}}}\noutput: ${{{{ a.x }}}}")
    assert (result.status, world.acts) == ("failed", ["a", "a:compensate"])


async def test_items_turns_and_inner_nodes_are_compensated(world: World) -> None:
    result = await world.run(f"""
        nodes:
          m: {{map: [5, 6], as: n, uses: t.do, with: {{value: "${{{{ n }}}}"}},
               compensate: {{uses: t.do, with: {{value: "${{{{ [m, n, index] }}}}"}}}}}}
          l: {{needs: m, loop: {{times: 2, start: 0}},
               uses: t.do, with: {{value: "${{{{ acc + 1 }}}}"}},
               compensate: {{uses: t.do, with: {{value: "${{{{ [l, acc, index] }}}}"}}}}}}
          g: {{needs: l, nodes: {{a: {{uses: t.do, {UNDO}}}}}, {UNDO}}}
          fails: {{uses: t.fail, needs: g}}
    """)
    assert compensation(result)[0] == ["g", "g.a", "l[1]", "l[0]", "m[1]", "m[0]"]
    assert world.outputs["m[0]:compensate"] == [5, 5, 0]
    assert world.outputs["l[1]:compensate"] == [2, 1, 1]


async def test_completed_nodes_of_a_group_that_failed_are_compensated(world: World) -> None:
    result = await world.run(f"""
        nodes:
          g:
            nodes:
              a: {{uses: t.do, {UNDO}}}
              b: {{uses: t.fail, needs: a}}
            {UNDO}
    """)
    assert compensation(result) == (["g.a"], [])


async def test_nodes_of_a_group_that_failed_are_compensated_also_when_the_run_goes_on_first(
    world: World,
) -> None:
    result = await world.run(f"""
        nodes:
          g:
            nodes:
              a: {{uses: t.do, {UNDO}}}
              b: {{uses: t.fail, needs: a}}
            on_error: continue
          later: {{uses: t.fail, needs: g}}
    """)
    assert compensation(result) == (["g.a"], [])


async def test_a_group_that_is_tried_again_leaves_the_nodes_of_all_attempts(world: World) -> None:
    result = await world.run(f"""
        nodes:
          g:
            retry: {{attempts: 2, delay: 0}}
            nodes:
              a: {{uses: t.do, {UNDO}}}
              b: {{uses: t.fail, needs: a}}
    """)
    assert world.acts.count("g.a:compensate") == 2
    assert compensation(result) == (["g.a", "g.a"], [])


async def test_a_call_is_compensated_like_a_group(world: World) -> None:
    child = """
        inputs: {n: integer}
        nodes:
          a:
            uses: t.do
            with: {value: "${{ inputs.n }}"}
            compensate: {uses: t.do, with: {value: "${{ [a, inputs.n, run.blueprint] }}"}}
    """
    result = await world.run(
        """
        nodes:
          c: {call: child, with: {n: 3}, compensate: {uses: t.do, with: {value: "${{ c.a }}"}}}
          fails: {uses: t.fail, needs: c}
    """,
        called={"child": child},
    )
    assert compensation(result) == (["c", "c.a"], [])
    assert world.outputs["c.a:compensate"] == [3, 3, "child"]
    assert world.outputs["c:compensate"] == 3


async def test_a_compensation_may_be_a_group_or_a_wait(world: World) -> None:
    result = await world.run("""
        nodes:
          a:
            uses: t.do
            with: {value: 4}
            compensate:
              nodes: {x: {uses: t.do, with: {value: "${{ a }}"}}, y: {uses: t.do, needs: x}}
          b: {uses: t.do, needs: a, compensate: {wait: {for: 1ms}}}
          fails: {uses: t.fail, needs: b}
    """)
    assert compensation(result) == (["b", "a"], [])
    assert world.acts[-2:] == ["a:compensate.x", "a:compensate.y"]
    assert world.outputs["a:compensate.x"] == 4


async def test_what_a_compensation_does_is_not_compensated(world: World) -> None:
    result = await world.run("""
        nodes:
          a:
            uses: t.do
            compensate: {nodes: {x: {uses: t.do, compensate: {uses: t.do}}, y: {uses: t.fail}}}
          fails: {uses: t.fail, needs: a}
    """)
    assert compensation(result) == ([], ["a"])
    assert "a:compensate.x:compensate" not in world.acts


async def test_a_compensation_that_is_a_group_fails_as_a_whole(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, compensate: {uses: t.do}}
          b:
            uses: t.do
            needs: a
            compensate: {nodes: {x: {uses: t.fail}, y: {uses: t.do, needs: x}}}
          fails: {uses: t.fail, needs: b}
    """)
    assert compensation(result) == (["a"], ["b"])


async def test_the_timeout_of_a_compensation_bounds_it(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, compensate: {uses: t.hold, timeout: 20ms}}
          b: {uses: t.do, needs: a, compensate: {uses: t.hold, deadline: 20ms}}
          fails: {uses: t.fail, needs: b}
    """)
    assert compensation(result) == ([], ["b", "a"])


async def test_a_compensation_that_is_not_enabled_is_none(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, compensate: {uses: t.do, enabled: false}}
          fails: {uses: t.fail, needs: a}
    """)
    assert compensation(result) == ([], [])
    assert "a:compensate" not in result.nodes


async def test_compensation_is_not_bounded_by_the_limits_of_the_run(world: World) -> None:
    result = await world.run("""
        limits: {steps: 2, timeout: 150ms}
        nodes:
          a: {uses: t.do, compensate: {nodes: {x: {uses: t.do}, w: {needs: x, wait: {for: 200ms}}}}}
          b: {uses: t.fail, needs: a}
    """)
    assert compensation(result) == (["a"], [])


async def test_what_cleans_up_does_so_before_anything_is_compensated(world: World) -> None:
    await world.run(f"""
        nodes:
          a: {{uses: t.do, {UNDO}}}
          fails: {{uses: t.fail, needs: a}}
          close: {{uses: t.do, needs: [fails], join: settled, {UNDO}}}
    """)
    assert world.acts[-3:] == ["close", "close:compensate", "a:compensate"]


@pytest.mark.parametrize(
    "key",
    [
        "needs: b",
        "if: 'true'",
        "join: any",
        "map: [1]",
        "loop: {times: 1}",
        "on_error: continue",
        "compensate: {uses: t.do}",
    ],
)
def test_a_compensation_may_not_have_what_makes_no_sense_for_it(world: World, key: str) -> None:
    problems = world.problems(
        f"nodes: {{b: {{uses: t.do}}, a: {{uses: t.do, compensate: {{uses: t.do, {key}}}}}}}"
    )
    name = key.split(":")[0]
    assert f"a compensation cannot have '{name}'" in [problem.message for problem in problems]
