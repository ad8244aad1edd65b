"""Section 8: waiting."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.acceptance.rules.world import World, code, statuses

from atomiton import Conductor
from atomiton.blueprint.document import read_blueprint
from atomiton.machine.events import SignalReceived


@pytest.mark.parametrize("text", ["30ms", "0.03", "'${{ 0.03 }}'", "'${{ duration(\"30ms\") }}'"])
async def test_for_waits_so_long(world: World, text: str) -> None:
    began = time.monotonic()
    result = await world.run(f"""
        nodes:
          w: {{wait: {{for: {text}}}}}
          a: {{uses: t.do, needs: w}}
    """)
    assert time.monotonic() - began > 0.025
    assert (result.status, world.acts) == ("completed", ["a"])


async def test_until_waits_for_a_moment(world: World) -> None:
    text = "inputs: {at: any}\nnodes: {w: {wait: {until: inputs.at}}}\noutput: ${{ w }}"
    soon = datetime.now(UTC) + timedelta(milliseconds=50)
    began = time.time()
    result = await world.run(text, {"at": soon.isoformat()})
    assert (result.status, result.output) == ("completed", None)
    assert time.time() >= soon.timestamp() - 0.005
    result = await world.run(text, {"at": began})
    assert result.ok


@pytest.mark.parametrize("at", ["not a moment", "2030-01-01T00:00:00", True])
async def test_until_needs_a_moment_with_a_zone(world: World, at: object) -> None:
    text = "inputs: {at: any}\nnodes: {w: {wait: {until: inputs.at}}}"
    result = await world.run(text, {"at": at})
    assert (code(result), result.error and result.error.node) == ("EXPRESSION_ERROR", "w")


SIGNAL = """
    nodes:
      w: {wait: {signal: paid}}
      a: {uses: t.do, with: {value: "${{ w.amount }}"}}
