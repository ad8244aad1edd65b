"""Progress on standard error: a live line on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections import deque

import click

from atomiton.cli.elsewhere import Driven, Reached, driven
from atomiton.cli.output import duration, is_terminal
from atomiton.conductor import Conductor
from atomiton.drivers.execution import Execution
from atomiton.errors import ErrorInfo
from atomiton.events import RunEvent
from atomiton.machine.events import AttemptCompleted, AttemptFailed, AttemptLost, AttemptStarted

#: Seconds between two drawings of the live line.
PERIOD = 0.1
#: Seconds; nothing is told of a wait that takes less.
_SOON = 0.25
_HIDE, _SHOW, _CLEAR = "\x1b[?25l", "\x1b[?25h", "\r\x1b[2K"


class Screen:
    """Shows nothing; the others show more.

    Attributes:
        period: Seconds between two calls of ``draw``; None when it need not be called.
    """

    period: float | None = None

    hears = False

    def __init__(self, conductor: Reached) -> None:
        self._conductor = conductor
        self._said: deque[str] = deque()
        self._loop = asyncio.get_running_loop()
        self._stop = conductor.bus.listen(self.hear) if self.hears else None
        if self.hears and isinstance(conductor, Conductor):
            conductor.driver.on_log = self._log

    def hear(self, event: RunEvent) -> None:
        """Take note of a fact."""

    def draw(self) -> None:
        """Show how far the run is."""

    def write(self, line: str, **style: object) -> None:
        """Write a line that stays."""

    def restore(self) -> None:
        """Put the terminal back in order; called from a signal handler too."""

    def close(self) -> None:
        """Show nothing more."""
        if self._stop is not None:
            self._stop()
        self._say()
        self.restore()

    def _log(self, _execution: Execution, node: str, level: str, message: str) -> None:
        # Said a moment later, because the start of the attempt is not announced yet.
        mark = "" if level == "info" else f"{level}: "
        self._said.append(f"{node}: {mark}{message}")
        self._loop.call_soon_threadsafe(self._say)

    def _say(self) -> None:
        while self._said:
            self.write(self._said.popleft())


class Lines(Screen):
    """One line for each attempt that starts or ends."""

    hears = True

    def __init__(self, conductor: Reached) -> None:
        super().__init__(conductor)
        self._started: dict[tuple[int, int], float] = {}
        self._reason: str | None = None

    def hear(self, event: RunEvent) -> None:
        """Write the line of a fact."""
        fact = event.fact
        if isinstance(fact, AttemptStarted):
            self._started[fact.frame, fact.node] = fact.time
            again = f" (attempt {fact.attempt})" if fact.attempt > 1 else ""
            self.write(f"{event.node} started{again}")
        elif isinstance(fact, AttemptCompleted):
            kept = f", as {fact.cached} gave it" if fact.cached else ""
            self.write(f"{event.node} completed{self._taken(event.run, fact, 'in')}{kept}")
        elif isinstance(fact, AttemptFailed):
            taken = self._taken(event.run, fact, "after")
            if fact.error.code == "CANCELLED":
                self.write(f"{event.node} cancelled{taken}")
            else:
                self.write(f"{event.node} failed{taken}: {one_line(fact.error)}")
        elif isinstance(fact, AttemptLost):
            self.write(f"{event.node} was lost: its process died (attempt {fact.attempt})")
        self._waits(event)

    def write(self, line: str, **style: object) -> None:  # noqa: ARG002 - plain lines have none
        """Write a line."""
        click.echo(line, err=True)

    def _taken(self, run: str, fact: AttemptCompleted | AttemptFailed, word: str) -> str:
        began = self._started.pop((fact.frame, fact.node), None)
        execution = driven(self._conductor, run)
        if began is None and fact.attempt > 1:
            return f" (attempt {fact.attempt})"
        if began is None and execution is not None:
            # The start of a pure node is no fact, but the state knows that of its first attempt.
            began = execution.state.frames[fact.frame].started[fact.node]
        return f" {word} {duration(max(0.0, fact.time - began))}" if began else ""

    def _waits(self, event: RunEvent) -> None:
        execution = driven(self._conductor, event.run)
        if execution is None or event.number < len(execution.facts):
            return  # the state is ahead of this fact
        state = execution.state
        if state.public_status() != "waiting":
            return
        if any(timer.at < event.fact.time + _SOON for timer in state.timers.values()):
            return  # over before anybody has read of it
        reason = state.reason()
        if reason is not None and reason != self._reason:
            self.write(f"waiting: {reason}")
        self._reason = reason


class Live(Screen):
    """One line that is drawn again and again: a bar, what runs, the time spent and left."""

    hears = True
    period = PERIOD

    def __init__(self, conductor: Reached) -> None:
        super().__init__(conductor)
        self._run: str | None = None
        self._began = time.monotonic()
        self._drawn = 0.0
        self._hidden = False
        self._color = not os.environ.get("NO_COLOR")
        encoding = (sys.stderr.encoding or "").lower()
        self._full, self._empty = ("━", "─") if encoding.startswith("utf") else ("#", "-")

    def hear(self, event: RunEvent) -> None:
        """Show failures at once, everything else with the next drawing."""
        self._run = event.run
        fact = event.fact
        if isinstance(fact, AttemptFailed) and fact.error.code != "CANCELLED":
            self.write(f"{event.node} failed (attempt {fact.attempt}): {one_line(fact.error)}")
        elif time.monotonic() - self._drawn >= PERIOD:
            self.draw()

    def draw(self) -> None:
        """Draw the line, unless it was drawn just now or the run is too short to need one."""
        now = time.monotonic()
        execution = driven(self._conductor, self._run or "")
        if execution is None or now - self._drawn < PERIOD / 2 or now - self._began < PERIOD:
            return
        self._drawn = now
        line = self._line(execution, now - self._began, shutil.get_terminal_size().columns)
        hide = "" if self._hidden else _HIDE
        self._hidden = True
        self._put(f"{hide}{_CLEAR}{line}")

    def _line(self, execution: Driven, elapsed: float, width: int) -> str:
        progress = execution.meter.read(time.time())
        counts = f"{progress.fraction:4.0%} {progress.done}/{progress.total} "
        times = f" {duration(elapsed)}"
        if progress.left is not None and progress.done and elapsed > 1:
            times += f", {duration(progress.left)} left"
        room = width - 1 - len(counts) - len(times)
        bar = min(24, room // 3)
        doing = ", ".join(progress.running) or execution.state.reason() or ""
        names = _cut(doing, room - bar - 2)
        filled = round(progress.fraction * bar)
        full, empty = self._full * filled, self._empty * (bar - filled)
        if bar < 4:
            return _cut(f"{counts.strip()}{times}", width - 1)
        if self._color:
            full, empty = click.style(full, fg="green"), click.style(empty, dim=True)
        return f"{full}{empty} {counts}{names}{times}"

    def write(self, line: str, **style: object) -> None:
        """Write a line above the live one."""
        if style and self._color:
            line = click.style(line, **style)  # type: ignore[arg-type]  # click checks them
        self._put(f"{_CLEAR}{line}\n")
        self._drawn = 0.0

    def restore(self) -> None:
        """Take the live line away and show the cursor."""
        if self._hidden:
            self._hidden = False
            self._put(f"{_CLEAR}{_SHOW}")

    def _put(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError, RuntimeError):
            return  # the terminal has gone, or is being written to: progress is not worth a failure


def make_screen(conductor: Reached, *, quiet: bool, lines: bool = False) -> Screen:
    """The screen that suits standard error; ``lines`` asks for plain lines on a terminal too."""
    if quiet:
        return Screen(conductor)
    return Live(conductor) if is_terminal(sys.stderr) and not lines else Lines(conductor)


def one_line(error: ErrorInfo) -> str:
    """An error on one line."""
    message = " ".join(error.message.split())
    return f"{_cut(message, 300)} [{error.code}]"


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + "…" if width > 1 else ""
