"""Section 6: branches, skipping and joining."""

from __future__ import annotations

import asyncio

import pytest
from tests.acceptance.rules.world import World, code, statuses

ROUTES = """
    inputs: {score: number}
    nodes:
      route:
        branch:
          high: inputs.score > 80
          medium: inputs.score > 50
          low: else
      h: {uses: t.do, needs: [route.high]}
      m: {uses: t.do, needs: [route.medium]}
      l: {uses: t.do, needs: [route.low]}
    output: ${{ route }}
"""


@pytest.mark.parametrize(
    ("score", "route", "acts"), [(90, "high", "h"), (60, "medium", "m"), (10, "low", "l")]
)
async def test_the_first_condition_that_is_true_wins(
    world: World, score: float, route: str, acts: str
) -> None:
    result = await world.run(ROUTES, {"score": score})
    assert (result.status, result.output) == ("completed", {"route": route})
    assert world.acts == [acts]


async def test_routes_that_are_not_taken_are_skipped(world: World) -> None:
    result = await world.run(ROUTES, {"score": 60})
    assert statuses(result) == {
        "route": "completed",
        "h": "skipped",
        "m": "completed",
        "l": "skipped",
    }


ALL = """
    inputs: {n: integer}
    nodes:
      route:
        mode: all
        branch: {none: else, even: inputs.n % 2 == 0, big: inputs.n > 10}
      e: {uses: t.do, needs: [route.even]}
      b: {uses: t.do, needs: [route.big]}
      n: {uses: t.do, needs: [route.none]}
    output: ${{ route }}
"""


@pytest.mark.parametrize(
    ("n", "routes", "acts"),
    [(12, ["even", "big"], ["e", "b"]), (11, ["big"], ["b"]), (1, ["none"], ["n"])],
)
async def test_mode_all_takes_every_true_one_and_else_only_when_none_is(
    world: World, n: int, routes: list[str], acts: list[str]
) -> None:
    result = await world.run(ALL, {"n": n})
    assert result.output == {"routes": routes}
    assert world.acts == acts


async def test_else_is_taken_when_no_other_is_wherever_it_stands(world: World) -> None:
    text = "nodes: {r: {branch: {rest: else, yes: '%s'}}}\noutput: ${{ r.route }}\n"
    assert (await world.run(text % "true")).output == "yes"
    assert (await world.run(text % "false")).output == "rest"


async def test_a_condition_that_is_not_exactly_a_boolean_is_an_error(world: World) -> None:
    result = await world.run("nodes: {r: {branch: {a: '1', b: else}}}")
    assert (result.status, code(result)) == ("failed", "EXPRESSION_ERROR")
    assert result.error is not None
    assert result.error.node == "r"
    assert "true or false" in result.error.message


async def test_conditions_after_the_one_that_wins_are_not_evaluated(world: World) -> None:
    result = await world.run("nodes: {r: {branch: {a: 'true', b: 1 / 0 > 1}}}")
    assert result.output == {"r": {"route": "a"}}


@pytest.mark.parametrize(("mode", "output"), [("first", {"route": None}), ("all", {"routes": []})])
async def test_no_match_and_no_else_takes_no_route(world: World, mode: str, output: object) -> None:
    result = await world.run(f"""
        nodes:
          r: {{branch: {{a: 'false'}}, mode: {mode}}}
          x: {{uses: t.do, needs: [r.a]}}
        output: ${{{{ r }}}}
    """)
    assert (result.status, result.output) == ("completed", output)
    assert statuses(result)["x"] == "skipped"


async def test_a_condition_sees_outputs_and_that_makes_the_branch_wait(world: World) -> None:
    result = await world.run("""
        nodes:
          route: {branch: {high: score.value > 80, low: else}}
          score: {uses: t.do, with: {value: {value: 85}}}
          call_them: {uses: t.do, needs: [route.high], with: {value: called}}
    """)
    assert result.output == {"call_them": "called"}


# -- skipping ------------------------------------------------------------------------------------


