"""Runs on a simulated clock, in a world where everything goes wrong that can.

One number replays everything: the blueprint, the order of events, what nodes do, the faults.

    python -m atomiton.drivers.simulation 4711

tries that seed with a crash at every place and prints the blueprint, and the story of the first run
that breaks a law, or of the run without crashes if all keep them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import msgspec

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.plan import Plan
from atomiton.drivers.simulated_blueprints import (
    SimulatedTypes,
    drawing_of,
    random_plan,
    weather_of,
)
from atomiton.drivers.simulated_documents import Weather
from atomiton.drivers.simulated_journal import SimulatedJournal
from atomiton.drivers.simulated_laws import Laws
from atomiton.drivers.simulated_people import People
from atomiton.drivers.simulated_process import Process, timeless
from atomiton.drivers.simulated_world import Effect, Violation, World
from atomiton.errors import ErrorInfo
from atomiton.machine import RunState
from atomiton.machine.commands import Command
from atomiton.machine.events import Breakpoint, Event, Resumed, RunRequested
from atomiton.machine.finishing import undone
from atomiton.machine.records import decode, encode
from atomiton.machine.state import STATUS_NAMES

POINTS = 5
"""Places of every journal write at which a process can die: before it, in the middle of it (nothing
stored, or all), stored but not acknowledged, and acknowledged, with what it led to begun."""

JUMPS = (-30.0, 5.0, 1000.0, -3600.0, 3600.0, -86_400.0, 315_576_000.0)
"""Seconds by which the wall clock may jump."""
PAUSES = (1.0, 40.0, 4000.0)
"""Seconds for which a process may be held up."""

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
        jumps: At most how often the wall clock jumps: by seconds, by an hour as when daylight
            saving begins or ends, a day back, or ten years ahead.
        pauses: At most how often the process is held up for a while: nothing in it happens, and
            then all that was due at once.
        disk: How likely the disk fails a write, after which the process gives the run up: what it
            wrote is there, or is not.
        decline: How likely it is decided to give a lost attempt up, not to repeat it.
        noise: How likely signals come that nobody has asked for, or cannot read.
    """

    crash_at: int | None = None
    crashes: float = 0.0
    power: float = 0.3
    lost: float = 0.0
    twice: float = 0.0
    requests: int = 0
    cancels: bool = False
    jumps: int = 0
    pauses: int = 0
    disk: float = 0.0
    decline: float = 0.0
    noise: float = 0.0


CALM = Faults(lost=0.05, twice=0.2, requests=3, disk=0.01)
"""Faults that change nothing about how a run ends."""
STORM = Faults(
    lost=0.05, twice=0.2, requests=4, cancels=True, jumps=2, pauses=2, disk=0.01, decline=0.3,
    noise=0.3,
)  # fmt: skip
"""All faults but crashes."""


