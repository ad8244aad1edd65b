"""Section 7: repeats."""

from __future__ import annotations

import pytest
from tests.acceptance.rules.world import World, code, statuses


async def test_map_runs_the_node_once_for_each_item_and_gives_the_results_in_their_order(
    world: World,
) -> None:
    run = await world.start("""
        nodes:
          m: {map: [a, b, c], uses: t.hold, with: {value: "${{ item }}${{ string(index) }}"}}
    """)
    await world.until("m[0]?", "m[1]?", "m[2]?")
    for path in ("m[2]", "m[0]", "m[1]"):
        world.release(path)
        await world.until(path)
    result = await run.result()
    assert result.output == {"m": ["a0", "b1", "c2"]}
    assert statuses(result) == dict.fromkeys(["m", "m[0]", "m[1]", "m[2]"], "completed")


async def test_map_runs_at_most_concurrency_at_once(world: World) -> None:
    run = await world.start("""
        nodes:
          m: {map: "${{ [1, 2, 3, 4, 5] }}", concurrency: 2, uses: t.hold}
    """)
    for number in range(5):
        await world.until(f"m[{number}]?")
        world.release(f"m[{number}]")
    assert (await run.result()).ok
    assert world.most == 2
    assert world.acts[:2] == ["m[0]?", "m[1]?"]


async def test_map_without_concurrency_runs_all_at_once(world: World) -> None:
    run = await world.start("nodes: {m: {map: [1, 2, 3, 4], uses: t.hold}}")
    await world.until(*(f"m[{n}]?" for n in range(4)))
    world.release(*(f"m[{n}]" for n in range(4)))
    await run.result()
    assert world.most == 4


async def test_on_item_error_fail_cancels_the_others(world: World) -> None:
    result = await world.run("""
        nodes:
          m:
            map: [0, 9]
            nodes:
              a: {if: item == 0, uses: t.hold}
              b: {if: item == 9, uses: t.fail}
          after: {uses: t.do, needs: m}
    """)
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.node == "m[1].b"
    assert world.acts == ["m[0].a?", "m[1].b!", "m[0].a~"]
    found = statuses(result)
    assert (found["m"], found["m[0]"], found["m[1]"]) == ("failed", "cancelled", "failed")
    assert found["after"] == "cancelled"


async def test_on_item_error_fail_starts_no_further_items(world: World) -> None:
    result = await world.run("""
        nodes:
          m: {map: [9, 0, 0], concurrency: 1, uses: t.fail, with: {times: "${{ item }}"}}
    """)
    assert world.acts == ["m[0]!"]
    assert statuses(result)["m[2]"] == "cancelled"


async def test_on_item_error_collect_keeps_the_place_with_the_error(world: World) -> None:
    result = await world.run("""
        nodes:
          m:
            map: [0, 9, 0]
            on_item_error: collect
            uses: t.fail
            with: {times: "${{ item }}", value: "${{ index }}"}
    """)
    assert result.status == "completed"
    assert result.output == {
        "m": [
            0,
            {
                "error": {
                    "code": "NODE_FAILED",
                    "message": "no luck",
                    "node": "m[1]",
                    "attempt": 1,
                    "retryable": True,
                    "details": {"try": 1},
                }
            },
            2,
        ]
    }
    assert statuses(result)["m[1]"] == "failed"


async def test_on_item_error_skip_leaves_the_item_out(world: World) -> None:
    result = await world.run("""
        nodes:
          m:
            map: [0, 9, 0]
            on_item_error: skip
            uses: t.fail
            with: {times: "${{ item }}", value: "${{ index }}"}
    """)
    assert result.output == {"m": [0, 2]}


@pytest.mark.parametrize("policy", ["fail", "collect", "skip"])
async def test_an_empty_list_gives_an_empty_list(world: World, policy: str) -> None:
    result = await world.run(f"""
        nodes:
          m: {{map: [], on_item_error: {policy}, uses: t.do}}
          n: {{uses: t.do, with: {{value: "${{{{ m.size() }}}}"}}}}
    """)
    assert result.output == {"n": 0}


