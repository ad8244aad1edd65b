"""Section 3: nodes, their kinds and the keys that all of them take."""

from __future__ import annotations

import time

import pytest
from tests.acceptance.rules.world import World, code, statuses

from atomiton import node


@pytest.mark.parametrize("body", ["{}", "{with: {x: 1}}", "{uses: t.do, call: x}"])
def test_a_node_has_exactly_one_kind(world: World, body: str) -> None:
    messages = [problem.message for problem in world.problems(f"nodes: {{a: {body}}}")]
    assert any("one kind" in text or "does not say what it is" in text for text in messages)


async def test_a_type_may_be_named_with_its_major_version(world: World) -> None:
    @node("t.versioned", version=2)
    async def versioned() -> int:
        return 2

    world.conductor.library.registry.add(versioned)
    assert (await world.run("nodes: {a: {uses: t.versioned@2}}")).output == {"a": 2}
    assert world.problem("nodes: {a: {uses: t.versioned@1}}").code == "UNKNOWN_NODE_TYPE"


def test_an_unknown_type_is_refused_with_the_nearest(world: World) -> None:
    problem = world.problem("nodes: {a: {uses: t.fial}}")
    assert (problem.code, problem.path) == ("UNKNOWN_NODE_TYPE", "nodes.a.uses")
    assert "t.fail" in str(problem.hint)


@pytest.mark.parametrize("kind", ["branch: {a: 'true'}", "wait: {for: 1s}"])
@pytest.mark.parametrize("repeat", ["map: [1]", "loop: {times: 1}"])
def test_branch_and_wait_take_no_repeat_key(world: World, kind: str, repeat: str) -> None:
    (problem,) = world.problems(f"nodes: {{a: {{{kind}, {repeat}}}}}")
    assert "cannot be repeated" in problem.message


def test_a_node_takes_at_most_one_repeat_key(world: World) -> None:
    problem = world.problem("nodes: {a: {uses: t.do, map: [1], loop: {times: 1}}}")
    assert "by 'map' or by 'loop'" in problem.message


async def test_names_and_descriptions_change_nothing(world: World) -> None:
    result = await world.run("nodes: {a: {uses: t.do, name: A, description: B, weight: 3}}")
    assert result.ok


async def test_needs_makes_order_without_data(world: World) -> None:
    result = await world.run("""
        nodes:
          c: {uses: t.do, needs: [b, a]}
          b: {uses: t.do, needs: a}
          a: {uses: t.do}
    """)
    assert world.acts == ["a", "b", "c"]
    assert result.output == {"c": None}


async def test_needs_may_name_a_node_around_the_group(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do}
          g: {nodes: {b: {uses: t.do, needs: a}}}
          h: {nodes: {c: {uses: t.do, needs: [x.error]}}}
          x: {uses: t.fail}
    """)
    assert (result.status, world.acts) == ("completed", ["a", "x!", "g.b", "h.c"])


async def test_if_false_means_skipped_and_so_does_enabled_false(world: World) -> None:
    result = await world.run("""
        inputs: {go: {type: boolean, default: false}}
        nodes:
          a: {uses: t.do, if: inputs.go}
          b: {uses: t.do, enabled: false}
          c: {uses: t.do, if: "${{ !inputs.go }}"}
    """)
    assert statuses(result) == {"a": "skipped", "b": "skipped", "c": "completed"}


async def test_if_must_be_exactly_a_boolean(world: World) -> None:
    result = await world.run("nodes: {a: {uses: t.do, if: '1'}}")
    assert (code(result), result.error and result.error.node) == ("EXPRESSION_ERROR", "a")


async def test_if_is_asked_once_when_all_dependencies_are_done(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.do, with: {value: 3}}
          b: {uses: t.do, if: a > 2}
    """)
    assert (result.status, world.acts) == ("completed", ["a", "b"])


# -- retry ---------------------------------------------------------------------------------------


async def test_attempts_counts_all_tries_and_one_is_the_default(world: World) -> None:
    await world.run("nodes: {a: {uses: t.fail}}")
    assert world.acts == ["a!"]
    result = await world.run("nodes: {a: {uses: t.fail, retry: {attempts: 4, delay: 0}}}")
    assert result.nodes["a"].attempts == 4


async def test_waits_between_tries_grow_by_the_factor_up_to_the_longest(world: World) -> None:
    began = time.monotonic()
    retry = "{attempts: 4, delay: 10ms, factor: 4, max_delay: 20ms, jitter: 0}"
    await world.run(f"nodes: {{a: {{uses: t.fail, retry: {retry}}}}}")
    assert 0.045 < time.monotonic() - began < 5


