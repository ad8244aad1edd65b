"""A run inside its workflow: facts in, commands performed with what Temporal offers.

Everything here is done again, and must come out the same, whenever the workflow is replayed: time,
answers and wishes come from its history, and nothing else from outside. What is done never depends
on what time it is, only on what has happened: around local activities a replay's clock may differ
by a moment.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import msgspec
from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import FailureError

from atomiton.drivers.answers import error_info, status_change, stopped
from atomiton.drivers.program import Program
from atomiton.drivers.recovery import replay
from atomiton.drivers.temporal.facts import end_fact, place_of
from atomiton.drivers.temporal.happenings import Happenings
from atomiton.drivers.temporal.limits import Limit, Limits, length_of
from atomiton.drivers.temporal.sending import Sent, answers_of, end_of, send, size_of, task_of
from atomiton.drivers.temporal.turns import Timer, Turns
from atomiton.drivers.temporal.wire import (
    BY_STATUS,
    MEMO_STATUS,
    Done,
    Head,
    Options,
    Outcome,
    Task,
)
from atomiton.errors import AtomitonError
from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import (
    CancelAttempt,
    CancelTimer,
    CheckBreakpoint,
    Command,
    FinishRun,
    SetTimer,
    StartAttempt,
)
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    CancelRequested,
    CostSpent,
    Event,
    RunAdmitted,
    TimerFired,
)
from atomiton.machine.state import ITEMS, RETRYING, Frame

Key = tuple[int, int]

_STATUS = SearchAttributeKey.for_keyword(BY_STATUS)
#: Items of a map are sent together when more than this many are to begin at once.
APART = 8
#: Into so many activities a map is divided, if those do not get too large.
PARTS = 32
#: Most activities of several items that are out at once: a step of a workflow in which more than a
#: hundred of them end is given up by the server.
BATCHES = 40
#: Most bytes that one activity is told, if it is told of several attempts.
TOLD = 256 * 1024
#: Bytes that the activities that are out were told, after which no more are sent: what one step of
#: a workflow sends, the server takes up to 4 MB of.
OUT = 2 * 1024 * 1024
#: Most pure nodes that begin at once where the workflow is: more than that are for all workers.
NEAR = 16
#: The history is never longer than this while something is at work: nothing new begins then.
LONGEST = 30_000
#: Bytes of history after which a run goes on in a new one.
LARGEST = 16 * 1024 * 1024


class Job(msgspec.Struct, eq=False):
    """An attempt that is out.

    Attributes:
        start: The command.
        sent: The activity that it is in; None once nobody waits for that.
        grace: Gives it up when it does not stop.
    """

    start: StartAttempt
    sent: Sent
    grace: Timer | None = None


class Driving:
    """A run that is driven by its workflow.

    Args:
        program: What it is pinned to.
        options: How it is driven.

    Attributes:
        state: Where the run is.
        facts: Every fact so far, in order.
        finish: The last command, once the run has ended.
        leaving: Whether the run is about to go on in a new history.
    """

    def __init__(self, program: Program, options: Options) -> None:
        self.program = program
        self.options = options
        self.state = RunState(program.plan)
        self.facts: list[Event] = []
        self.finish: FinishRun | None = None
        self.leaving = False
        self._inbox: deque[Event] = deque()
        #: What is to be attempted, in order: a map may bring a hundred thousand at once.
        self._starts: OrderedDict[Key, StartAttempt] = OrderedDict()
        self._jobs: dict[Key, Job] = {}
        self._sent: set[Sent] = set()
        self._out = self._batches = 0
        self._timers: dict[int, Timer] = {}
        self._limits = Limits(self.state.timers, self._at, self._limited)
        self._taken = 0
        self._happenings = Happenings(asyncio.get_running_loop())
        self._turns = Turns(self._happenings)
        self._shown = Head("running")
        self._told = 0

    @property
    def listens(self) -> bool:
        """Whether it is certain what has happened before somebody outside has said something."""
        return bool(self.facts) and not self.uncertain

    @property
    def uncertain(self) -> bool:
        """Whether a pure node is at work that may have ended, as the server knows already."""
        return self._turns.out > 0

    # -- facts in ------------------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Add a fact that somebody outside wants; ``IllegalEvent`` if it cannot be."""
        self._told += 1
        self._turns.answered()
        self._take(event)
        self._drain()

    def cancel(self, reason: str) -> None:
        """The run is cancelled by Temporal's own means, unless it has ended in this moment."""
        self._happenings.take(partial(self._cancelled, reason))

    def _cancelled(self, reason: str) -> None:
        self._turns.answered()
        if self.finish is None:
            self.feed(CancelRequested(workflow.time(), reason))

    def feed(self, event: Event) -> None:
        """Add a fact and do what follows from it."""
        self._inbox.append(event)
        self._drain()

    def recover(self, facts: Sequence[Event], *, fresh: bool) -> None:
        """Go on from facts of an earlier history; nothing was at work when that ended.

        Args:
            facts: All of them, in order.
            fresh: Whether nobody has driven the run before.
        """
        replay(self.state, facts)
        self.facts.extend(facts)
        if self.state.ended:
            self.finish = FinishRun(self.state.status, self.state.output, self.state.failure)
            return
        started = {place_of(of) for of in facts if isinstance(of, AttemptStarted)}
        for command in outstanding(self.state):
            if isinstance(command, StartAttempt):
                if fresh or place_of(command) not in started:
                    self.facts.append(AttemptStarted(workflow.time(), *place_of(command)))
                self._starts[command.frame, command.node] = command
            else:
                self._perform(command)
        if self.state.gated:
            self._inbox.append(RunAdmitted(workflow.time()))
        self._drain()

    def _drain(self) -> None:
        while self._inbox:
            self._take(self._inbox.popleft())
        if self._starts and self.finish is None:
            self._launch()
        self._rest()

    def _take(self, event: Event) -> None:
        if not self._awaited(event):
            return
        self._taken += 1
        commands = apply(self.state, event)
        self.facts.append(event)
        for command in commands:
            if isinstance(command, StartAttempt):
                self.facts.append(AttemptStarted(event.time, *place_of(command)))
                self._starts[command.frame, command.node] = command
            else:
                self._perform(command)

    def _awaited(self, event: Event) -> bool:
        """Whether a fact is no answer, or one that somebody still waits for."""
        if isinstance(event, AttemptCompleted | AttemptFailed | AttemptLost):
            return not self.state.ended and self.state.expects(*place_of(event))
        if isinstance(event, CostSpent):
            return not self.state.ended
        return not isinstance(event, TimerFired) or event.timer in self.state.timers

    # -- commands out --------------------------------------------------------------------------

    def _perform(self, command: Command) -> None:
        if isinstance(command, FinishRun):
            self.finish = command
        elif isinstance(command, SetTimer):
            self._set_timer(command.timer, command.at)
        elif isinstance(command, CancelTimer):
            timer = self._timers.pop(command.timer, None)
            if timer is not None:
                self._turns.take_back(timer.since, timer.handle.cancel)
        elif isinstance(command, CancelAttempt):
            self._cancel(command)
        elif isinstance(command, CheckBreakpoint) and not self.state.ended:
            from atomiton.drivers.names import check  # few runs are debugged

            self._inbox.appendleft(check(self.state, workflow.time()))

    def _set_timer(self, timer: int, at: float) -> None:
        length = length_of(self.state, timer) if self.options.shared else None
        if length is None:
            self._timers[timer] = self._at(at, partial(self._due, timer, at))
        else:
            self._limits.add(length, Limit(timer, at, self._taken))

    def _at(self, moment: float, act: Callable[[], None]) -> Timer:
        return self._timer(moment - workflow.time(), act)

    def _timer(self, delay: float, act: Callable[..., None], *of: object) -> Timer:
        return Timer(self._happenings.timer(delay, partial(act, *of)), self._turns.now)

    def _due(self, timer: int, at: float) -> None:
        self._turns.answered()
        self._timers.pop(timer, None)
        if timer in self.state.timers:
            self.feed(TimerFired(max(workflow.time(), at), timer))

    def _limited(self, limits: Sequence[Limit]) -> None:
        """Time limits of attempts have come to their end, if they still count."""
        self._turns.answered()
        for of in limits:
            if of.timer in self.state.timers:
                self.feed(TimerFired(max(workflow.time(), of.at), of.timer))
        self._drain()

    def _cancel(self, command: CancelAttempt) -> None:
        key = (command.frame, command.node)
        job = self._jobs.get(key)
        if job is None:
            self._starts.pop(key, None)
            self._inbox.append(AttemptFailed(workflow.time(), *place_of(command), stopped()))
            return
        sent = job.sent
        sent.stopping += 1
        stop = partial(self._happenings.soon, sent.cancel)
        if sent.unwanted and sent.near:
            stop()  # of that only how it ends is on record
        elif sent.unwanted:
            self._turns.take_back(sent.since, stop, urgent=True)
        if sent.grace is None or sent.grace.since != self._turns.now:
            sent.late = []  # those that are wanted no more since the same moment
            sent.grace = self._timer(self.options.grace, self._give_up, sent.late)
        sent.late.append(job.start)
        job.grace = sent.grace

    def _give_up(self, late: Sequence[StartAttempt]) -> None:
        self._turns.answered()
        for start in late:
            job = self._jobs.get((start.frame, start.node))
            if job is not None and job.start is start:
                del self._jobs[start.frame, start.node]
                error = stopped("it did not stop when asked to, and was given up")
                self._inbox.append(AttemptFailed(workflow.time(), *place_of(start), error))
        self._drain()

    # -- attempts ------------------------------------------------------------------------------

    def _launch(self) -> None:
        """Send attempts out: items of a map together, others each for itself."""
        if not self._jobs and self._is_due():
            self.leaving = True
        if self.leaving or self._must_leave():
            return
        near = len(self._starts) <= NEAR and not self._turns.full
        sizes: dict[int, int] = {}
        while self._may_send():
            self._hand_out(self._together(sizes), near=near)
        while self._inbox:
            self._take(self._inbox.popleft())
        if self.finish is None and self._may_send():
            self._launch()

    def _may_send(self) -> bool:
        """Whether there is something to be attempted, and room for it."""
        if len(self._sent) >= self.options.window or self._batches >= BATCHES:
            return False
        return bool(self._starts) and self._out < OUT

    def _hand_out(self, starts: Sequence[StartAttempt], *, near: bool) -> None:
        """Let one activity make attempts: as many of them as it can be told of."""
        tasks: list[Task] = []
        told: list[StartAttempt] = []
        size = 0
        for start in starts:
            try:
                task = task_of(self.state, start)
            except AtomitonError as error:  # its parameters cannot be worked out
                failed = AttemptFailed(workflow.time(), *place_of(start), error_info(error))
                self._inbox.append(failed)
                continue
            size += len(msgspec.json.encode(task))
            if told and size > TOLD:
                self._put_back(starts, start)
                break
            tasks.append(task)
            told.append(start)
        if told:
            self._send(told, tasks, size, near=near)

    def _put_back(self, starts: Sequence[StartAttempt], first: StartAttempt) -> None:
        for start in reversed(starts):
            self._starts[start.frame, start.node] = start
            self._starts.move_to_end((start.frame, start.node), last=False)
            if start is first:
                break

    def _together(self, sizes: dict[int, int]) -> list[StartAttempt]:
        """The next attempts that one activity makes: several only of a wide map.

        Args:
            sizes: How many items of each map go together, found when the first of them begins.
        """
        _, first = self._starts.popitem(last=False)
        frame, node = self.state.frames[first.frame], self.state.plan.uses[first.step]
        if frame.kind != ITEMS or node.once:
            return [first]
        if frame.id not in sizes:
            sizes[frame.id] = self._size(frame)
        together = [first]
        while len(together) < sizes[frame.id] and self._starts:
            key = next(iter(self._starts))
            if key[0] != first.frame:
                break
            together.append(self._starts.pop(key))
        return together

    def _size(self, frame: Frame) -> int:
        """How many items of a map that begin at once are made by one activity.

        Few enough that several workers have something to do, and that what bounds how many are made
        at once does not wait for the slowest of many.
        """
        next_ones = islice(self._starts, 4 * self.options.batch)  # more of them change nothing
        alike = 1 + sum(of == frame.id for of, _ in next_ones)
        if alike <= APART:
            return 1
        return min(self.options.batch, -(-len(frame.nodes) // PARTS), -(-alike // 4))

    def _send(
        self, starts: Sequence[StartAttempt], tasks: list[Task], size: int, *, near: bool
    ) -> None:
        now = self._turns.now
        sent = send(self.program, self.state, self.options, starts, tasks, now, near=near)
        sent.size = size
        self._out += size
        self._batches += len(starts) > 1
        self._turns.out += sent.near
        for start in starts:
            self._jobs[start.frame, start.node] = Job(start, sent)
        if self._shown.status != "running":
            self.show(self.head())
        self._sent.add(sent)
        self._await(sent)

    def _await(self, sent: Sent) -> None:
        """Take the answers of an activity when there are any."""
        sent.handle.add_done_callback(partial(self._over, sent))

    def _over(self, sent: Sent, handle: asyncio.Task[Any]) -> None:
        end = end_of(handle)
        if end is not None:
            self._happenings.take(partial(self._answered, sent, end), near=sent.near)

    def _answered(self, sent: Sent, end: Done | FailureError) -> None:
        """An activity has ended."""
        if sent.near:
            self._turns.answered_near(size_of(end))
        else:
            self._turns.answered()
        answers = answers_of(sent, end)
        if answers is None:
            # It takes longer than a node should that runs here, or the worker stops: it is pure, so
            # it is run again, by whoever takes it.
            of, now = (self.program, self.state, self.options), self._turns.now
            far = send(*of, sent.starts, sent.tasks, now, near=False)
            sent.handle, sent.since, sent.near = far.handle, far.since, False
            self._await(sent)
            return
        # The activity is over: another one may take its place.
        self._sent.discard(sent)
        self._out -= sent.size
        self._batches -= len(sent.starts) > 1
        self._take_answers(sent, answers, workflow.time())

    def _take_answers(self, sent: Sent, answers: Sequence[Outcome | None], now: float) -> None:
        for start, answer in zip(sent.starts, answers, strict=True):
            if answer is not None and answer.cost:
                self._inbox.append(CostSpent(now, *place_of(start), answer.cost))
            job = self._jobs.get((start.frame, start.node))
            if job is None or job.start is not start:
                continue  # it was given up
            del self._jobs[start.frame, start.node]
            if job.grace is not None:
                self._turns.take_back(job.grace.since, job.grace.handle.cancel)
            self._inbox.append(end_fact(start, answer, now))
        self._drain()

    # -- at rest -------------------------------------------------------------------------------

    @property
    def at_work(self) -> bool:
        """Whether an attempt is out."""
        return bool(self._jobs)

    def head(self) -> Head:
        """How the run stands."""
        change = status_change(self.state)
        return Head(
            change.status,
            len(self.facts),
            change.reason,
            change.ended_at,
            change.error_code,
            change.error_message,
        )

    def _rest(self) -> None:
        """Show how the run stands, if it is going to stand so for a while; leave if it is time."""
        if self.finish is not None or self.at_work:
            return
        if self._is_due():
            self.leaving = True
            return
        if self._starts:
            return
        head = self.head()
        if any(RETRYING in frame.status for frame in self.state.frames.values()):
            return  # it goes on by itself, soon
        if (head.status, head.reason) != (self._shown.status, self._shown.reason):
            self.show(head)

    def show(self, head: Head) -> None:
        """Let lists of runs show how this one stands."""
        if self.options.attributes and head.status != self._shown.status and self.finish is None:
            # The library's own type has a part that is not known.
            workflow.upsert_search_attributes(  # pyright: ignore[reportUnknownMemberType]
                [_STATUS.value_set(head.status)]
            )
        self._shown = head
        workflow.upsert_memo({MEMO_STATUS: head})

    def _is_due(self) -> bool:
        """Whether the history is long enough."""
        return (
            max(self._turns.length, self._turns.near) > self.options.history
            or self._turns.size > LARGEST
            or self._told > 1000
        )

    def _must_leave(self) -> bool:
        """Whether the history is so long that nothing new may begin in it."""
        longest = max(LONGEST, 2 * self.options.history)
        return self._turns.length > longest and bool(self._jobs)

    def close(self) -> None:
        """Unset all timers: one that fires in this moment keeps the workflow from ending."""
        graces = [job.grace for job in self._jobs.values() if job.grace is not None]
        for timer in [*self._timers.values(), *self._limits.timers.values(), *graces]:
            if self._turns.can_take_back(timer.since):
                timer.handle.cancel()
