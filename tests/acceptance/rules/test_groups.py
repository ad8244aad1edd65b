"""Section 3: groups, races and calls."""

from __future__ import annotations

import pytest
from tests.acceptance.rules.world import World, code, statuses

# -- groups --------------------------------------------------------------------------------------


async def test_inner_nodes_see_outer_ones_and_that_makes_the_group_wait(world: World) -> None:
    result = await world.run("""
        nodes:
          g: {nodes: {h: {nodes: {a: {uses: t.do, with: {value: "${{ out + 1 }}"}}}}}}
          out: {uses: t.do, with: {value: 1}}
    """)
    assert result.output == {"g": {"h": {"a": 2}}}
    assert world.acts == ["out", "g.h.a"]


def test_outer_nodes_do_not_see_inner_ones(world: World) -> None:
    problem = world.problem("""
        nodes:
          g: {nodes: {inner: {uses: t.do}}}
          b: {uses: t.do, with: {value: "${{ inner }}"}}
    """)
    assert (problem.code, problem.path) == ("UNKNOWN_REFERENCE", "nodes.b.with.value")
    assert problem.message == "there is no node or value 'inner'"


async def test_an_inner_node_hides_an_outer_one_of_the_same_name(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, with: {value: outer}}
          g:
            nodes:
              a: {uses: t.do, with: {value: inner}}
              b: {uses: t.do, with: {value: "${{ a }}"}}
          c: {uses: t.do, with: {value: "${{ [a, g.b] }}"}}
    """)
    assert result.output == {"c": ["outer", "inner"]}


async def test_a_group_gives_its_output_or_an_object_of_its_sinks(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            nodes:
              a: {uses: t.do, with: {value: 1}}
              b: {uses: t.do, with: {value: "${{ a + 1 }}"}}
              c: {uses: t.do, with: {value: 3}}
          h:
            nodes: {a: {uses: t.do, with: {value: 1}}}
            output: {first: "${{ a }}", list: ["${{ g.b }}"]}
    """)
    assert result.output == {"h": {"first": 1, "list": [2]}}


async def test_a_group_needs_waits_and_is_skipped_as_a_whole(world: World) -> None:
    result = await world.run("""
        nodes:
          first: {uses: t.do}
          g: {needs: first, nodes: {a: {uses: t.do}}}
          off: {if: 'false', nodes: {a: {uses: t.do}}}
          after: {uses: t.do, with: {value: "${{ off.a }}"}, needs: g, join: settled}
    """)
    assert world.acts == ["first", "g.a", "after"]
    found = statuses(result)
    assert (found["off"], "off.a" in found, found["g"]) == ("skipped", False, "completed")


async def test_a_group_is_tried_again_as_a_whole(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            retry: {attempts: 3, delay: 0}
            nodes:
              a: {uses: t.do}
              b: {uses: t.fail, needs: a, with: {times: 2, value: done}}
    """)
    assert result.output == {"g": {"b": "done"}}
    assert world.acts == ["g.a", "g.b!", "g.a", "g.b!", "g.a", "g.b"]
    assert result.nodes["g"].attempts == 3


async def test_only_the_last_attempt_of_a_group_is_shown(world: World) -> None:
    result = await world.run("""
        nodes:
          count: {uses: t.do, with: {value: [1, 2, 3]}}
          g:
            retry: {attempts: 2, delay: 0}
            nodes:
              n: {uses: t.fail, with: {times: 1}, on_error: {value: 3}}
              m: {map: "${{ lists.range(n == 3 ? 3 : 1) }}", uses: t.do}
              f: {uses: t.fail, needs: m, with: {times: 1}}
    """)
    assert result.ok
    assert [path for path in result.nodes if path.startswith("g.m")] == ["g.m", "g.m[0]"]


async def test_the_timeout_of_a_group_cancels_what_is_in_it(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            timeout: 30ms
            nodes:
              a: {uses: t.hold}
              w: {wait: {for: 1h}}
              b: {uses: t.do, needs: a}
    """)
    assert (code(result), result.error and result.error.node) == ("TIMEOUT", "g")
    assert statuses(result) == {
        "g": "failed",
        "g.a": "cancelled",
        "g.w": "cancelled",
        "g.b": "cancelled",
    }
    assert world.acts == ["g.a?", "g.a~"]


