"""``run --step`` and ``--break``: a run that asks before attempts, and shows what each gave."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import suppress

from atomiton.cli.elsewhere import Driven, Reached, driven
from atomiton.cli.output import note, to_json
from atomiton.cli.screen import Lines
from atomiton.conductor.stops import StepMode
from atomiton.errors import AtomitonError
from atomiton.events import RunEvent
from atomiton.machine.debugging import in_turn
from atomiton.machine.events import AttemptCompleted

#: Seconds between looks whether the step is done.
_LOOK = 0.01
#: Longest part of an output that is shown.
_WIDTH = 500
_PROMPT = "Enter: step, n: over, o: out, c: continue, i: inputs, p EXPRESSION: print, q: cancel > "
_MODES: dict[str, StepMode] = {
    "": "into", "s": "into", "step": "into", "n": "over", "over": "over", "o": "out", "out": "out",
}  # fmt: skip


class Steps(Lines):
    """A line for each attempt, and what it gave."""

    def hear(self, event: RunEvent) -> None:
        """Write the lines of a fact."""
        super().hear(event)
        if isinstance(event.fact, AttemptCompleted):
            self.write(f"  = {_short(event.fact.output)}")


def _short(value: object) -> str:
    shown = to_json(value).decode()
    return shown[:_WIDTH] + ("…" if len(shown) > _WIDTH else "")


class Stepper:
    """Asks whoever sits at standard input each time the run stands still.

    At the end of the input the run goes on, past all breakpoints.
    """

    def __init__(self, conductor: Reached, run: str) -> None:
        self._conductor = conductor
        self._run = run
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        # A thread that nobody waits for: a read from a terminal cannot be given up.
        threading.Thread(target=self._read, name="atomiton-keys", daemon=True).start()

    async def serve(self) -> None:
        """Ask until the run has ended, or is to continue by itself."""
        while (execution := driven(self._conductor, self._run)) is not None:
            if not asks(execution):
                await asyncio.sleep(_LOOK)
                continue
            names = [frame.path(node) for frame, node in in_turn(execution.state)]
            sys.stderr.write(f"next: {', '.join(names)}\n{_PROMPT}")
            sys.stderr.flush()
            answer = await self._lines.get()
            told = len(execution.facts)
            with suppress(AtomitonError):  # it has ended in this moment, by a timeout
                if not await self._act(answer, names[0]):
                    return
                await self._moved(told, answer)

    async def _moved(self, told: int, answer: str | None) -> None:
        """Wait until a run has taken note of a wish, or it would be asked about the same again."""
        word = (answer or "").strip().lower()
        if word not in _MODES and word not in ("c", "continue"):
            return
        while (execution := driven(self._conductor, self._run)) is not None:
            if len(execution.facts) > told:
                return
            await asyncio.sleep(_LOOK)

    async def _act(self, answer: str | None, first: str) -> bool:
        """Do what was answered; whether to ask again."""
        text = "" if answer is None else answer.strip()
        word = text.lower()
        if answer is None:
            await self._conductor.set_breakpoints(self._run, [])
            await self._conductor.resume(self._run)
            return False
        if word in _MODES:
            await self._conductor.step(self._run, mode=_MODES[word])
        elif word in ("c", "continue"):
            await self._conductor.resume(self._run)
        elif word in ("q", "quit", "cancel"):
            await self._conductor.cancel(self._run, "interrupted")
            return False
        elif word in ("i", "inputs"):
            await self._show_inputs(first)
        elif word.startswith(("p ", "print ")):
            await self._print(text.partition(" ")[2].strip(), first)
        else:
            note(f"{word!r} is none of the keys")
        return True

    async def _show_inputs(self, node: str) -> None:
        """Show what the next node would be called on."""
        try:
            shown = await self._conductor.node_inputs(self._run, node)
        except AtomitonError as error:
            note(error.message)
            return
        for name, value in shown.parameters.items():
            note(f"  {name} = {_short(value)}")

    async def _print(self, expression: str, node: str) -> None:
        """Show what an expression gives where the next node stands."""
        (found,) = await self._conductor.watch(self._run, [expression], node=node)
        note(f"  {found.error}" if found.error else f"  = {_short(found.value)}")

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


def asks(execution: Driven) -> bool:
    """Whether a run stands still, is on record, and has something to start."""
    state = execution.state
    settled = execution.saved == len(execution.facts)
    return state.paused and not state.running and bool(state.ready) and settled
