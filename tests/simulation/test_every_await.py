"""The real driver dies at every await: at each turn of its event loop, in virtual time.

``drivers/local`` and everything around it run as they are, on a loop that counts what it calls.
A process dies before the k-th of these, for every k; once with all that it has written, and once
with what was not on disk for certain lost. Another process goes on, and must come to the same end.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from contextvars import Context

import pytest

from atomiton import NodeError, node
from atomiton.blueprint.document import read_blueprint
from atomiton.drivers import execution, recorder, recovery
from atomiton.drivers.recorder import Recorder
from atomiton.machine.commands import StartAttempt
from atomiton.machine.events import AttemptStarted
from atomiton.machine.state import RunState
from atomiton.nodes.guard import Capabilities
from atomiton.ports.capabilities import Attempt
from atomiton.testing import lives
from atomiton.testing.crash_journal import Crash, Place
from atomiton.testing.crashing import _Campaign
from atomiton.testing.lives import Setting, Story, Teller
from atomiton.testing.virtual_time import VirtualLoop

SECRET = "hunter2-a-planted-secret"
NEVER = Place(10**9, stored=False)


@pytest.fixture(autouse=True)
def unburied(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a dead process has left unawaited goes without a word, and before the next test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
        yield
        gc.collect()


@node("await.think", effect="pure")
async def think(values: list[object]) -> int:
    """Compute, after a while."""
    await asyncio.sleep(0.5)
    return len(str(values))


@node("await.act", effect="idempotent")
async def act(attempt: Attempt, fails: int = 0, token: str = "") -> str:
    """Act on the world, and fail the first times."""
    await asyncio.sleep(1)
    if attempt.attempt <= fails:
        raise NodeError(f"refused with {token or 'nothing'}", code="FLAKY", retryable=True)
    return attempt.node


@node("await.once", effect="once")
async def once() -> str:
    """Act once."""
    await asyncio.sleep(1)
    return "acted"


@node("await.fast", effect="idempotent")
def fast(value: int = 0) -> int:
    """Act without waiting."""
    return value + 1


@node("await.broken")
async def broken() -> None:
    """Fail for good."""
    await asyncio.sleep(0.1)
    raise NodeError("no", code="NO", retryable=False)


NODES = [think, act, once, fast, broken]
BLUEPRINTS = {
    "chain": """
  a: {uses: await.fast}
  b: {uses: await.fast, with: {value: "${{ a }}"}}
  c: {uses: await.act, needs: [b]}
  d: {uses: await.once, needs: [c]}
  e: {uses: await.fast, needs: [d]}""",
    "at once": """
  a: {uses: await.think, with: {values: [1]}}
  b: {uses: await.act}
  c: {uses: await.fast}
  d: {uses: await.act, with: {fails: 1}, retry: {attempts: 3, delay: 2s}}
  e: {uses: await.think, with: {values: ["${{ a }}", "${{ b }}", "${{ c }}", "${{ d }}"]}}""",
    "secret": """
  a:
    uses: await.act
    with: {fails: 2, token: "${{ secrets.TOKEN }}"}
    retry: {attempts: 2, delay: 1s}
  b: {uses: await.fast, needs: [a.error]}""",
    "undone": """
  a: {uses: await.act, compensate: {uses: await.act}}
  b: {uses: await.fast, needs: [a], compensate: {uses: await.once}}
  c: {uses: await.broken, needs: [b]}""",
    "many": """
  a:
    map: [1, 2, 3]
    concurrency: 2
    as: item
    nodes:
      x: {uses: await.fast, with: {value: "${{ item }}"}}
      y: {uses: await.act, needs: [x]}
  b: {loop: {times: 2}, uses: await.act, needs: [a]}""",
    "waits": """
  a: {uses: await.fast}
  pay: {wait: {signal: paid}, needs: [a]}
  nap: {wait: {for: 3s}, needs: [a]}
  b: {uses: await.act, needs: [pay, nap]}
  ask: {wait: {approval: {title: ok}}, needs: [b]}
  c: {uses: await.once, needs: [ask]}""",
    "late": """
  a: {uses: await.act, timeout: 300ms}
  b: {uses: await.act, needs: [a.error]}
  c: {uses: await.fast, join: settled, needs: [b]}""",
}
ANSWERS = {"waits": {"pay": {"sum": 7}, "ask": True}}


class CountingLoop(VirtualLoop):
    """Dies before the so-manieth call that it makes.

    Attributes:
        calls: How many it has made.
        dies_at: Number of the call before which it dies; None for never.
        last_words: Called when it dies.
    """

    calls = 0
    dies_at: int | None = None
    last_words: Callable[[], None] = staticmethod(lambda: None)

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        return super().call_soon(self._counted(callback), *args, context=context)  # type: ignore[arg-type]

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return super().call_at(when, self._counted(callback), *args, context=context)  # type: ignore[arg-type]

    def _counted(self, callback: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            number, self.calls = self.calls, self.calls + 1
            if number == self.dies_at:
                self.last_words()
                raise Crash
            return callback(*args)

        return call


class Awaits(_Campaign):
    """Lets the process of a blueprint die at every call of its loop."""

    def __init__(self, name: str, patch: pytest.MonkeyPatch) -> None:
        self.dies_at: int | None = None
        self.loses = False
        self.loops: list[CountingLoop] = []
        self.teller: Teller
        patch.setattr(lives, "VirtualLoop", self.loop)
        nodes = f"nodes:{BLUEPRINTS[name]}\n"
        head = f"atomiton: 1\nid: {name.replace(' ', '-')}\nsecrets: [TOKEN]\n"
        if name != "secret":
            head = head.replace("secrets: [TOKEN]\n", "")
        setting = Setting(
            read_blueprint(head + nodes)[0], {}, NODES, dict, Capabilities, {"TOKEN": SECRET},
            ANSWERS.get(name, {}),
        )  # fmt: skip
        super().__init__(setting, lambda one, other: one == other, power=True)

    def loop(self, now: float, patience: float) -> CountingLoop:
        made = CountingLoop(now, patience=patience)
        if not self.loops:
            made.dies_at = self.dies_at
            made.last_words = self.teller.disk.lose if self.loses else made.last_words
        self.loops.append(made)
        return made

    def _story(self, places: tuple[Place, ...]) -> Story:
        self.loops = []
        self.teller = Teller(self.setting)
        story = self.teller.tell(places)
        self.check(story)
        return story

    def check(self, story: Story) -> None:
        """What must be true of every run, whatever happened to it."""
        numbers = [event.number for event in story.events]
        if numbers != list(range(1, len(numbers) + 1)):
            self.failures.append(f"a listener was told of facts {numbers}")
        kept = b"".join(repr(vars(write.again)).encode() for write in self.teller.disk.writes)
        stored = b"".join(_records(self.teller)) + kept
        said = repr([story.events, story.result and story.result.error]).encode()
        if SECRET.encode() in stored + said:
            self.failures.append("a secret is shown")

    def every_call(self, step: int = 1) -> int:
        """Die at each call in turn, or at one in so many, until there are no more."""
        number = 0
        while True:
            self.dies_at = number
            for self.loses in (False, True):
                story = self._story((NEVER,))
                if not story.lasts:
                    return number  # it ended before it could die
                self.crashes += 1
                self.decisions += story.decision
                lost = " and what is uncertain is lost" if self.loses else ""
                wrong = [f"at call {number}{lost}: {what}" for what in self._wrong(story)]
                self.failures += wrong
            number += step


def _records(teller: Teller) -> list[bytes]:
    """Everything that is on the disk."""
    found: list[bytes] = []
    for write in teller.disk.writes:
        for cell in write.again.__closure__ or ():
            value = cell.cell_contents
            if isinstance(value, bytes):
                found.append(value)
            elif isinstance(value, list):
                found += [part if isinstance(part, bytes) else b"".join(part) for part in value]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", BLUEPRINTS)
def test_the_driver_dies_at_many_awaits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = Awaits(name, monkeypatch)
    assert campaign.result.status == ("failed" if name == "undone" else "completed")
    calls = campaign.every_call(step=5)
    assert campaign.failures == []
    assert calls > 20
    assert _records(campaign.teller), "the disk was looked at"


@pytest.mark.campaign
@pytest.mark.parametrize("name", BLUEPRINTS)
def test_the_driver_dies_at_every_await(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = Awaits(name, monkeypatch)
    calls = campaign.every_call()
    with capsys.disabled():
        print(
            f"\nevery await of the driver, {name}: {calls} awaits, {campaign.crashes} crashes, "
            f"{campaign.decisions} decisions: {len(campaign.failures)} violations"
        )
    assert campaign.failures == []
    assert campaign.crashes == 2 * calls


# -- bugs planted on purpose --------------------------------------------------------------------


def acting_before_it_is_on_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Recorder, "must_wait", lambda self, command, *, unsaved: False)


def no_record_of_starts(patch: pytest.MonkeyPatch) -> None:
    right = recorder.pieces

    def wrong(fact: object) -> object:
        if isinstance(fact, AttemptStarted):
            fact = AttemptStarted(fact.time, 0, 0, 0)
        return right(fact)  # type: ignore[arg-type]

    patch.setattr(recorder, "pieces", wrong)


def attempts_forgotten_on_recovery(patch: pytest.MonkeyPatch) -> None:
    right = recovery.outstanding

    def wrong(run: RunState) -> list[object]:
        return [command for command in right(run) if not isinstance(command, StartAttempt)]

    patch.setattr(recovery, "outstanding", wrong)


def timers_forgotten_on_recovery(patch: pytest.MonkeyPatch) -> None:
    right = recovery.outstanding

    def wrong(run: RunState) -> list[object]:
        return [command for command in right(run) if isinstance(command, StartAttempt)]

    patch.setattr(recovery, "outstanding", wrong)


def secrets_in_errors(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(execution, "blotted", lambda info, secrets: info)


@pytest.mark.parametrize(
    ("plant", "name"),
    [
        (acting_before_it_is_on_record, "chain"),
        (no_record_of_starts, "chain"),
        (attempts_forgotten_on_recovery, "at once"),
        (timers_forgotten_on_recovery, "waits"),
        (secrets_in_errors, "secret"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    found: list[str] = []
    try:
        campaign = Awaits(name, monkeypatch)
        found = campaign.failures
        campaign.every_call(step=1 if name == "chain" else 5)
    except Exception as error:  # a bug may show itself in any way
        found.append(repr(error))
    print(found[:3])
    assert found