async def test_an_object_is_mapped_as_its_pairs(world: World) -> None:
    result = await world.run("""
        nodes:
          o: {uses: t.do, with: {value: {b: 1, a: {c: 2}}}}
          m: {map: "${{ o }}", uses: t.do, with: {value: "${{ item }}"}}
    """)
    assert result.output == {"m": [{"key": "b", "value": 1}, {"key": "a", "value": {"c": 2}}]}


async def test_what_is_mapped_must_be_a_list_or_an_object(world: World) -> None:
    result = await world.run(
        """
        inputs: {n: any}
        nodes: {m: {map: "${{ inputs.n }}", uses: t.do}}
    """,
        {"n": 3},
    )
    assert code(result) == "TYPE_MISMATCH"
    assert result.error is not None
    assert result.error.node == "m"
    assert result.error.message == "'map' needs a list or an object, this gave int"


async def test_the_item_has_the_name_that_as_gives_it(world: World) -> None:
    result = await world.run("""
        nodes:
          rows: {uses: t.do, with: {value: [[1, 2], [3]]}}
          m:
            map: ${{ rows }}
            nodes:
              inner:
                map: ${{ item }}
                as: cell
                uses: t.do
                with: {value: "${{ [cell, item.size(), index] }}"}
            output: ${{ inner }}
    """)
    assert result.output == {"m": [[[1, 2, 0], [2, 2, 1]], [[3, 1, 0]]]}


async def test_the_items_of_a_list_function_hide_those_of_the_map(world: World) -> None:
    result = await world.run("""
        nodes:
          m:
            map: [1, 2]
            as: most
            uses: data.filter
            with: {items: [1, 2, 3], where: item <= most}
    """)
    assert [found["items"] for found in result.output["m"]] == [[1], [1, 2]]  # type: ignore[index]


async def test_a_mapped_group_runs_its_nodes_for_each_item(world: World) -> None:
    result = await world.run("""
        nodes:
          base: {uses: t.do, with: {value: 10}}
          m:
            map: [1, 2]
            nodes:
              a: {uses: t.do, with: {value: "${{ item + base }}"}}
              b: {uses: t.do, with: {value: "${{ a + 1 }}"}}
    """)
    assert result.output == {"m": [{"b": 12}, {"b": 13}]}
    assert statuses(result)["m[1].b"] == "completed"


async def test_retry_and_timeout_of_a_mapped_node_are_those_of_each_item(world: World) -> None:
    result = await world.run("""
        nodes:
          m:
            map: [0, 1, 2]
            uses: t.fail
            with: {times: "${{ item }}", value: "${{ index }}"}
            retry: {attempts: 3, delay: 0}
            timeout: 1m
    """)
    assert result.output == {"m": [0, 1, 2]}
    assert [result.nodes[f"m[{n}]"].attempts for n in range(3)] == [1, 2, 3]
    assert result.nodes["m"].attempts == 1


async def test_the_timeout_of_one_item_does_not_end_the_others(world: World) -> None:
    run = await world.start("""
        nodes:
          m: {map: [0, 1], on_item_error: collect, uses: t.hold, timeout: 200ms}
          held: {uses: t.hold}
    """)
    await world.until("m[0]?", "m[1]?")
    world.release("m[1]", "held")
    result = await run.result()
    assert statuses(result)["m[0]"] == "failed"
    assert result.nodes["m[0]"].error is not None
    assert result.nodes["m[0]"].error.code == "TIMEOUT"
    assert statuses(result)["m[1]"] == "completed"


async def test_the_deadline_of_a_mapped_node_is_of_the_whole(world: World) -> None:
    result = await world.run("""
        nodes:
          m: {map: [0, 1], concurrency: 1, uses: t.hold, deadline: 30ms, on_item_error: collect}
    """)
    assert (code(result), result.error and result.error.node) == ("TIMEOUT", "m")
    assert world.acts == ["m[0]?", "m[0]~"]
    assert statuses(result) == {"m": "failed", "m[0]": "cancelled", "m[1]": "cancelled"}


async def test_an_item_that_does_not_hold_the_condition_of_its_group_gives_null(
    world: World,
) -> None:
    result = await world.run("""
        nodes:
          m: {map: [1, 2], nodes: {a: {uses: t.do, if: item > 1, with: {value: x}}}}
    """)
    assert result.output == {"m": [{"a": None}, {"a": "x"}]}