async def test_a_node_whose_dependency_was_skipped_is_skipped(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, if: 'false'}
          b: {uses: t.do, needs: a}
          c: {uses: t.do, with: {value: '${{ b }}'}}
          d: {uses: t.do}
          e: {uses: t.do, needs: [d, b]}
    """)
    assert result.status == "completed"
    assert world.acts == ["d"]
    assert set(statuses(result).values()) == {"skipped", "completed"}


MERGE = """
    inputs: {fast: boolean}
    nodes:
      way: {branch: {fast: inputs.fast, slow: else}}
      f: {uses: t.do, needs: [way.fast], with: {value: {n: 1}}}
      s: {uses: t.do, needs: [way.slow], with: {value: {n: 2}}}
      s2: {uses: t.do, needs: [s], with: {value: '${{ s }}'}}
      merge:
        uses: t.do
        with: {value: {f: "${{ f.n }}", s: "${{ s2.n }}", whole: "${{ s2 }}"}}
"""


async def test_dependencies_on_different_routes_stand_in_for_each_other(world: World) -> None:
    result = await world.run(MERGE, {"fast": True})
    assert world.acts == ["f", "merge"]
    assert result.output == {"merge": {"f": 1, "s": None, "whole": None}}


async def test_the_node_runs_when_what_was_taken_is_done(world: World) -> None:
    result = await world.run(MERGE, {"fast": False})
    assert world.acts == ["s", "s2", "merge"]
    assert result.output == {"merge": {"f": None, "s": 2, "whole": {"n": 2}}}


async def test_references_into_the_route_not_taken_are_null_however_deep(world: World) -> None:
    result = await world.run("""
        nodes:
          way: {branch: {a: 'true', b: else}}
          a: {uses: t.do, needs: [way.a]}
          b: {uses: t.do, needs: [way.b]}
          m:
            needs: [a, b]
            uses: t.do
            with:
              value:
                - ${{ b.x.y }}
                - ${{ b.rows[0].id }}
                - ${{ b["x"] }}
                - ${{ b.?x.orValue(3) }}
                - ${{ has(b.x) }}
                - ${{ b.x == null && b == null }}
    """)
    assert result.output == {"m": [None, None, None, 3, False, True]}


async def test_a_field_of_a_null_that_a_node_gave_is_an_error_all_the_same(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do}
          b: {uses: t.do, with: {value: "${{ a.x }}"}}
    """)
    assert code(result) == "EXPRESSION_ERROR"


async def test_routes_of_different_branches_do_not_stand_in_for_each_other(world: World) -> None:
    result = await world.run("""
        nodes:
          one: {branch: {a: 'true', b: else}}
          two: {branch: {c: 'false', d: else}}
          x: {uses: t.do, needs: [one.a]}
          y: {uses: t.do, needs: [two.c]}
          both: {uses: t.do, needs: [x, y]}
    """)
    assert statuses(result)["both"] == "skipped"


async def test_a_branch_within_a_route_is_merged_again(world: World) -> None:
    text = """
        inputs: {n: integer}
        nodes:
          outer: {branch: {a: inputs.n > 0, b: else}}
          inner: {needs: [outer.a], branch: {c: inputs.n > 1, d: else}}
          c: {uses: t.do, needs: [inner.c]}
          d: {uses: t.do, needs: [inner.d]}
          b: {uses: t.do, needs: [outer.b]}
          m: {uses: t.do, needs: [c, d]}
          end: {uses: t.do, needs: [m, b]}
    """
    for n, acts in ((2, ["c", "m", "end"]), (1, ["d", "m", "end"]), (0, ["b", "end"])):
        world.acts.clear()
        await world.run(text, {"n": n})
        assert world.acts == acts


async def test_a_node_on_two_routes_of_a_branch_runs_on_either(world: World) -> None:
    result = await world.run("""
        nodes:
          way: {branch: {a: 'false', b: else}}
          x: {uses: t.do, needs: [way.a, way.b]}
    """)
    assert statuses(result)["x"] == "completed"


