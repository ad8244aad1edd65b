"""Runs on a simulated clock, in a world where everything goes wrong that can.

One number replays everything: the blueprint, the order of events, what nodes do, the faults.

    python -m atomiton.drivers.simulation 4711

tries that seed with a crash at every place and prints the story of the first run that breaks a law,
or of the run without crashes if all keep them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import msgspec

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.plan import Plan
from atomiton.drivers.simulated_blueprints import SimulatedTypes, random_plan
from atomiton.drivers.simulated_journal import SimulatedJournal
from atomiton.drivers.simulated_laws import Laws
from atomiton.drivers.simulated_process import Process
from atomiton.drivers.simulated_world import Effect, Violation, World
from atomiton.errors import ErrorInfo
from atomiton.machine import RunState
from atomiton.machine.commands import Command
from atomiton.machine.events import (
    AttemptFailed,
    AttemptRepeated,
    CancelRequested,
    Event,
    Paused,
    Resumed,
    RunRequested,
    StepRequested,
)
from atomiton.machine.records import decode, encode
from atomiton.machine.state import LOST, STATUS_NAMES

POINTS = 5
"""Places of every journal write at which a process can die: before it, in the middle of it (nothing
stored, or all), stored but not acknowledged, and acknowledged, with what it led to begun."""

TURNS = 20_000
"""More than any simulated run needs; who takes longer will never end."""


class Faults(msgspec.Struct, frozen=True):
    """What may go wrong.

    Attributes:
        crash_at: The place at which the process dies; place ``n % POINTS`` of write
            ``n // POINTS``.
        crashes: How likely it dies at any place.
        power: How likely a crash also takes what was not on disk.
        lost: How likely nobody sees how an attempt ended, though the process lives.
        twice: How likely an answer comes twice.
        requests: At most how often somebody pauses, resumes, steps or cancels the run.
        cancels: Whether one of these may be to cancel.
        jumps: At most how often the wall clock jumps.
        decline: How likely it is decided to give a lost attempt up, not to repeat it.
    """

    crash_at: int | None = None
    crashes: float = 0.0
    power: float = 0.3
    lost: float = 0.0
    twice: float = 0.0
    requests: int = 0
    cancels: bool = False
    jumps: int = 0
    decline: float = 0.0


CALM = Faults(lost=0.05, twice=0.2, requests=3)
"""Faults that change nothing about how a run ends."""
STORM = Faults(lost=0.05, twice=0.2, requests=4, cancels=True, jumps=2, decline=0.3)
"""All faults but crashes."""


class Outcome(msgspec.Struct, frozen=True):
    """How a simulated run went.

    Attributes:
        nodes: What became of each node, by path.
        facts: What the journal holds at the end.
        commands: What the machine wished for, in the lives that were not cut off.
        effects: What nodes did to the world.
        writes: How often the journal was written.
        crashes: How often the process died.
        story: Everything that happened, one line each.
    """

    status: str
    output: object
    error: ErrorInfo | None
    nodes: dict[str, str]
    facts: tuple[Event, ...]
    commands: tuple[Command, ...]
    effects: tuple[Effect, ...]
    writes: int
    crashes: int
    story: tuple[str, ...]

    def same_end(self, other: Outcome) -> bool:
        """Whether another run of this plan ended the same, as it must if nothing was a race."""
        if self.status == other.status == "completed":
            return self.output == other.output and self.nodes == other.nodes
        # Who else was still running when a node failed depends on the order of events.
        return self.status == other.status


class Crash(BaseException):
    """The process dies here; nothing after this instruction happens."""


class Simulation:
    """One run in one world, through as many lives as it takes."""

    def __init__(self, plan: Plan, seed: int, faults: Faults) -> None:
        self.plan = plan
        self.seed = seed
        self.faults = faults
        self.world = World(seed)
        self.journal = SimulatedJournal()
        self.laws = Laws(plan, self.journal, self._tell)
        self.life = 0
        self.writes = 0
        self.crashes = 0
        self.process = Process(self, RunState(plan))
        self._told: list[tuple[float, int, object]] = []
        self._deciding: set[tuple[int, int, int]] = set()
        draw = self.world.random
        for _ in range(draw.randint(0, faults.requests)):
            self.world.later(draw.choice((0.0, 0.25, 1.0, 3.0, 10.0)), self._request)
        for _ in range(draw.randint(0, faults.jumps)):
            self.world.later(draw.choice((0.5, 2.0, 6.0)), self._jump)
        self.world.later(0.0, self._live)

    def run(self) -> Outcome:
        """Let everything happen until the run has ended and nothing more can come."""
        for _ in range(TURNS):
            if not self._turn():
                if self.process.stopped:
                    self.laws.ended(self.process)
                    return self._outcome()
                self._nudge()
        raise Violation("liveness", "the run does not end")

    def story(self) -> tuple[str, ...]:
        """Everything that happened, one line each."""
        return tuple(f"{time:8.2f} {life} {what}" for time, life, what in self._told)

    def _tell(self, what: object) -> None:
        self._told.append((self.world.elapsed, self.life, what))

    def _turn(self) -> bool:
        try:
            more = self.world.turn()
        except Crash:
            self._die()
            return True
        if self.life and not self.process.dead:
            self.laws.between(self.process)
            self._decide_lost()
        return more

    def _nudge(self) -> None:
        """The world is at rest and the run has not ended: only a person can have wanted that."""
        if not self.process.state.paused:
            raise Violation("liveness", f"the run is {self.process.state.status}, for ever")
        self.process.feed(Resumed(self.world.now()))

    def _outcome(self) -> Outcome:
        state = self.process.state
        frame = state.frames[0]
        return Outcome(
            status=state.status,
            output=state.output,
            error=state.failure,
            nodes={
                node.path: STATUS_NAMES[frame.status[number]]
                for number, node in enumerate(self.plan.root.nodes)
            },
            facts=tuple(self.process.facts),
            commands=tuple(
                c for place in sorted(self.laws.commands) for c in self.laws.commands[place]
            ),
            effects=tuple(self.world.effects),
            writes=self.writes,
            crashes=self.crashes,
            story=self.story(),
        )

    # -- lives ---------------------------------------------------------------------------------

    def _live(self) -> None:
        """A process comes up: it accepts the run, or goes on with it."""
        self.life += 1
        self._deciding.clear()
        self.process = Process(self, RunState(self.plan))
        self._tell("a process comes up")
        self.laws.recovered(self.process)
        if not self.journal.records:
            self.process.accept(RunRequested(self.world.now(), "run", {}, self.seed))
            return
        self.process.recover([decode(record) for record in self.journal.records])

    def _die(self) -> None:
        self.process.dead = True
        self.crashes += 1
        draw = self.world.random
        if draw.random() < self.faults.power:
            self.journal.lose_power(draw)
        self._tell(f"the process dies; {len(self.journal.records)} facts stay")
        self.world.later(draw.choice((0.0, 0.5, 20.0)), self._live)

    def _point(self, write: int, place: int) -> None:
        number = write * POINTS + place
        faults = self.faults
        chance = faults.crashes > 0 and self.world.random.random() < faults.crashes
        if faults.crash_at == number or chance:
            self._tell(f"crash at {number}")
            raise Crash

    # -- what a process asks for -----------------------------------------------------------------

    def write(
        self, facts: Sequence[Event], first: int, *, sync: bool, then: Callable[[], None]
    ) -> None:
        """Put facts on record, then go on; a crash may come first."""
        process, number = self.process, self.writes
        self.writes += 1
        records = [encode(fact) for fact in facts]
        pause = self.world.random.choice((0.0, 0.0, 0.01, 0.3))

        def middle() -> None:
            if not process.dead:
                self._point(number, 1)
                self.journal.append(first, records, sync=sync)
                self._point(number, 2)
                self.world.later(pause, end)

        def end() -> None:
            if not process.dead:
                self._point(number, 3)
                self._tell(f"{len(records)} facts are on record{'' if sync else ', not on disk'}")
                then()
                self._point(number, 4)

        self._point(number, 0)
        self.world.later(pause, middle)

    def mishap(self) -> str:
        """What goes wrong with an answer: ``lost``, ``twice``, or nothing (empty)."""
        luck = self.world.random.random()
        if luck < self.faults.lost:
            return "lost"
        return "twice" if luck > 1 - self.faults.twice else ""

    # -- people and clocks -----------------------------------------------------------------------

    def _request(self) -> None:
        """Somebody wants something of the run, which may be impossible just now."""
        process, now = self.process, self.world.now()
        kinds = (Paused, Resumed, StepRequested, CancelRequested)
        kind = self.world.random.choice(kinds if self.faults.cancels else kinds[:-1])
        if self.life and not process.dead and process.facts:
            process.feed(kind(now))

    def _jump(self) -> None:
        self.world.skew += self.world.random.choice((-30.0, 5.0, 1000.0))
        self._tell(f"the wall clock is off by {self.world.skew:g} s")

    def _decide_lost(self) -> None:
        """Somebody notices attempts that are lost, and decides about them some time later."""
        for frame in self.process.state.frames:
            for node, status in enumerate(frame.status):
                of = (frame.id, node, frame.attempts[node])
                if status == LOST and of not in self._deciding:
                    self._deciding.add(of)
                    pause = self.world.random.choice((0.0, 1.0, 15.0))
                    self.world.later(pause, _decision(self, self.process, of))

    def decide(self, process: Process, of: tuple[int, int, int]) -> None:
        """Decide about a lost attempt, unless the run has gone on without."""
        frame = process.state.frames[of[0]]
        if process.dead or frame.status[of[1]] != LOST:
            return
        self._deciding.discard(of)
        now = self.world.now()
        if self.world.random.random() < self.faults.decline:
            process.feed(AttemptFailed(now, *of, ErrorInfo("ATTEMPT_LOST", "given up")))
        else:
            process.feed(AttemptRepeated(now, *of))


def _decision(
    simulation: Simulation, process: Process, of: tuple[int, int, int]
) -> Callable[[], None]:
    return lambda: simulation.decide(process, of)


def simulate(what: Blueprint | Plan, seed: int, faults: Faults | None = None) -> Outcome:
    """Run a blueprint in a world drawn from a seed.

    Args:
        what: A blueprint of the simulated node types, or its plan.
        seed: Draws the order of events, what nodes do, and when faults strike.
        faults: What may go wrong; nothing by default.

    Returns:
        How it went.

    Raises:
        Violation: If a law did not hold.

    Example:
        >>> outcome = simulate(random_plan(7), 7, Faults(crash_at=3))
        >>> outcome.crashes
        1
    """
    plan = what if isinstance(what, Plan) else compile_blueprint(what, SimulatedTypes())
    simulation = Simulation(plan, seed, faults or Faults())
    try:
        return simulation.run()
    except Violation as violation:
        violation.story = simulation.story()
        raise
    except Exception as error:  # a bug of any kind is what is looked for
        broken = Violation("no error", f"{type(error).__name__}: {error}")
        broken.story = simulation.story()
        raise broken from error


class Tally(msgspec.Struct):
    """What was tried.

    Attributes:
        runs: Simulated runs.
        crashes: Deaths of processes in them.
        writes: Journal writes in them.
    """

    runs: int = 0
    crashes: int = 0
    writes: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        self.crashes += outcome.crashes
        self.writes += outcome.writes


def check_seed(seed: int, *, every_place: bool = True, random_runs: int = 4) -> Tally:
    """Try everything that a seed stands for.

    Even seeds are calm: nothing in them is a race, so every run must end as the one without
    crashes. Odd seeds are storms.

    Args:
        seed: The seed.
        every_place: Whether to crash at every place of every journal write, one run each.
        random_runs: How many runs crash anywhere, any number of times.

    Raises:
        Violation: If a law did not hold; its message says how to repeat the run.
    """
    calm = seed % 2 == 0
    trial = _Trial(seed, random_plan(seed, calm=calm))
    base = CALM if calm else STORM
    first = trial.run(base)
    trial.like = first if calm else None
    if every_place:
        for place in range(first.writes * POINTS):
            trial.run(msgspec.structs.replace(base, crash_at=place))
    for number in range(random_runs):
        trial.run(msgspec.structs.replace(base, crashes=0.05), number)
    return trial.tally


class _Trial:
    """All runs of one seed."""

    def __init__(self, seed: int, plan: Plan) -> None:
        self.seed = seed
        self.plan = plan
        self.tally = Tally()
        self.like: Outcome | None = None

    def run(self, faults: Faults, world: int = 0) -> Outcome:
        """Run the plan in one of its worlds; in the first it must always end the same."""
        try:
            outcome = simulate(self.plan, self.seed + world * 1_000_003, faults)
            self.tally.add(outcome)
            if not world and self.like is not None and not self.like.same_end(outcome):
                what = f"{outcome.status} {outcome.nodes} {outcome.output}"
                other = Violation("same end", f"{what}, without crashes {self.like.status}")
                other.story = outcome.story
                raise other
        except Violation as violation:
            violation.add_note(f"seed {self.seed}, world {world}, {faults}")
            raise
        return outcome


def main(arguments: Sequence[str]) -> int:
    """Try one seed and tell its story."""
    seed = int(arguments[0])
    try:
        tally = check_seed(seed)
        calm = seed % 2 == 0
        story = simulate(random_plan(seed, calm=calm), seed, CALM if calm else STORM).story
        end = f"{tally.runs} runs, {tally.writes} writes, {tally.crashes} crashes: every law holds"
    except Violation as violation:
        story = violation.story
        end = "\n".join([f"VIOLATION {violation}", *violation.__notes__])
    sys.stdout.write("\n".join([*story, end, ""]))
    return int("VIOLATION" in end)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