# -- loop ----------------------------------------------------------------------------------------


async def test_while_is_tested_before_each_turn(world: World) -> None:
    text = """
        inputs: {from: integer}
        nodes:
          l:
            loop: {while: acc < 3, start: "${{ inputs.from }}"}
            uses: t.do
            with: {value: "${{ acc + 1 }}"}
    """
    result = await world.run(text, {"from": 0})
    assert (result.output, world.acts) == ({"l": 3}, ["l[0]", "l[1]", "l[2]"])
    world.acts.clear()
    result = await world.run(text, {"from": 7})
    assert (result.output, world.acts) == ({"l": 7}, [])


async def test_until_is_tested_after_each_turn(world: World) -> None:
    result = await world.run("""
        nodes:
          l: {loop: {until: acc >= 2, start: 7}, uses: t.do, with: {value: "${{ acc + 1 }}"}}
    """)
    assert (result.output, world.acts) == ({"l": 8}, ["l[0]"])


async def test_times_counts_the_turns(world: World) -> None:
    result = await world.run(
        """
        inputs: {n: integer}
        nodes:
          l:
            loop: {times: inputs.n + 1, start: []}
            uses: t.do
            with: {value: "${{ acc + [index] }}"}
          none: {loop: {times: 0, start: 5}, uses: t.do}
          nothing: {loop: {times: "${{ 0 }}"}, uses: t.do}
    """,
        {"n": 2},
    )
    assert result.output == {"l": [0, 1, 2], "none": 5, "nothing": None}


@pytest.mark.parametrize("times", ["-1", "'1'", "1.5"])
async def test_times_must_be_a_whole_number(world: World, times: str) -> None:
    result = await world.run(f"""
        nodes: {{l: {{loop: {{times: "{times}"}}, uses: t.do}}}}
    """)
    assert (code(result), world.acts) == ("TYPE_MISMATCH", [])


async def test_acc_is_start_and_then_the_output_of_each_turn(world: World) -> None:
    result = await world.run("""
        nodes:
          l: {loop: {times: 3}, uses: t.do, with: {value: "${{ [acc, index] }}"}}
    """)
    assert result.output == {"l": [[[None, 0], 1], 2]}


async def test_conditions_of_a_loop_see_index(world: World) -> None:
    for key, condition in (("while", "index < 3"), ("until", "index == 2")):
        world.acts.clear()
        await world.run(f"nodes: {{l: {{loop: {{{key}: {condition}}}, uses: t.do}}}}")
        assert world.acts == ["l[0]", "l[1]", "l[2]"]


async def test_reaching_max_before_the_condition_ends_it_is_an_error(world: World) -> None:
    result = await world.run("nodes: {l: {loop: {while: 'true', max: 3}, uses: t.do}}")
    assert (result.status, code(result)) == ("failed", "LOOP_LIMIT")
    assert result.error is not None
    assert result.error.node == "l"
    assert world.acts == ["l[0]", "l[1]", "l[2]"]


async def test_a_loop_that_ends_with_its_max_is_no_error(world: World) -> None:
    for loop in ("{until: index == 2, max: 3}", "{while: index < 3, max: 3}", "{times: 3, max: 3}"):
        result = await world.run(f"nodes: {{l: {{loop: {loop}, uses: t.do}}}}")
        assert result.ok


@pytest.mark.parametrize("condition", ["while: 'true'", "until: 'false'"])
async def test_max_is_1000_unless_it_is_said(world: World, condition: str) -> None:
    result = await world.run(f"nodes: {{l: {{loop: {{{condition}}}, uses: t.do}}}}")
    assert (code(result), len(world.acts)) == ("LOOP_LIMIT", 1000)


async def test_times_has_no_max_unless_it_is_said(world: World) -> None:
    result = await world.run("nodes: {l: {loop: {times: 1001}, uses: t.do}}")
    assert (result.ok, len(world.acts)) == (True, 1001)
    result = await world.run("nodes: {l: {loop: {times: 3, max: 2}, uses: t.do}}")
    assert code(result) == "LOOP_LIMIT"


