"""``run --step``: a run that asks before each attempt, and shows what each gave."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import suppress

from atomiton.cli.output import note, to_json
from atomiton.cli.screen import Lines
from atomiton.conductor import Conductor
from atomiton.drivers.execution import Execution
from atomiton.errors import AtomitonError
from atomiton.events import RunEvent
from atomiton.machine.events import AttemptCompleted

#: Seconds between looks whether the step is done.
_LOOK = 0.01
#: Longest part of an output that is shown.
_WIDTH = 500
_PROMPT = "Enter: step, c: continue, q: cancel > "


class Steps(Lines):
    """A line for each attempt, and what it gave."""

    def hear(self, event: RunEvent) -> None:
        """Write the lines of a fact."""
        super().hear(event)
        if isinstance(event.fact, AttemptCompleted):
            shown = to_json(event.fact.output).decode()
            self.write(f"  = {shown[:_WIDTH]}" + ("…" if len(shown) > _WIDTH else ""))


class Stepper:
    """Asks, step by step, whoever sits at standard input; at its end the run continues."""

    def __init__(self, conductor: Conductor, run: str) -> None:
        self._conductor = conductor
        self._run = run
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        # A thread that nobody waits for: a read from a terminal cannot be given up.
        threading.Thread(target=self._read, name="atomiton-keys", daemon=True).start()

    async def serve(self) -> None:
        """Ask until the run has ended, or is to continue by itself."""
        while (execution := self._conductor.driver.runs.get(self._run)) is not None:
            if not asks(execution):
                await asyncio.sleep(_LOOK)
                continue
            names = [frame.path(node) for frame, node in execution.state.ready]
            sys.stderr.write(f"next: {', '.join(names)}\n{_PROMPT}")
            sys.stderr.flush()
            answer = await self._lines.get()
            with suppress(AtomitonError):  # it has ended in this moment, by a timeout
                if not await self._act(answer):
                    return

    async def _act(self, answer: str | None) -> bool:
        """Do what was answered; whether to ask again."""
        word = "c" if answer is None else answer.strip().lower()
        if word in ("", "s", "step"):
            await self._conductor.step(self._run)
            return True
        if word in ("c", "continue"):
            await self._conductor.resume(self._run)
            return False
        if word in ("q", "quit", "cancel"):
            await self._conductor.cancel(self._run, "interrupted")
            return False
        note(f"{word!r} is none of the keys")
        return True

    def _read(self) -> None:
        # The file below Python's: its lock would keep the process from ending.
        held = b""
        try:
            file = sys.stdin.fileno()
            while part := os.read(file, 4096):
                *lines, held = (held + part).split(b"\n")
                for line in lines:
                    self._say(line.decode("utf-8", "replace"))
        except (OSError, ValueError):
            pass  # there is no standard input: as at its end
        self._say(None)

    def _say(self, line: str | None) -> None:
        with suppress(RuntimeError):  # the run has ended, and the loop with it
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)


def asks(execution: Execution) -> bool:
    """Whether a run stands still, is on record, and has something to start."""
    state = execution.state
    settled = execution.saved == len(execution.log)
    return state.paused and not state.running and bool(state.ready) and settled