"""


async def test_the_output_of_a_signal_is_its_payload(world: World) -> None:
    run = await world.start(SIGNAL)
    await world.status(run, "w", "waiting")
    await world.signal(run, "paid", {"amount": 5})
    assert (await run.result()).output == {"a": 5}


async def test_a_run_that_waits_for_a_signal_says_so(world: World) -> None:
    run = await world.start(SIGNAL)
    shown = await world.conductor.show(run.id)
    assert (shown.status, shown.reason) == ("waiting", "'w' waits for the signal 'paid'")
    await run.cancel()
    assert statuses(await run.result()) == {"w": "cancelled", "a": "cancelled"}


async def test_a_signal_of_another_name_is_not_taken(world: World) -> None:
    run = await world.start(SIGNAL)
    await world.signal(run, "other", {"amount": 1})
    await world.signal(run, "paid", {"amount": 2})
    assert (await run.result()).output == {"a": 2}


async def test_a_signal_that_arrives_early_is_kept_in_order(world: World) -> None:
    run = await world.start("""
        nodes:
          first: {uses: t.hold}
          w: {wait: {signal: go}, needs: first}
          v: {wait: {signal: go}, needs: w}
        output: ${{ [w, v] }}
    """)
    await world.until("first?")
    await world.signal(run, "go", 1)
    await world.signal(run, "go", 2)
    world.release("first")
    assert (await run.result()).output == [1, 2]


async def test_match_says_which_signals_are_taken(world: World) -> None:
    run = await world.start("""
        inputs: {least: {type: integer, default: 5}}
        nodes:
          w: {wait: {signal: paid, match: payload.amount >= inputs.least}}
        output: ${{ w.amount }}
    """)
    await world.signal(run, "paid", {"amount": 1})
    await world.signal(run, "paid", "no object at all")
    await world.signal(run, "paid", {"amount": 7})
    assert (await run.result()).output == 7


async def test_match_looks_through_what_came_early(world: World) -> None:
    run = await world.start("""
        nodes:
          first: {uses: t.hold}
          w: {wait: {signal: go, match: payload > 1}, needs: first}
          v: {wait: {signal: go}, needs: w}
        output: ${{ [w, v] }}
    """)
    await world.until("first?")
    for payload in (1, 2):
        await world.signal(run, "go", payload)
    world.release("first")
    assert (await run.result()).output == [2, 1]


async def test_match_may_look_at_other_nodes_and_that_makes_it_wait_for_them(
    world: World,
) -> None:
    run = await world.start("""
        nodes:
          w: {wait: {signal: go, match: payload.id == order.id}}
          order: {uses: t.do, with: {value: {id: 3}}}
    """)
    await world.signal(run, "go", {"id": 2})
    await world.signal(run, "go", {"id": 3})
    assert (await run.result()).output == {"w": {"id": 3}}


async def test_a_signal_is_taken_by_the_wait_that_has_waited_longest(world: World) -> None:
    run = await world.start("""
        nodes:
          held: {uses: t.hold}
          late: {wait: {signal: go}, needs: held}
          early: {wait: {signal: go}}
          any: {wait: {signal: go, match: payload == 3}}
        output: ${{ [early, late, any] }}
    """)
    await world.until("held?")
    world.release("held")
    await world.status(run, "late", "waiting")
    for payload in (3, 1, 2):
        await world.signal(run, "go", payload)
    result = await world.conductor.show(run.id)
    assert statuses(result)["any"] == "waiting"
    await world.signal(run, "go", 3)
    assert (await run.result()).output == [3, 1, 3]


async def test_waits_in_the_items_of_a_map_each_take_their_own(world: World) -> None:
    run = await world.start("""
        nodes:
          m:
            map: [a, b]
            nodes: {w: {wait: {signal: go, match: payload.for == item}}}
            output: ${{ w.n }}
    """)
    await world.signal(run, "go", {"for": "b", "n": 2})
    await world.signal(run, "go", {"for": "a", "n": 1})
    assert (await run.result()).output == {"m": [1, 2]}


async def test_passing_the_timeout_fails_with_timeout(world: World) -> None:
    result = await world.run("nodes: {w: {wait: {signal: go, timeout: 20ms}}}")
    assert (result.status, code(result)) == ("failed", "TIMEOUT")
    assert result.error is not None
    assert result.error.node == "w"


async def test_a_wait_that_timed_out_takes_its_error_route(world: World) -> None:
    result = await world.run("""
        nodes:
          w: {wait: {signal: go, timeout: 20ms}}
          late: {uses: t.do, needs: [w.error], with: {value: "${{ nodes.w.error.code }}"}}
    """)
    assert (result.status, result.output) == ("completed", {"late": "TIMEOUT"})


@pytest.mark.parametrize("key", ["timeout", "deadline"])
@pytest.mark.parametrize("what", ["for: 1h", "signal: go", "approval: {title: ok?}"])
async def test_the_timeout_and_the_deadline_of_the_node_bound_every_wait(
    world: World, key: str, what: str
) -> None:
    result = await world.run(f"nodes: {{w: {{wait: {{{what}}}, {key}: 20ms}}}}")
    assert code(result) == "TIMEOUT"


async def test_the_shortest_bound_of_a_wait_counts(world: World) -> None:
    result = await world.run(
        "nodes: {w: {wait: {signal: go, timeout: 1h}, timeout: 2h, deadline: 20ms}}"
    )
    assert code(result) == "TIMEOUT"
    result = await world.run("nodes: {w: {wait: {for: 10ms}, timeout: 1h}}")
    assert result.ok


async def test_a_wait_that_timed_out_is_tried_again(world: World) -> None:
    run = await world.start("""
        nodes: {w: {wait: {signal: go, timeout: 20ms}, retry: {attempts: 2, delay: 1h}}}
    """)
    await world.status(run, "w", "waiting")
    reason: str | None = ""
    while reason != "'w' waits for attempt 2":
        await asyncio.sleep(0.005)
        reason = (await world.conductor.show(run.id)).reason
    await run.cancel()
    result = await world.run("""
        nodes: {w: {wait: {signal: go, timeout: 10ms}, retry: {attempts: 3, delay: 0}}}
    """)
    assert (code(result), result.nodes["w"].attempts) == ("TIMEOUT", 3)


async def test_the_output_of_an_approval_says_who_and_when(world: World) -> None:
    run = await world.start("""
        nodes:
          ask: {wait: {approval: {title: Ship it?, fields: {amount: number}}}}
        output: ${{ ask }}
    """)
    shown = await world.conductor.show(run.id)
    assert shown.reason == "'ask' waits for an approval"
    await world.approve(run, "ask", amount=3)
    output = (await run.result()).output
    assert isinstance(output, dict)
    at = output.pop("at")
    assert output == {"approved": True, "by": "ada", "comment": "fine", "fields": {"amount": 3}}
    assert abs(datetime.fromisoformat(at) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_denied_approval_is_an_output_and_not_an_error(world: World) -> None:
    run = await world.start("""
        nodes:
          ask: {wait: {approval: {title: Ship it?}, timeout: 2d}}
          way: {branch: {yes: ask.approved, no: else}}
        output: ${{ way.route }}
    """)
    await world.approve(run, "ask", approved=False)
    result = await run.result()
    assert (result.status, result.output) == ("completed", "no")


async def test_a_wait_holds_no_place_of_those_that_are_limited(world: World) -> None:
    run = await world.start("""
        limits: {concurrency: 1}
        nodes:
          w: {wait: {signal: go}}
          a: {uses: t.do}
          b: {uses: t.do, needs: a}
    """)
    await world.until("a", "b")
    await world.signal(run, "go")
    assert (await run.result()).ok


async def test_a_wait_may_last_months(world: World) -> None:
    run = await world.start("nodes: {w: {wait: {for: 90d}}}")
    assert (await world.conductor.show(run.id)).reason == "'w' waits for its time"
    await run.cancel()
    assert (await run.result()).status == "cancelled"


async def test_a_wait_survives_a_restart(tmp_path: Path) -> None:
    text = "atomiton: 1\nid: w\nnodes: {w: {wait: {signal: go}}, v: {wait: {signal: go}, needs: w}}"
    store = f"{tmp_path}/runs.db"
    async with Conductor(store) as conductor:
        run = await conductor.start(read_blueprint(text)[0])
        conductor.driver.runs[run.id].feed(SignalReceived(time.time(), "go", 1))
        execution = conductor.driver.runs[run.id]
        while execution.saved < 2:
            await asyncio.sleep(0.005)
    async with Conductor(store) as conductor:
        while run.id not in conductor.driver.runs:
            await asyncio.sleep(0.005)
        conductor.driver.runs[run.id].feed(SignalReceived(time.time(), "go", 2))
        result = await conductor.result(run.id)
    assert (result.status, result.output) == ("completed", {"v": 2})