async def test_with_mode_all_what_was_taken_is_waited_for(world: World) -> None:
    run = await world.start("""
        nodes:
          way: {mode: all, branch: {a: 'true', b: 'true', c: 'false'}}
          a: {uses: t.do, needs: [way.a]}
          b: {uses: t.hold, needs: [way.b]}
          c: {uses: t.do, needs: [way.c]}
          m: {uses: t.do, needs: [a, b, c]}
    """)
    await world.until("a", "b?")
    assert "m" not in world.acts
    world.release("b")
    result = await run.result()
    assert statuses(result)["c"] == "skipped"
    assert world.acts == ["a", "b?", "b", "m"]


@pytest.mark.parametrize(("times", "acts"), [(0, ["x", "y", "m"]), (9, ["x!", "fix", "m"])])
async def test_the_same_holds_between_a_node_and_its_error(
    world: World, times: int, acts: list[str]
) -> None:
    result = await world.run(f"""
        nodes:
          x: {{uses: t.fail, with: {{times: {times}, value: 1}}}}
          y: {{uses: t.do, with: {{value: "${{{{ x }}}}"}}}}
          fix: {{uses: t.do, needs: [x.error], with: {{value: 2}}}}
          m: {{uses: t.do, with: {{value: ["${{{{ y }}}}", "${{{{ fix }}}}"]}}}}
    """)
    assert world.acts == acts
    assert result.output == {"m": [1, None] if times == 0 else [None, 2]}


async def test_a_node_that_needs_both_a_node_and_its_error_runs_either_way(world: World) -> None:
    text = "nodes: {x: {uses: t.fail, with: {times: %d}}, m: {uses: t.do, needs: [x, x.error]}}"
    for times in (0, 9):
        assert statuses(await world.run(text % times))["m"] == "completed"


# -- join ----------------------------------------------------------------------------------------

JOIN = """
    nodes:
      a: {uses: t.hold}
      b: {uses: t.hold}
      c: {uses: t.do, if: 'false'}
      j: {uses: t.do, needs: [a, b, c], join: %s}
    output: ${{ nodes.j.status }}
"""


async def test_join_all_is_the_default(world: World) -> None:
    run = await world.start(JOIN % "all")
    await world.until("a?", "b?")
    world.release("a", "b")
    assert (await run.result()).output == "skipped"


async def test_join_any_runs_when_all_are_settled_and_one_has_completed(world: World) -> None:
    run = await world.start(JOIN % "any")
    await world.until("a?", "b?")
    world.release("a")
    await world.until("a")
    await asyncio.sleep(0.01)
    assert "j" not in world.acts
    world.release("b")
    assert (await run.result()).output == "completed"


async def test_join_any_is_skipped_when_none_has_completed(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, enabled: false}
          b: {uses: t.do, enabled: false}
          j: {uses: t.do, needs: [a, b], join: any}
    """)
    assert statuses(result)["j"] == "skipped"


async def test_join_first_runs_as_soon_as_one_completes(world: World) -> None:
    run = await world.start(JOIN % "first")
    await world.until("a?", "b?")
    world.release("b")
    await world.until("j")
    assert "a" not in world.acts
    world.release("a")
    assert (await run.result()).status == "completed"
    assert world.acts.count("j") == 1


async def test_join_first_is_skipped_when_that_cannot_come_any_more(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.fail, on_error: continue, if: 'false'}
          b: {uses: t.do, enabled: false}
          j: {uses: t.do, needs: [a, b], join: first}
    """)
    assert statuses(result)["j"] == "skipped"


async def test_join_at_least_runs_as_soon_as_so_many_have_completed(world: World) -> None:
    run = await world.start("""
        nodes:
          a: {uses: t.hold}
          b: {uses: t.hold}
          c: {uses: t.hold}
          j: {uses: t.do, needs: [a, b, c], join: {at_least: 2}}
    """)
    await world.until("a?", "b?", "c?")
    world.release("c")
    await world.until("c")
    await asyncio.sleep(0.01)
    assert "j" not in world.acts
    world.release("a")
    await world.until("j")
    world.release("b")
    assert (await run.result()).ok


