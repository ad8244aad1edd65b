"""Where the time of a run in memory goes, part by part: ``make bench`` prints the account.

Each part is measured by itself, in turns with all others and with the whole, as the median of many
turns. What the parts leave of the whole is what cannot be measured apart: the turns of the loops
between them.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping

from workloads import NODES, awaits, chain

from atomiton import Conductor
from atomiton.conductor.ids import new_run_id, new_seed
from atomiton.conductor.result import RunResult
from atomiton.drivers.execution import Execution
from atomiton.drivers.program import Program
from atomiton.machine import RunState, apply
from atomiton.machine.events import RunRequested
from atomiton.machine.passing import pass_on

#: Nodes of the chain, and how often each part is done in a turn.
NODES_OF_CHAIN = 10
TIMES = 400

Part = Callable[[], object]


def parts(conductor: Conductor, program: Program, whole: Execution) -> Mapping[str, Part]:
    """What is done once for a run."""
    driver, plan = conductor.driver, program.plan
    ready = conductor.library.ready(program.blueprint)
    given: dict[str, object] = {"x": 0}

    def request() -> RunRequested:
        return RunRequested(driver.now(), "run", given, 1)

    def begun() -> RunState:
        state = RunState(plan)
        apply(state, request())
        return state

    return {
        "find the compiled blueprint": lambda: conductor.library.ready(program.blueprint),
        "check and copy the inputs": lambda: ready.inputs(given),
        "an id, a seed, the request": lambda: (new_run_id(), new_seed(), request()),
        "the state, and its first step": begun,
        "what drives it": lambda: Execution(driver, whole.state, program.steps, program.firsts),
        "the result": lambda: RunResult(whole.state),
    }


def of_node(program: Program) -> Mapping[str, Part]:
    """What is done for each node, but for awaiting it."""
    state = RunState(program.plan)
    apply(state, RunRequested(1.0, "run", {"x": 0}, 1))
    step, top = program.steps[0], state.top
    get, log = step.get, list[int]()
    assert get is not None

    def result() -> object:
        return step.result(1)

    def passing() -> object:
        number = pass_on(top, 0, 1, 1.0)
        assert number == 1
        top.status[0] = top.status[1]  # as it was before the node ended
        top.remaining += 1
        top.open[1] += 1
        return number

    return {
        "look its value up": lambda: get(top),
        "check its result": result,
        "note that it ended, start the next": passing,
        "the clock": time.time,
        "the log": lambda: log.append(0),
    }


async def account() -> tuple[dict[str, float], dict[str, float], float, float]:
    """Microseconds: of a run, of each node, of the whole, and of ten bare awaits."""
    async with Conductor("memory:", nodes=NODES) as conductor:
        blueprint = chain(NODES_OF_CHAIN)
        program = conductor.library.program(blueprint)
        run = await conductor.start(blueprint, {"x": 0})
        await run.result()
        whole = conductor._known(run.id)
        assert whole is not None
        once = parts(conductor, program, whole)
        each = of_node(program)
        taken: dict[str, list[float]] = {name: [] for name in (*once, *each, "", "whole", "bare")}
        for _turn in range(41):
            for name, part in {**once, **each, "": lambda: None}.items():
                taken[name].append(_seconds(part))
            started = time.perf_counter()
            for _ in range(TIMES):
                await conductor.run(blueprint, {"x": 0})
            taken["whole"].append(time.perf_counter() - started)
            started = time.perf_counter()
            for _ in range(TIMES):
                await awaits(NODES_OF_CHAIN)
            taken["bare"].append(time.perf_counter() - started)
    empty = statistics.median(taken[""])
    found = {name: statistics.median(times) for name, times in taken.items()}

    def micro(name: str) -> float:
        return (found[name] - empty) / TIMES * 1e6

    run_us, bare_us = found["whole"] / TIMES * 1e6, found["bare"] / TIMES * 1e6
    per_run = {name: micro(name) for name in once}
    return per_run, {name: micro(name) for name in each}, run_us, bare_us


def _seconds(part: Part) -> float:
    started = time.perf_counter()
    for _ in range(TIMES):
        part()
    return time.perf_counter() - started


def main() -> None:
    once, each, whole, bare = asyncio.run(account())
    print(f"a run of {NODES_OF_CHAIN} nodes, in memory: us, and the share of the whole\n")
    count = NODES_OF_CHAIN
    rows = list(once.items())
    rows += [(f"{name} (x{count})", value * count) for name, value in each.items()]
    rows.append((f"await {count} functions", bare))
    rows.append(("between them: loops, calls, looks", whole - sum(value for _, value in rows)))
    for name, value in rows:
        print(f"{name:44}{value:>8.2f}{value / whole:>8.0%}")
    print(f"{'the whole':44}{whole:>8.2f}    100%   {whole / bare:.1f} times {count} bare awaits")


if __name__ == "__main__":
    main()
