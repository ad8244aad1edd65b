"""One run through the lives of several processes, each of which may die at a chosen write."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

import msgspec

from atomiton.conductor.library import Source
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError
from atomiton.events import RunEvent
from atomiton.machine.events import AttemptCompleted, AttemptFailed, AttemptLost
from atomiton.nodes.guard import Capabilities
from atomiton.ports.runtime import Runtime
from atomiton.testing.answering import Answering
from atomiton.testing.conductor import VirtualConductor
from atomiton.testing.crash_journal import Crash, CrashingJournal, Disk, Place
from atomiton.testing.observing import ObservedRegistry, World
from atomiton.testing.replacing import Calls
from atomiton.testing.virtual_time import START, Stuck, VirtualLoop

#: Under this idempotency key the run is asked for in every life: it is always the same run.
KEY = "crash-test"
#: Real seconds before a process in which nothing can happen any more counts as stuck.
PATIENCE = 0.02

#: By path, place and number: a group that is tried again begins each of its nodes anew.
Attempts = set[tuple[str, tuple[int, int], int]]


class Setting(msgspec.Struct, frozen=True):
    """What is run, and with what.

    Attributes:
        blueprint: The blueprint, or what names it; each process reads it anew.
        inputs: Its inputs.
        nodes: Node functions, or files of them.
        replace: Makes the stand-ins of one story.
        capabilities: Makes what the nodes of one story reach the world with.
        secrets: Values by name.
        answers: What somebody answers who is asked, by path of the node that waits.
    """

    blueprint: Source
    inputs: Mapping[str, object]
    nodes: Sequence[object]
    replace: Callable[[], Mapping[str, object]]
    capabilities: Callable[[], Capabilities]
    secrets: Mapping[str, str] | None
    answers: Mapping[str, object]


class Story(msgspec.Struct):
    """How a run fared through all its lives.

    Attributes:
        places: Where processes died, in order.
        result: How the run stands in the end.
        waiting: Why it goes no further by itself; None when it has ended.
        decision: Whether that is because an attempt was lost which must not be repeated unasked,
            and which has really acted.
        events: Facts that were seen in the last life, from the first one on.
        acts: Number of acts of nodes.
        writes: How often the last process wrote.
        repeated: What acted though its result was stored, or more often than it may.
        lasts: First and last number of the records of each process's last write.
        uncertain: Whether, when the last process died, something was stored but not on disk for
            certain.
    """

    places: tuple[Place, ...]
    result: RunResult | None = None
    waiting: str | None = None
    decision: bool = False
    events: Sequence[RunEvent] = ()
    acts: int = 0
    writes: int = 0
    repeated: Sequence[str] = ()
    lasts: Sequence[tuple[int, int]] = ()
    uncertain: bool = False


class _Process(VirtualConductor):
    """A process that may die: worker processes would outlive it, so threads do their work."""

    def _runtimes(self) -> dict[str, Callable[[], Runtime]]:
        made = super()._runtimes()
        return {**made, "process": made["thread"]}


class _Life:
    """One process from its start to its death or to the end of the run."""

    def __init__(self, teller: Teller, number: int, place: Place | None) -> None:
        self.number = number
        self.loop = VirtualLoop(teller.now, patience=PATIENCE)
        # What a dead process leaves undone is nobody's mistake.
        self.loop.set_exception_handler(lambda _loop, _context: None)
        self.journal = CrashingJournal(teller.disk, place)
        setting = teller.setting
        self.conductor = _Process(
            self.journal,
            nodes=setting.nodes,
            replace=teller.replace,
            capabilities=teller.capabilities,
            secrets=setting.secrets,
            resume=False,
            registry=ObservedRegistry.telling(teller.world),
        )
        self.conductor.replacing.replacements.calls = teller.calls
        self.teller = teller
        self.events: list[RunEvent] = []
        self.run = ""

    async def main(self) -> RunResult:
        setting, conductor = self.teller.setting, self.conductor
        # Not ``async with``: a process that dies does not tidy up.
        await conductor.__aenter__()
        run = await conductor.start(setting.blueprint, setting.inputs, key=KEY)
        self.run = run.id
        somebody = Answering(conductor, setting.answers)
        async for event in run.events():
            self.events.append(event)
            await somebody.look(run.id)
            if isinstance(event.fact, AttemptLost) and not self.teller.acted_unseen(self.events):
                # Whoever looks sees that it has not acted: it may be made again.
                with contextlib.suppress(Exception):  # it goes on by itself already
                    await conductor.resume(run.id, lost="repeat")
        result = await run.result()
        await conductor.__aexit__(None, None, None)
        return result

    def bury(self) -> None:
        """Free what a dead process has left; nothing in it goes on, it only ends."""
        self.journal.dead = True
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        with contextlib.suppress(Exception, Crash):  # the dead owe nobody a tidy end
            self.loop.run_until_complete(self.conductor.__aexit__(None, None, None))
        with contextlib.suppress(Exception, Crash):  # the same
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


class Teller:
    """Lets one run live through several processes.

    Args:
        setting: What is run.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.world = World()
        self.disk = Disk()
        self.calls = Calls()
        self.replace = setting.replace()
        self.capabilities = setting.capabilities()
        self.now = START
        self._facts: dict[int, RunEvent] = {}
        self._repeated: list[str] = []

    def tell(self, places: tuple[Place, ...]) -> Story:
        """Let the processes die at these places, one after the other; the last one does not."""
        story = Story(places)
        lives: list[_Life] = []
        self.capabilities.reset()
        try:
            for number, place in enumerate([*places, None]):
                self.world.life = number
                stored = self.disk.records
                life = _Life(self, number, place)
                lives.append(life)
                ended = self._live(life, story)
                story.events = life.events
                story.writes = life.journal.count
                self._note_repeated(life, stored)
                if ended:
                    break
        finally:
            for life in lives:
                life.bury()
        story.acts = len(self.world.acts)
        story.repeated = [*self._repeated, *self._too_often()]
        return story

    def _live(self, life: _Life, story: Story) -> bool:
        """Let a process live; gives whether the run went as far as it can."""
        loop = life.loop
        try:
            story.result = loop.run_until_complete(life.main())
            return True
        except Crash:
            story.lasts = [*story.lasts, life.journal.last]
            story.uncertain = self.disk.certain < len(self.disk.writes)
            return False
        except Stuck:
            story.result = loop.run_until_complete(life.conductor.show(life.run))
            asked = Answering(life.conductor, self.setting.answers).missing(life.run)
            missing = loop.run_until_complete(asked)
            story.waiting = missing or story.result.reason or f"it is {story.result.status}"
            story.decision = bool(self.acted_unseen(life.events))
            return True
        except AtomitonError as error:
            if not life.number:
                raise  # nothing has died yet: the blueprint itself cannot be run
            story.waiting = f"{error.message} [{error.code}]"
            return True
        finally:
            self.now = loop.time()

    def acted_unseen(self, events: Sequence[RunEvent]) -> Attempts:
        """Attempts that must not be repeated, have acted, and whose end is not on record."""
        acted = {act.which for act in self.world.acts if act.effect == "once"}
        return acted - _ended(events)

    def _note_repeated(self, life: _Life, stored: int) -> None:
        """Note what acted in a life although its end was among the facts stored before."""
        self._facts = {n: event for n, event in self._facts.items() if n <= stored}
        # What an earlier process has seen on record counts, whatever a later one makes of it.
        self._facts = {**{event.number: event for event in life.events}, **self._facts}
        ended = _ended([event for n, event in self._facts.items() if n <= stored])
        self._repeated += [
            f"'{act.path}' acted again (attempt {act.attempt}) though its end was stored"
            for act in self.world.acts
            if act.life == life.number and act.which in ended
        ]

    def _too_often(self) -> list[str]:
        once = [act.which for act in self.world.acts if act.effect == "once"]
        return [
            f"'{which[0]}' must act once, but attempt {which[-1]} acted {times} times"
            for which in dict.fromkeys(once)
            if (times := once.count(which)) > 1
        ]


def _ended(events: Sequence[RunEvent]) -> Attempts:
    """Attempts whose end is on record."""
    return {
        (event.node, (event.fact.frame, event.fact.node), event.fact.attempt)
        for event in events
        if event.node is not None and isinstance(event.fact, AttemptCompleted | AttemptFailed)
    }