async def test_a_child_is_handed_no_more_time_than_its_parent_has(world: World) -> None:
    result = await world.run("""
        limits: {timeout: 1h}
        nodes:
          top: {uses: t.left}
          g:
            timeout: 30m
            nodes:
              a: {uses: t.left}
              b: {uses: t.left, timeout: 10m}
              c: {uses: t.left, timeout: 2h}
              d: {deadline: 5m, nodes: {e: {uses: t.left}}}
              m: {map: [1], deadline: 1m, uses: t.left}
        output: ${{ [top, g.a, g.b, g.c, g.d.e, g.m[0]] }}
    """)
    assert isinstance(result.output, list)
    for left, most in zip(result.output, [3600, 1800, 600, 1800, 300, 60], strict=True):
        assert most - 10 < left <= most


async def test_a_node_has_all_the_time_when_nothing_bounds_it(world: World) -> None:
    assert (await world.run("nodes: {a: {uses: t.left}}")).output == {"a": None}


async def test_a_cancel_while_a_group_cleans_up_after_its_failure(world: World) -> None:
    run = await world.start("""
        nodes:
          g:
            on_error: continue
            nodes:
              a: {uses: t.fail}
              close: {uses: t.hold, needs: a, join: settled}
          after: {uses: t.do, needs: g}
    """)
    await world.until("g.close?")
    await run.cancel()
    assert "g.close~" not in world.acts
    world.release("g.close")
    result = await run.result()
    assert (result.status, code(result)) == ("cancelled", "CANCELLED")
    assert statuses(result)["g.close"] == "completed"
    assert "after" not in world.acts


# -- races ---------------------------------------------------------------------------------------

RACE = """
    nodes:
      g:
        race: true
        nodes:
          a: {uses: t.hold, with: {value: 1}}
          b: {uses: t.hold}
          b2: {uses: t.do, needs: b, with: {value: 2}}
"""


async def test_the_first_sink_to_complete_wins_and_the_others_are_cancelled(world: World) -> None:
    run = await world.start(RACE)
    await world.until("g.a?", "g.b?")
    world.release("g.b")
    result = await run.result()
    assert result.output == {"g": {"a": None, "b2": 2}}
    assert statuses(result) == {
        "g": "completed",
        "g.a": "cancelled",
        "g.b": "completed",
        "g.b2": "completed",
    }
    assert world.acts == ["g.a?", "g.b?", "g.b", "g.b2", "g.a~"]


async def test_a_node_that_is_no_sink_does_not_win(world: World) -> None:
    run = await world.start(RACE)
    await world.until("g.a?", "g.b?")
    world.release("g.a")
    result = await run.result()
    assert result.output == {"g": {"a": 1, "b2": None}}
    assert statuses(result)["g.b2"] == "cancelled"


async def test_the_output_of_a_race_may_say_otherwise(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            race: true
            nodes: {a: {uses: t.do, with: {value: 1}}, b: {wait: {for: 1h}}}
            output: "${{ nodes.a.status == 'completed' ? a : b }}"
    """)
    assert result.output == {"g": 1}


async def test_a_race_is_lost_by_a_node_that_fails(world: World) -> None:
    run = await world.start("""
        nodes:
          g:
            race: true
            nodes:
              a: {uses: t.fail}
              a2: {uses: t.do, needs: a}
              b: {uses: t.hold, with: {value: 2}}
    """)
    await world.until("g.a!", "g.b?")
    world.release("g.b")
    result = await run.result()
    assert result.output == {"g": {"a2": None, "b": 2}}
    assert (statuses(result)["g.a"], statuses(result)["g.a2"]) == ("failed", "skipped")


async def test_a_race_fails_only_if_nobody_comes_to_the_end(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            race: true
            nodes:
              a: {uses: t.fail, with: {code: FIRST}}
              b: {uses: t.fail, needs: a, join: settled}
    """)
    assert (result.status, code(result)) == ("failed", "FIRST")
    assert statuses(result)["g"] == "failed"


async def test_a_fallback_does_not_win_over_what_completes(world: World) -> None:
    run = await world.start("""
        nodes:
          g:
            race: true
            nodes:
              a: {uses: t.fail, on_error: {value: 0}}
              b: {uses: t.hold, with: {value: 2}}
    """)
    await world.until("g.a!", "g.b?")
    world.release("g.b")
    assert (await run.result()).output == {"g": {"a": 0, "b": 2}}