async def test_delay_waits_between_turns(world: World) -> None:
    run = await world.start("nodes: {l: {loop: {times: 2, delay: 200ms}, uses: t.do}}")
    await world.until("l[0]")
    assert world.acts == ["l[0]"]
    assert (await world.conductor.show(run.id)).nodes["l[1]"].status == "waiting"
    assert (await run.result()).ok
    assert world.acts == ["l[0]", "l[1]"]


async def test_a_turn_that_fails_fails_the_loop(world: World) -> None:
    result = await world.run("""
        nodes:
          l: {loop: {times: 3}, uses: t.fail, with: {times: "${{ index }}"}}
    """)
    assert world.acts == ["l[0]", "l[1]!"]
    assert statuses(result) == {"l": "failed", "l[0]": "completed", "l[1]": "failed"}
    assert result.error is not None
    assert result.error.node == "l[1]"


async def test_a_group_that_fails_in_its_turn_fails_the_loop(world: World) -> None:
    result = await world.run("""
        nodes:
          l:
            loop: {times: 2}
            nodes: {a: {uses: t.fail}, b: {uses: t.hold}}
          after: {uses: t.do, needs: l}
    """)
    assert result.error is not None
    assert result.error.node == "l[0].a"
    found = statuses(result)
    assert (found["l"], found["l[0]"], found["l[0].b"]) == ("failed", "failed", "cancelled")
    assert "l[1]" not in found


async def test_a_condition_that_cannot_be_evaluated_fails_the_loop(world: World) -> None:
    for key in ("while", "until"):
        result = await world.run(f"nodes: {{l: {{loop: {{{key}: acc.x > 1}}, uses: t.do}}}}")
        assert (code(result), result.error and result.error.node) == ("EXPRESSION_ERROR", "l")


async def test_retry_of_a_looped_node_is_that_of_each_turn(world: World) -> None:
    result = await world.run("""
        nodes:
          l:
            loop: {times: 2, start: 0}
            uses: t.fail
            with: {times: 1, value: "${{ acc + 1 }}"}
            retry: {attempts: 2, delay: 0}
    """)
    assert world.acts == ["l[0]!", "l[0]", "l[1]!", "l[1]"]
    assert result.output == {"l": 2}


async def test_the_deadline_of_a_looped_node_is_of_the_whole(world: World) -> None:
    result = await world.run("""
        nodes: {l: {loop: {while: 'true', delay: 20ms}, uses: t.do, deadline: 50ms}}
    """)
    assert (code(result), result.error and result.error.node) == ("TIMEOUT", "l")
    assert 1 <= len(world.acts) <= 3


async def test_a_loop_of_a_group_holds_frames_of_its_own(world: World) -> None:
    result = await world.run("""
        nodes:
          l:
            loop: {until: acc.sum > 3, start: {sum: 0}}
            nodes:
              a: {uses: t.do, with: {value: "${{ acc.sum + 1 }}"}}
              b: {uses: t.do, with: {value: {sum: "${{ a + index }}"}}}
            output: ${{ b }}
    """)
    assert result.output == {"l": {"sum": 6}}
    assert world.acts == ["l[0].a", "l[0].b", "l[1].a", "l[1].b", "l[2].a", "l[2].b"]


async def test_a_map_within_a_loop_within_a_map(world: World) -> None:
    result = await world.run("""
        nodes:
          m:
            map: [1, 2]
            nodes:
              l:
                loop: {times: 2, start: 0}
                nodes:
                  k:
                    map: [10, 20]
                    as: inner
                    uses: t.do
                    with: {value: "${{ inner * item + acc }}"}
                output: ${{ k.sum() }}
            output: ${{ l }}
    """)
    assert result.output == {"m": [90, 180]}
    assert "m[1].l[0].k[1]" in result.nodes


async def test_inner_nodes_of_very_long_repeats_are_not_kept(world: World) -> None:
    result = await world.run("""
        nodes:
          m:
            map: "${{ lists.range(1001) }}"
            concurrency: 1
            nodes: {a: {uses: t.do, with: {value: "${{ item }}"}}}
            output: ${{ a }}
    """)
    assert result.output == {"m": list(range(1001))}
    assert "m[5]" in result.nodes
    assert "m[5].a" not in result.nodes