async def test_on_and_not_on_list_codes(world: World) -> None:
    for retry, code_, tries in (
        ("on: [MINE]", "MINE", 3),
        ("on: [MINE]", "OTHER", 1),
        ("not_on: [MINE]", "MINE", 1),
        ("not_on: [MINE]", "OTHER", 3),
        ("jitter: 0", "NOT_FOUND", 1),
        ("on: [NOT_FOUND]", "NOT_FOUND", 3),
    ):
        result = await world.run(
            f"nodes: {{a: {{uses: t.fail, with: {{code: {code_}}}, "
            f"retry: {{attempts: 3, delay: 0, {retry}}}}}}}"
        )
        assert result.nodes["a"].attempts == tries, (retry, code_)


async def test_errors_that_cannot_get_better_are_not_tried_again(world: World) -> None:
    for body in (
        "{uses: t.text, with: {value: '${{ inputs.n }}'}",
        "{uses: t.do, if: '${{ 1 / 0 > 1 }}'",
    ):
        result = await world.run(
            f"inputs: {{n: any}}\nnodes: {{a: {body}, retry: {{attempts: 3, delay: 0}}}}}}",
            {"n": 1},
        )
        assert result.status == "failed"
        assert result.nodes["a"].attempts <= 1


async def test_a_wait_between_tries_can_be_cancelled(world: World) -> None:
    run = await world.start("nodes: {a: {uses: t.fail, retry: {attempts: 2, delay: 1h}}}")
    await world.until("a!")
    shown = await world.conductor.show(run.id)
    assert (shown.status, shown.reason) == ("waiting", "'a' waits for attempt 2")
    await run.cancel()
    assert (await run.result()).status == "cancelled"


# -- time ----------------------------------------------------------------------------------------


async def test_timeout_is_of_one_attempt(world: World) -> None:
    result = await world.run("""
        nodes: {a: {uses: t.hold, timeout: 20ms, retry: {attempts: 2, delay: 0}}}
    """)
    assert (code(result), world.acts) == ("TIMEOUT", ["a?", "a~", "a?", "a~"])


async def test_deadline_is_of_the_node_with_all_its_attempts(world: World) -> None:
    began = time.monotonic()
    result = await world.run("""
        nodes:
          a: {uses: t.hold, timeout: 20ms, deadline: 200ms, retry: {attempts: 1000, delay: 0}}
    """)
    assert code(result) == "TIMEOUT"
    assert 2 <= result.nodes["a"].attempts <= 10
    assert time.monotonic() - began < 5


async def test_the_remaining_time_is_handed_to_the_node(world: World) -> None:
    result = await world.run("""
        nodes:
          a: {uses: t.left, timeout: 10s, deadline: 1m}
          b: {uses: t.left, timeout: 1m, deadline: 10s}
        output: ${{ [a, b] }}
    """)
    assert isinstance(result.output, list)
    assert all(5 < left <= 10 for left in result.output)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1m30s", 90),
        ("PT30S", 30),
        ("12", 12),
        ("1.5", 1.5),
    ],
)
async def test_durations_are_written_in_many_ways(
    world: World, written: str, seconds: float
) -> None:
    left = (await world.run(f"nodes: {{a: {{uses: t.left, timeout: {written}}}}}")).output
    assert left["a"] == pytest.approx(seconds, abs=0.2)  # type: ignore[index,call-overload]


# -- the rest ------------------------------------------------------------------------------------


async def test_runtime_says_where_the_code_runs(world: World) -> None:
    @node("t.thread")
    def thread() -> str:
        import threading

        return threading.current_thread().name

    world.conductor.library.registry.add(thread)
    result = await world.run("""
        nodes:
          here: {uses: t.thread, runtime: inline}
          there: {uses: t.thread}
        output: ${{ [here, there] }}
    """)
    assert isinstance(result.output, list)
    assert result.output[0] == "MainThread"
    assert result.output[1] != "MainThread"


async def test_weight_is_the_share_of_the_progress(world: World) -> None:
    run = await world.start("""
        nodes:
          a: {uses: t.do, weight: 3}
          b: {uses: t.hold, needs: a}
    """)
    await world.until("b?")
    meter = world.conductor.driver.runs[run.id].meter
    assert meter.read(time.time()).fraction == 0.75
    world.release("b")
    await run.result()