async def test_join_at_least_is_skipped_when_fewer_complete(world: World) -> None:
    run = await world.start(JOIN % "{at_least: 3}")
    await world.until("a?", "b?")
    world.release("a", "b")
    assert (await run.result()).output == "skipped"


async def test_looking_at_the_status_of_a_node_does_not_count_as_its_completion(
    world: World,
) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, enabled: false}
          b: {uses: t.do}
          j: {uses: t.do, needs: [a], join: any, with: {value: "${{ nodes.b.status }}"}}
          k: {uses: t.do, needs: [a], join: first, with: {value: "${{ nodes.b.status }}"}}
    """)
    assert statuses(result) == {"a": "skipped", "b": "completed", "j": "skipped", "k": "skipped"}


async def test_a_status_that_is_looked_at_is_waited_for_whatever_the_join(world: World) -> None:
    run = await world.start("""
        nodes:
          a: {uses: t.do}
          b: {uses: t.hold}
          j: {uses: t.do, needs: [a], join: first, with: {value: "${{ nodes.b.status }}"}}
    """)
    await world.until("a", "b?")
    world.release("b")
    assert (await run.result()).output == {"j": "completed"}
    assert world.acts == ["a", "b?", "b", "j"]


async def test_join_settled_runs_when_all_have_ended_however(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, enabled: false}
          b: {uses: t.fail, on_error: continue}
          c: {uses: t.do}
          j:
            uses: t.do
            needs: [a, b, c]
            join: settled
            with: {value: "${{ [nodes.a.status, nodes.b.status, nodes.c.status] }}"}
    """)
    assert result.output == {"j": ["skipped", "failed", "completed"]}


async def test_join_settled_runs_even_when_the_run_is_failing(world: World) -> None:
    result = await world.run("""
        nodes:
          open: {uses: t.do, with: {value: handle}}
          work: {uses: t.fail, needs: [open]}
          more: {uses: t.do, needs: [work]}
          close: {uses: t.do, needs: [open, more], join: settled, with: {value: "${{ open }}"}}
          after: {uses: t.do, needs: [close]}
    """)
    assert (result.status, code(result)) == ("failed", "NODE_FAILED")
    assert world.acts == ["open", "work!", "close"]
    assert statuses(result) == {
        "open": "completed",
        "work": "failed",
        "more": "cancelled",
        "close": "completed",
        "after": "cancelled",
    }


async def test_join_settled_runs_even_when_the_run_is_cancelled(world: World) -> None:
    run = await world.start("""
        nodes:
          work: {uses: t.hold}
          close: {uses: t.hold, needs: [work], join: settled}
    """)
    await world.until("work?")
    await run.cancel("enough")
    await world.until("close?")
    await run.cancel("really")
    world.release("close")
    result = await run.result()
    assert world.acts == ["work?", "work~", "close?", "close"]
    assert (result.status, result.error and result.error.message) == ("cancelled", "enough")


async def test_what_cleans_up_inside_a_group_runs_when_the_group_is_cancelled(
    world: World,
) -> None:
    run = await world.start("""
        nodes:
          g:
            nodes:
              work: {uses: t.hold}
              close: {uses: t.do, needs: [work], join: settled}
    """)
    await world.until("g.work?")
    await run.cancel()
    assert statuses(await run.result()) == {
        "g": "cancelled",
        "g.work": "cancelled",
        "g.close": "completed",
    }


async def test_what_cleans_up_is_bounded_by_its_own_timeout(world: World) -> None:
    run = await world.start("""
        nodes:
          work: {uses: t.hold}
          close: {uses: t.hold, needs: [work], join: settled, timeout: 20ms}
    """)
    await world.until("work?")
    await run.cancel()
    result = await run.result()
    assert result.status == "cancelled"
    assert statuses(result)["close"] == "failed"