async def test_a_race_with_a_fallback_does_not_fail(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            race: true
            nodes: {b: {uses: t.fail}, a: {uses: t.fail, on_error: {value: 0}}}
    """)
    assert result.output == {"g": {"a": 0, "b": None}}


async def test_what_completed_on_the_way_does_not_save_a_race(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            race: true
            nodes:
              a: {uses: t.fail, with: {times: 1}, retry: {attempts: 2, delay: 0}}
              b: {uses: t.fail, on_error: continue}
              c: {uses: t.fail, needs: [a, b], with: {code: LAST}}
    """)
    assert (code(result), statuses(result)["g"]) == ("LAST", "failed")


async def test_an_error_route_can_win_a_race(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            race: true
            nodes:
              a: {uses: t.fail}
              instead: {uses: t.do, needs: [a.error], with: {value: 3}}
              b: {wait: {for: 1h}}
    """)
    assert result.output == {"g": {"instead": 3, "b": None}}


async def test_a_race_where_all_is_skipped_gives_nulls(world: World) -> None:
    result = await world.run("""
        nodes: {g: {race: true, nodes: {a: {uses: t.do, if: 'false'}}}}
    """)
    assert result.output == {"g": {"a": None}}


async def test_a_group_within_a_race_that_fails_only_loses(world: World) -> None:
    result = await world.run("""
        nodes:
          g:
            race: true
            nodes:
              a: {nodes: {x: {uses: t.fail}, y: {wait: {for: 1h}}}}
              b: {wait: {for: 20ms}}
    """)
    assert result.ok
    assert statuses(result)["g.a"] == "failed"


# -- calls ---------------------------------------------------------------------------------------

CHILD = """
    version: 2.1.0
    inputs: {n: integer, by: {type: integer, default: 10}}
    variables: {unit: EUR}
    nodes:
      a: {uses: t.do, with: {value: "${{ inputs.n * inputs.by }} ${{ vars.unit }}"}}
    output: ${{ a }}
"""


async def test_a_call_runs_another_blueprint_with_inputs_and_variables_of_its_own(
    world: World,
) -> None:
    result = await world.run(
        """
        inputs: {n: {type: string, default: mine}}
        variables: {unit: USD}
        nodes:
          a: {uses: t.do, with: {value: 4}}
          c: {call: child, with: {n: "${{ a }}"}}
          d: {uses: t.do, with: {value: "${{ [c, inputs.n, vars.unit] }}"}}
    """,
        called={"child": CHILD},
    )
    assert result.output == {"d": ["40 EUR", "mine", "USD"]}
    assert statuses(result) == dict.fromkeys(["a", "c", "d", "c.a"], "completed")


async def test_a_called_blueprint_does_not_see_the_nodes_of_its_caller(world: World) -> None:
    problem = world.problem(
        "nodes: {a: {uses: t.do}, c: {call: child}}",
        {"child": "nodes: {b: {uses: t.do, with: {value: '${{ a }}'}}}"},
    )
    assert (problem.code, problem.path) == ("UNKNOWN_REFERENCE", "nodes.c.call")
    assert problem.message == "in child at nodes.b.with.value: there is no node or value 'a'"


async def test_run_in_a_called_blueprint_is_the_run_and_its_own_blueprint(world: World) -> None:
    child = "version: 2.0.0\nnodes: {a: {uses: t.do, with: {value: '${{ run }}'}}}\n"
    result = await world.run("nodes: {c: {call: child}}", called={"child": child})
    found = result.output["c"]["a"]  # type: ignore[index,call-overload]
    assert (found["id"], found["blueprint"], found["version"]) == (result.run, "child", "2.0.0")


async def test_the_inputs_of_a_call_are_checked_when_it_is_made(world: World) -> None:
    result = await world.run(
        """
        inputs: {n: any}
        nodes: {c: {call: child, with: {n: "${{ inputs.n }}"}}}
    """,
        {"n": "text"},
        called={"child": CHILD},
    )
    assert (code(result), result.error and result.error.node) == ("INVALID_INPUT", "c")
    assert world.acts == []


async def test_one_blueprint_is_called_many_times(world: World) -> None:
    result = await world.run("""
        nodes:
          m: {map: [1, 2], call: child, with: {n: "${{ item }}", by: "${{ index }}"}}
          l: {loop: {times: 2, start: 3}, call: child2, with: {n: "${{ acc }}"}}
    """, called={
        "child": CHILD,
        "child2": "inputs: {n: integer}\nnodes: {a: {uses: t.do, with: {value: 1}}}\n"
                  "output: ${{ inputs.n + a }}",
    })  # fmt: skip
    assert result.output == {"m": ["0 EUR", "2 EUR"], "l": 5}
    assert "m[1].a" in result.nodes


async def test_the_timeout_of_a_called_blueprint_bounds_the_call(world: World) -> None:
    child = "limits: {timeout: 20ms}\nnodes: {a: {uses: t.hold}}"
    result = await world.run("nodes: {c: {call: child}}", called={"child": child})
    assert (code(result), result.error and result.error.node) == ("TIMEOUT", "c")
    result = await world.run(
        "nodes: {c: {call: child, timeout: 20ms}}",
        called={"child": "limits: {timeout: 1h}\nnodes: {a: {uses: t.hold}}"},
    )
    assert code(result) == "TIMEOUT"


async def test_the_other_limits_of_a_called_blueprint_are_those_of_the_caller(
    world: World,
) -> None:
    child = "limits: {steps: 1, concurrency: 1}\nnodes: {a: {uses: t.do}, b: {uses: t.do}}"
    result = await world.run("nodes: {c: {call: child}}", called={"child": child})
    assert result.ok
    result = await world.run(
        "limits: {steps: 1}\nnodes: {c: {call: child}}", called={"child": child}
    )
    assert code(result) == "LIMIT_EXCEEDED"


async def test_the_on_nodes_of_a_called_blueprint_do_not_run(world: World) -> None:
    child = "nodes: {a: {uses: t.do}}\n'on': {always: {uses: t.do}}"
    result = await world.run("nodes: {c: {call: child}}", called={"child": child})
    assert (result.status, world.acts) == ("completed", ["c.a"])


async def test_the_defaults_of_a_called_blueprint_are_its_own(world: World) -> None:
    child = "defaults: {retry: {attempts: 2, delay: 0}}\nnodes: {a: {uses: t.fail}}"
    result = await world.run(
        "defaults: {retry: {attempts: 4, delay: 0}}\nnodes: {c: {call: child, on_error: continue}}",
        called={"child": child},
    )
    assert (result.status, world.acts) == ("completed", ["c.a!", "c.a!"])


async def test_a_call_that_fails_is_tried_again_as_a_whole(world: World) -> None:
    child = "nodes: {a: {uses: t.fail, with: {times: 1, value: 5}}}"
    result = await world.run(
        "nodes: {c: {call: child, retry: {attempts: 2, delay: 0}}}", called={"child": child}
    )
    assert (result.output, world.acts) == ({"c": {"a": 5}}, ["c.a!", "c.a"])


async def test_a_called_blueprint_reads_the_secrets_it_names(world: World) -> None:
    child = "secrets: [TOKEN]\nnodes: {a: {uses: t.secret, with: {given: '${{ secrets.TOKEN }}'}}}"
    result = await world.run("nodes: {c: {call: child}}", called={"child": child})
    assert result.output == {"c": {"a": True}}


@pytest.mark.parametrize(
    ("text", "called", "code", "message"),
    [
        (
            "call: gone",
            {},
            "NOT_FOUND",
            "there is no blueprint 'gone' among the known ones; call a file as './gone.yaml'",
        ),
        (
            "call: a",
            {"a": "nodes: {x: {call: b}}", "b": "nodes: {y: {call: a}}"},
            "CIRCULAR_DEPENDENCY",
            (
                "in a at nodes.x.call: in b at nodes.y.call: "
                "blueprints call each other in a circle: a -> b -> a"
            ),
        ),
        (
            "call: a",
            {"a": "nodes: {x: {call: a}}"},
            "CIRCULAR_DEPENDENCY",
            "in a at nodes.x.call: blueprints call each other in a circle: a -> a",
        ),
        (
            "call: a",
            {"a": "nodes: {x: {uses: t.dog}}"},
            "UNKNOWN_NODE_TYPE",
            "in a at nodes.x.uses: there is no node type 't.dog'",
        ),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_where_it_stands(
    world: World, text: str, called: dict[str, str], code: str, message: str
) -> None:
    problem = world.problem(f"nodes: {{c: {{{text}}}}}", called)
    assert (problem.code, problem.path) == (code, "nodes.c.call")
    assert problem.message.startswith(message)
