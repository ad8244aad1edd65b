"""The page on the machine: its facts, wishes and states, as the code has them and moves them."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from typing import get_args

from atomiton.cli.drawing import Box, Drawing, Line
from atomiton.cli.svg import draw_svg
from atomiton.drivers.simulated_blueprints import random_plan, weather_of
from atomiton.drivers.simulation import STORM, Faults, Simulation
from atomiton.machine import RunState, state, transitions
from atomiton.machine import apply as machine_apply
from atomiton.machine.commands import Command
from atomiton.machine.events import Event
from atomiton.machine.state import ENDED, Frame

#: From a state, by a fact, to a state -> how often it was seen.
Moves = Counter[tuple[str, str, str]]

_SEEDS = 150
_CRASHING = Faults(
    crashes=0.02, lost=STORM.lost, twice=STORM.twice, requests=4, cancels=True, disk=STORM.disk,
    decline=STORM.decline, noise=STORM.noise,
)  # fmt: skip
_STATUS = re.compile(r"^([A-Z]+) = (\d+)(?:  # (.+))?$", re.MULTILINE)

_HEAD = """\
# The machine

A run is moved by a pure function: a fact goes in, the state of the run changes, and wishes come
out. It does no I/O, asks no clock and draws no random numbers, so the same facts always give the
same run: what is on record *is* the run. A driver appends each fact to the journal, feeds it to the
machine and grants its wishes; [a decision](../decisions/0003-pure-machine.md) says why.

This page is written from the code: the facts and wishes are those of the program, and the drawings
show the moves that were seen when {seeds} random blueprints ran in a simulated world with crashes,
lost and late answers, and people who pause and cancel ({moves:,} moves). What is rarer than that,
or what no run can do, is not in them.
"""


def machine_page() -> tuple[str, dict[str, str]]:
    """The page, and its drawings by the name of their file."""
    nodes, runs = watch(_SEEDS)
    parts = [
        _HEAD.format(seeds=_SEEDS, moves=nodes.total() + runs.total()),
        "## What a run does\n\n![The states of a run](machine-run.svg)\n",
        _moves(runs),
        "## What a node does\n\n![The states of a node](machine-node.svg)\n",
        _states(),
        _moves(nodes),
        f"## What each fact does\n\n```text\n{_table()}\n```\n",
        "## Facts\n\nAll that can be on record of a run.\n",
        _types(get_args(Event)),
        "## Wishes\n\nAll that the machine asks for. The facts give them again: none is stored.\n",
        _types(get_args(Command)),
    ]
    drawings = {
        "machine-run.svg": draw_svg(_drawing("A run", runs)),
        "machine-node.svg": draw_svg(_drawing("A node", nodes)),
    }
    return "\n".join(parts), drawings


# -- watching the machine ------------------------------------------------------------------------


class _Statuses(list[int]):
    """What the nodes of a frame do, which tells of every change."""

    moves: Moves
    fact: str

    def __setitem__(self, node: object, status: object) -> None:
        assert isinstance(node, int)
        assert isinstance(status, int)
        before = self[node]
        if before != status:
            self.moves[_NAMES[before], type(self).fact, _NAMES[status]] += 1
        super().__setitem__(node, status)


_NAMES = {
    int(found[2]): found[1].lower()
    for found in _STATUS.finditer(inspect.getsource(state).partition("STATUS_NAMES")[0])
}


def watch(seeds: int) -> tuple[Moves, Moves]:
    """The moves of nodes and of runs that simulated runs make.

    Args:
        seeds: How many runs to simulate.
    """
    nodes, runs = Moves(), Moves()
    _Statuses.moves = nodes
    for seed in range(seeds):
        plan = random_plan(seed, weather_of(seed))
        outcome = Simulation(plan, seed, _CRASHING).run()
        run = RunState(plan)
        for fact in outcome.facts:
            _Statuses.fact = type(fact).__name__
            before = run.status
            with _watched(run):
                machine_apply(run, fact)
            if run.status != before:
                runs[before, type(fact).__name__, run.status] += 1
    return nodes, runs


class _watched:  # noqa: N801 - used like a function
    """While it is open, frames of a run tell of what their nodes do."""

    def __init__(self, run: RunState) -> None:
        for frame in run.frames.values():
            if not isinstance(frame.status, _Statuses):
                frame.status = _Statuses(frame.status)

    def __enter__(self) -> None:
        self._init = Frame.__init__

        def watched(frame: Frame, *arguments: object, **named: object) -> None:
            self._init(frame, *arguments, **named)  # type: ignore[arg-type]
            frame.status = _Statuses(frame.status)

        Frame.__init__ = watched  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        Frame.__init__ = self._init  # type: ignore[method-assign]


# -- writing -------------------------------------------------------------------------------------


def _drawing(name: str, moves: Moves) -> Drawing:
    """States as boxes, and the moves between them as lines."""
    pairs = {(before, after) for before, _, after in moves}
    order = [*_NAMES.values()]
    names = sorted(
        {name for pair in pairs for name in pair},
        key=lambda name: (order.index(name) if name in order else -1, name),
    )
    ended = {*ENDED, "skipped"}
    boxes = [
        Box(
            name, "wait" if name in ended else "uses", "ended" if name in ended else "goes on", None
        )
        for name in names
    ]
    return Drawing(name, boxes, [Line(*pair, "ref", None) for pair in sorted(pairs)])


def _moves(moves: Moves) -> str:
    facts: dict[tuple[str, str], list[str]] = {}
    for before, fact, after in sorted(moves):
        facts.setdefault((before, after), []).append(f"`{fact}`")
    rows = [
        f"| {before} | {after} | {', '.join(by)} |" for (before, after), by in sorted(facts.items())
    ]
    return "\n".join(["| from | to | while this fact is taken in |", "|---|---|---|", *rows, ""])


def _states() -> str:
    source = inspect.getsource(state).partition("STATUS_NAMES")[0]
    rows = [
        f"| {found[1].lower()} | {found[3] or ''} | {state.STATUS_NAMES[int(found[2])]} |"
        for found in _STATUS.finditer(source)
    ]
    return "\n".join(["| state | means | people see |", "|---|---|---|", *rows, ""])


def _table() -> str:
    """The table that stands at the head of the transitions."""
    text = inspect.getdoc(transitions) or ""
    return inspect.cleandoc(text[text.index("    RunRequested") : text.index("\n\nAfter every")])


def _types(types: tuple[type, ...]) -> str:
    return "\n".join(["| | means | holds |", "|---|---|---|", *map(_row, types), ""])


def _row(type_: type) -> str:
    meaning = (inspect.getdoc(type_) or "").partition("\n\n")[0].replace("\n", " ")
    fields = ", ".join(f"`{name}`" for name in _fields(type_))
    return f"| `{type_.__name__}` | {meaning.replace('``', '`')} | {fields} |"


def _fields(type_: type) -> Iterator[str]:
    import msgspec

    return (field.name for field in msgspec.structs.fields(type_) if field.name != "time")
