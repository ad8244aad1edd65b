"""The workflow patterns in examples/patterns do what the patterns say.

``docs/reference/patterns.md`` lists all 43. Each file is run here; signals are sent when a node has
come to a status, so that what is tested depends on no clock.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from atomiton import Conductor, Run, RunResult

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "patterns"
PAGE = ROOT / "docs" / "reference" / "patterns.md"
CANCEL = "(cancel)"
FIELDS = {"name", "began", "ended"}


class Step(NamedTuple):
    """Something done to a run once a node has a status.

    Attributes:
        node, status: When.
        signal: Name of the signal that is sent then; or CANCEL.
        payload: What it carries.
        seen: Statuses that nodes have at that moment; None for one that there is not.
    """

    node: str
    status: str
    signal: str
    payload: object = None
    seen: Mapping[str, str | None] = {}


class Case(NamedTuple):
    """What is expected of a pattern.

    Attributes:
        output: What the run gives, with the name of a work instead of its times.
        steps: What is done to it, in order.
        inputs: What it is started with.
        status: How it ends.
        completed, skipped, cancelled: All nodes that end so, by path.
        after: Pairs of works of which the first began when the second had ended.
        together: Works that were at work at the same time.
        apart: Works of which no two were at work at the same time.
    """

    output: object
    completed: str
    steps: Sequence[Step] = ()
    inputs: Mapping[str, object] | None = None
    status: str = "completed"
    skipped: str = ""
    cancelled: str = ""
    after: Sequence[tuple[str, str]] = ()
    together: Sequence[str] = ()
    apart: Sequence[str] = ()


CASES: dict[str, Case] = {
    "wcp01-sequence": Case(
        {"first": "first", "second": "first, second"},
        "first second",
        after=[("first, second", "first")],
    ),
    "wcp02-parallel-split": Case(
        {"left": "left", "right": "right"}, "start left right", together=["left", "right"]
    ),
    "wcp03-synchronization": Case(
        {"left": "left", "right": "right", "both": "both"},
        "left right both",
        after=[("both", "left"), ("both", "right")],
        together=["left", "right"],
    ),
    "wcp04-exclusive-choice": Case("medium", "route note", skipped="ask wave"),
    "wcp05-simple-merge": Case(
        {"receipt": ["receipt", "by card", None]}, "route card receipt", skipped="cash"
    ),
    "wcp06-multi-choice": Case(["police", "fire"], "route police fire", skipped="ambulance"),
    "wcp07-structured-synchronizing-merge": Case(
        {"police": "police", "fire": "fire", "report": "report"},
        "route police fire report",
        skipped="ambulance",
        after=[("report", "police"), ("report", "fire")],
        together=["police", "fire"],
    ),
    "wcp08-multi-merge": Case(
        {"after_left": "painted left", "after_right": "painted right"},
        "left right after_left after_left.paint after_right after_right.paint",
        [Step("after_left", "completed", "right", "right", {"after_right": "pending"})],
    ),
    "wcp09-structured-discriminator": Case(
        {"next": "next"},
        "quick slow next",
        [Step("next", "completed", "slow", seen={"slow": "waiting"})],
    ),
    "wcp10-arbitrary-cycles": Case(
        ["a", "b", "a", "b", "c"],
        "cycle cycle[0] cycle[0].at cycle[0].a cycle[1] cycle[1].at cycle[1].b cycle[2] "
        "cycle[2].at cycle[2].a cycle[3] cycle[3].at cycle[3].b cycle[4] cycle[4].at cycle[4].c",
        skipped="cycle[0].b cycle[0].c cycle[1].a cycle[1].c cycle[2].b cycle[2].c "
        "cycle[3].a cycle[3].c cycle[4].a cycle[4].b",
    ),
    "wcp11-implicit-termination": Case(
        {"quick": "quick", "slow": "slow", "never": None}, "quick slow", skipped="never"
    ),
    "wcp12-instances-without-synchronization": Case(
        {"send": [{"paid": 3}, {"paid": 5}, {"paid": 8}], "next": "next"},
        "fines send send[0] send[0].paid send[1] send[1].paid send[2] send[2].paid next",
        [
            Step("next", "completed", "paid", 8, {f"send[{n}].paid": "waiting" for n in range(3)}),
            Step("send[2]", "completed", "paid", 3),
            Step("send[0]", "completed", "paid", 5, {"send": "running"}),
        ],
    ),
    "wcp13-instances-known-at-design-time": Case(
        {"publish": ["signed by ada", "signed by bob", "signed by eve"]},
        "directors directors[0] directors[1] directors[2] publish",
    ),
    "wcp14-instances-known-at-run-time": Case(
        {"bind": ["page 0", "page 1"]}, "pages read read[0] read[1] bind", inputs={"pages": 2}
    ),
    "wcp16-deferred-choice": Case(
        {"by_agent": None, "by_manager": "manager mia", "escalate": None},
        "choice choice.manager route by_manager",
        [
            Step(
                "choice.late", "waiting", "manager-called", "mia",
                {"choice.agent": "waiting", "choice.manager": "waiting"},
            )
        ],
        skipped="by_agent escalate",
        cancelled="choice.agent choice.late",
    ),
    "wcp17-interleaved-parallel-routing": Case(
        ["pick", "pack", "bill", "ship"],
        "pick pack bill ship",
        after=[("pack", "pick"), ("ship", "pack"), ("ship", "bill")],
        apart=["pick", "pack", "bill", "ship"],
    ),
    "wcp18-milestone": Case(
        {"fly": "changed to a window"},
        "issue until_departure until_departure.asked until_departure.change fly",
        [Step("until_departure.asked", "waiting", "change", {"to": "a window"})],
        cancelled="until_departure.departure",
    ),
    "wcp19-cancel-task": Case(
        "stopped by the boss",
        "assess assess.stop beside next",
        [Step("assess.work", "running", "stop", "the boss", {"assess.stop": "waiting"})],
        cancelled="assess.work",
    ),
    "wcp20-cancel-case": Case(
        None,
        "done",
        [Step("long", "running", CANCEL, seen={"next": "pending"})],
        status="cancelled",
        cancelled="long next",
    ),
    "wcp21-structured-loop": Case(
        [112, 7],
        "tested_after tested_after[0] tested_after[1] tested_after[2] tested_after[3] "
        "tested_before",
    ),
    "wcp24-persistent-trigger": Case(
        {"go": "early"},
        "prepare go",
        [
            Step("prepare", "waiting", "go", "early", {"go": "pending"}),
            Step("prepare", "waiting", "prepared"),
        ],
    ),
    "wcp25-cancel-region": Case(
        {"outside": "outside", "next": "stopped"},
        "prosecution prosecution.region.gather prosecution.stop outside next",
        [
            Step(
                "prosecution.region.search", "running", "stop", "stopped",
                {
                    "prosecution.region.question": "running",
                    "prosecution.region.conclude": "pending",
                },
            )
        ],
        cancelled="prosecution.region prosecution.region.question prosecution.region.search "
        "prosecution.region.conclude",
    ),
    "wcp26-cancel-instances": Case(
        None,
        "activity activity.each[0] activity.stop",
        [Step("activity.each[0]", "completed", "stop", seen={"activity.each[1]": "running"})],
        cancelled="activity.each activity.each[1] activity.each[2] activity.follow_up",
    ),
    "wcp27-complete-instances": Case(
        {"analyse": "analysed"},
        "survey survey.each[0] survey.enough analyse",
        [Step("survey.each[0]", "completed", "enough", seen={"analyse": "pending"})],
        cancelled="survey.each survey.each[1] survey.each[2]",
    ),
    "wcp28-blocking-discriminator": Case(
        {"rounds": [1, 2]},
        "rounds rounds[0] rounds[0].quick rounds[0].slow rounds[0].next "
        "rounds[1] rounds[1].quick rounds[1].slow rounds[1].next",
        [
            Step("rounds[0].next", "completed", "slow", 1,
                 {"rounds[0].slow": "waiting", "rounds[1]": None}),
            Step("rounds[1].next", "completed", "slow", 2, {"rounds[1].slow": "waiting"}),
        ],
    ),
    "wcp29-cancelling-discriminator": Case(
        {"next": "found near"}, "search search.near next", cancelled="search.far"
    ),
    "wcp30-structured-partial-join": Case(
        {"next": "next"},
        "a b c next",
        [
            Step("a", "waiting", "b", seen={"next": "pending"}),
            Step("b", "completed", "a", seen={"next": "pending"}),
            Step("next", "completed", "c", seen={"c": "waiting"}),
        ],
    ),
    "wcp31-blocking-partial-join": Case(
        {"rounds": [1, 2]},
        " ".join(f"rounds[{n}] " + " ".join(f"rounds[{n}].{of}" for of in ("a", "b", "c", "next"))
                 for n in range(2)) + " rounds",
        [
            Step("rounds[0].next", "completed", "c", 1,
                 {"rounds[0].c": "waiting", "rounds[1]": None}),
            Step("rounds[1].next", "completed", "c", 2, {"rounds[1].c": "waiting"}),
        ],
    ),
    "wcp32-cancelling-partial-join": Case(
        {"next": "two"},
        "review review.a review.c review.enough next",
        [
            Step("review.b", "running", "c", seen={"review.enough": "pending"}),
            Step("review.c", "completed", "a", seen={"review.enough": "pending"}),
        ],
        cancelled="review.b",
    ),
    "wcp33-generalized-and-join": Case(
        [["w1", "f1"], ["w2", "f2"]],
        "assemble assemble[0] assemble[0].wheel assemble[0].frame "
        "assemble[1] assemble[1].wheel assemble[1].frame",
        [
            Step("assemble[0].frame", "waiting", "wheel", "w1"),
            Step("assemble[0].wheel", "completed", "wheel", "w2", {"assemble[1]": None}),
            Step("assemble[0].frame", "waiting", "frame", "f1"),
            Step("assemble[1].wheel", "completed", "frame", "f2"),
        ],
    ),
    "wcp37-local-synchronizing-merge": Case(
        {"slow": "slow", "merge": "merge"},
        "quick slow merge",
        skipped="ask answer",
        after=[("merge", "slow")],
    ),
    "wcp38-general-synchronizing-merge": Case(
        {"rework": "turn 2", "merge": "merge"},
        "route rework rework[0] rework[1] rework[2] quick merge",
        skipped="stay",
        after=[("merge", "turn 2")],
    ),
    "wcp40-interleaved-routing": Case(
        {"checks": ["oil", "lights", "tyres"], "next": "next"},
        "checks checks[0] checks[0].which checks[0].oil checks[1] checks[1].which "
        "checks[1].lights checks[2] checks[2].which checks[2].tyres next",
        skipped="checks[0].lights checks[0].tyres checks[1].oil checks[1].tyres "
        "checks[2].oil checks[2].lights",
        after=[("next", "tyres")],
        apart=["oil", "lights", "tyres"],
    ),
    "wcp41-thread-merge": Case(
        {"parts": ["left", "middle", "right"], "merged": "merged"},
        "parts parts[0] parts[0].make parts[1] parts[1].make parts[2] parts[2].make merged",
        after=[("merged", "left"), ("merged", "middle"), ("merged", "right")],
    ),
    "wcp42-thread-split": Case(
        [{"of": f"test {n}", "test": f"test {n}"} for n in (1, 2, 3)],
        "threads threads[0] threads[0].test threads[0].report threads[1] threads[1].test "
        "threads[1].report threads[2] threads[2].test threads[2].report",
        together=["test 1", "test 2", "test 3"],
    ),
    "wcp43-explicit-termination": Case(
        "found find", "all all.beat all.find all.end", cancelled="all.no_end all.search_on"
    ),
}  # fmt: skip

#: The other way that a choice may go.
OTHERWISE: list[tuple[str, Case]] = [
    ("wcp04-exclusive-choice", Case("small", "route wave", inputs={"amount": 1},
                                    skipped="ask note")),
    ("wcp05-simple-merge", Case({"receipt": ["receipt", None, "in cash"]}, "route cash receipt",
                                inputs={"card": False}, skipped="card")),
    ("wcp16-deferred-choice", Case(
        {"by_agent": "agent 7", "by_manager": None, "escalate": None},
        "choice choice.agent route by_agent",
        [Step("choice.late", "waiting", "agent-called", 7)],
        skipped="by_manager escalate", cancelled="choice.manager choice.late",
    )),
    ("wcp18-milestone", Case(
        {"fly": None}, "issue until_departure until_departure.departure fly",
        [
            Step("until_departure.asked", "waiting", "departure",
                 seen={"until_departure.departure": "waiting"}),
        ],
        cancelled="until_departure.asked until_departure.change",
    )),
]  # fmt: skip


async def until(conductor: Conductor, run: Run, step: Step) -> RunResult:
    """Wait until a node has a status; what the run is like then."""
    async with asyncio.timeout(20):
        while True:
            shown = await conductor.show(run.id)
            node = shown.nodes.get(step.node)
            if node is not None and node.status == step.status:
                return shown
            await asyncio.sleep(0.002)


def works(value: object) -> Iterator[tuple[str, float, float]]:
    """Name, begin and end of every work in an output."""
    if isinstance(value, dict):
        found = cast("dict[str, object]", value)
        if found.keys() == FIELDS:
            yield (
                cast("str", found["name"]),
                cast("float", found["began"]),
                cast("float", found["ended"]),
            )
        for inner in found.values():
            yield from works(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from works(inner)


def plain(value: object) -> object:
    """An output with the name of each work instead of its times."""
    if isinstance(value, dict):
        found = cast("dict[str, object]", value)
        if found.keys() == FIELDS:
            return found["name"]
        return {key: plain(inner) for key, inner in found.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in cast("list[object]", value)]
    return value


def by_status(result: RunResult) -> dict[str, set[str]]:
    """The nodes that ended in each way."""
    found: dict[str, set[str]] = {}
    for path, node in result.nodes.items():
        found.setdefault(node.status, set()).add(path)
    return found


@pytest.mark.parametrize(("name", "case"), [*CASES.items(), *OTHERWISE])
async def test_a_pattern_does_what_it_says(name: str, case: Case) -> None:
    async with Conductor("memory:", nodes=[FOLDER / "nodes.py"]) as conductor:
        run = await conductor.start(FOLDER / f"{name}.yaml", case.inputs)
        for step in case.steps:
            shown = await until(conductor, run, step)
            seen = {path: shown.nodes[path].status if path in shown.nodes else None
                    for path in step.seen}  # fmt: skip
            assert seen == dict(step.seen)
            if step.signal == CANCEL:
                await run.cancel("no longer wanted")
            else:
                await run.signal(step.signal, step.payload)
        async with asyncio.timeout(20):
            result = await run.result()
    assert (result.status, plain(result.output)) == (case.status, case.output), result.error
    wanted = {"completed": case.completed, "skipped": case.skipped, "cancelled": case.cancelled}
    assert by_status(result) == {key: set(of.split()) for key, of in wanted.items() if of}
    times = {work: (began, ended) for work, began, ended in works(result.output)}
    for later, earlier in case.after:
        assert times[later][0] >= times[earlier][1], (later, earlier)
    if case.together:
        spans = [times[work] for work in case.together]
        assert max(began for began, _ in spans) < min(ended for _, ended in spans)
    spans = sorted(times[work] for work in case.apart)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def test_every_pattern_is_tried() -> None:
    files = {path.stem for path in FOLDER.glob("wcp*.yaml")}
    assert set(CASES) == files


def test_the_page_lists_all_patterns_and_each_file_once() -> None:
    rows = re.findall(
        r"^\| (\d+) \| .+ \| (yes|in part|no) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert [int(number) for number, _, _ in rows] == list(range(1, 44))
    counted = Counter(verdict for _, verdict, _ in rows)
    said = (
        f"{counted['yes']} can be expressed, {counted['in part']} in part, {counted['no']} cannot"
    )
    assert said in PAGE.read_text("utf-8")
    for number, verdict, cell in rows:
        linked = re.findall(r"\(\.\./\.\./examples/patterns/(wcp[\w-]+)\.yaml\)", cell)
        expected = [name for name in CASES if name.startswith(f"wcp{int(number):02}-")]
        assert linked == expected, number
        assert (verdict == "no") == (not linked), number
        if linked and verdict == "in part":
            assert ", in part: " in (FOLDER / f"{linked[0]}.yaml").read_text().splitlines()[0]