class Outcome(msgspec.Struct, frozen=True):
    """How a simulated run went.

    Attributes:
        output: What the run gave, without the moments of approvals.
        nodes: What became of each node of the top body, by name.
        inner: What became of every node of every body, by path, in the order they were opened.
        undone: Names of the nodes whose compensation has completed, and of those whose failed.
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
    inner: tuple[tuple[str, str], ...]
    undone: tuple[list[str], list[str]]
    facts: tuple[Event, ...]
    commands: tuple[Command, ...]
    effects: tuple[Effect, ...]
    writes: int
    crashes: int
    story: tuple[str, ...]

    def same_end(self, other: Outcome, weather: Weather = "calm") -> bool:
        """Whether another run of this plan ended the same, as it must if nothing was a race."""
        if self.status != other.status:
            return False
        if weather == "file":
            return self.all() == other.all()
        # Who else was still running when a node failed depends on the order of events.
        done = self.status == "completed"
        return not done or (self.output == other.output and self.nodes == other.nodes)

    def all(self) -> tuple[object, ...]:
        """What a run in single file ends with, without moments and numbers of bodies."""
        failure = self.error and (self.error.code, self.error.node, self.error.attempt)
        return self.output, self.nodes, sorted(self.inner), self.undone, failure


class Crash(BaseException):
    """The process dies here; nothing after this instruction happens."""


class Simulation:
    """One run in one world, through as many lives as it takes."""

    def __init__(
        self, plan: Plan, seed: int, faults: Faults, stops: Sequence[str] | None = None
    ) -> None:
        self.plan = plan
        self.seed = seed
        self.stops = None if stops is None else tuple(Breakpoint(path) for path in stops)
        self.faults = faults
        self.world = World(seed)
        self.journal = SimulatedJournal()
        self.laws = Laws(plan, self.journal, self._tell)
        self.life = 0
        self.writes = 0
        self.crashes = 0
        self.process = Process(self, RunState(plan))
        self._told: list[tuple[float, int, object]] = []
        draw = self.world.random
        self.people = People(
            self.world, seed, decline=faults.decline, noise=faults.noise, twice=faults.twice
        )
        self.people.expect(plan, faults.requests, cancels=faults.cancels)
        for _ in range(draw.randint(0, faults.jumps)):
            self.world.later(draw.choice((0.5, 2.0, 6.0)), self._jump)
        for _ in range(draw.randint(0, faults.pauses)):
            self.world.later(draw.choice((0.3, 1.0, 5.0)), self._pause)
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
            self.people.look()
        return more

    def _nudge(self) -> None:
        """The world is at rest and the run has not ended: only a person can have wanted that."""
        if not self.process.state.paused:
            raise Violation("liveness", f"the run is {self.process.state.status}, for ever")
        self.process.feed(Resumed(self.world.now()))

    def _outcome(self) -> Outcome:
        state = self.process.state
        return Outcome(
            status=state.status,
            output=timeless(state.output),
            error=state.failure,
            nodes={
                node.id: STATUS_NAMES[state.top.status[number]]
                for number, node in enumerate(self.plan.root.nodes)
            },
            inner=tuple(
                (frame.path(node), STATUS_NAMES[status])
                for frame in state.frames.values()
                for node, status in enumerate(frame.status)
            ),
            undone=undone(state),
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
        self.process = Process(self, RunState(self.plan))
        self.people.meet(self.process)
        self._tell("a process comes up")
        self.laws.recovered()
        if not self.journal.records:
            now, stops = self.world.now(), self.stops
            self.process.accept(RunRequested(now, "run", {}, self.seed, breakpoints=stops))
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
                fails = self.faults.disk > 0 and self.world.random.random() < self.faults.disk
                if not fails or self.world.random.random() < 0.5:
                    self.journal.append(first, records, sync=sync)
                if fails:
                    self._tell("the disk fails")
                    raise Crash
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

    def _pause(self) -> None:
        held_up = self.world.random.choice(PAUSES)
        self.world.elapsed += held_up
        self._tell(f"the process was held up for {held_up:g} s")

    def _jump(self) -> None:
        self.world.skew += self.world.random.choice(JUMPS)
        self._tell(f"the wall clock is off by {self.world.skew:g} s")


def simulate(
    what: Blueprint | Plan,
    seed: int,
    faults: Faults | None = None,
    stops: Sequence[str] | None = None,
) -> Outcome:
    """Run a blueprint in a world drawn from a seed.

    Args:
        what: A blueprint of the simulated node types, or its plan.
        seed: Draws the order of events, what nodes do, and when faults strike.
        faults: What may go wrong; nothing by default.
        stops: Paths of nodes that have breakpoints: about half of the attempts stop the run, and
            somebody lets it go on.

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
    simulation = Simulation(plan, seed, faults or Faults(), stops)
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
    crashes; in every fourth, where all goes in single file, also one that fails must, with the same
    compensations in the same order. Odd seeds are storms.

    Args:
        seed: The seed.
        every_place: Whether to crash at every place of every journal write, one run each.
        random_runs: How many runs crash anywhere, any number of times.

    Raises:
        Violation: If a law did not hold; its message says how to repeat the run.
    """
    weather = weather_of(seed)
    trial = _Trial(seed, weather)
    base = STORM if weather == "storm" else CALM
    first = trial.run(base)
    trial.like = None if weather == "storm" else first
    if every_place:
        for place in range(first.writes * POINTS):
            trial.run(msgspec.structs.replace(base, crash_at=place))
    for number in range(random_runs):
        trial.run(msgspec.structs.replace(base, crashes=0.05), number)
    return trial.tally


class _Trial:
    """All runs of one seed."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self.seed = seed
        self.weather: Weather = weather
        self.plan = random_plan(seed, weather)
        self.tally = Tally()
        self.like: Outcome | None = None

    def run(self, faults: Faults, world: int = 0) -> Outcome:
        """Run the plan in one of its worlds; in the first it must always end the same."""
        try:
            outcome = simulate(self.plan, self.seed + world * 1_000_003, faults)
            self.tally.add(outcome)
            if not world and self.like is not None:
                self._compare(self.like, outcome)
        except Violation as violation:
            violation.add_note(f"seed {self.seed}, world {world}, {faults}")
            raise
        return outcome

    def _compare(self, like: Outcome, outcome: Outcome) -> None:
        if not like.same_end(outcome, self.weather):
            ends = [f"{end.status} {end.all()}" for end in (outcome, like)]
            other = Violation("same end", ", without crashes ".join(ends))
            other.story = outcome.story
            raise other


def main(arguments: Sequence[str]) -> int:
    """Try one seed and tell its story."""
    seed = int(arguments[0])
    try:
        tally = check_seed(seed)
        calm = weather_of(seed) != "storm"
        story = simulate(random_plan(seed, weather_of(seed)), seed, CALM if calm else STORM).story
        end = f"{tally.runs} runs, {tally.writes} writes, {tally.crashes} crashes: every law holds"
    except Violation as violation:
        story = violation.story
        end = "\n".join([f"VIOLATION {violation}", *violation.__notes__])
    drawn = drawing_of(seed, weather_of(seed)).yaml()
    sys.stdout.write("\n".join([drawn, *story, end, ""]))
    return int("VIOLATION" in end)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
