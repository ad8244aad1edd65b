"""Node types that do not end by themselves, and say that they run: a line in a file each."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

from atomiton import node


def say(log: str, text: str) -> None:
    """Append a line in one write: many may do so at once."""
    stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(stream, f"{text}\n".encode())
    finally:
        os.close(stream)


@node("stop.note")
async def note(log: str, text: str) -> str:
    """Leave a mark."""
    say(log, text)
    return text


@node("stop.sleep")
async def sleep(log: str) -> None:
    """Wait on the event loop."""
    say(log, "runs")
    await asyncio.sleep(600)


@node("stop.hold")
async def hold(log: str) -> None:
    """Wait until somebody opens the gate, a file beside the log; then leave a mark."""
    say(log, "runs")
    while not os.path.exists(f"{log}.open"):
        await asyncio.sleep(0.02)
    say(log, "clean")


@node("stop.refuse")
async def refuse(log: str) -> None:
    """Wait on the event loop, and refuse to be cancelled."""
    say(log, "runs")
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            say(log, "refused")


@node("stop.compute")
def compute(log: str) -> None:
    """Compute in a thread."""
    say(log, "runs")
    while True:
        sum(range(1000))


@node("stop.block")
def block(log: str) -> None:
    """Block a thread inside of a call that nothing can interrupt."""
    say(log, "runs")
    time.sleep(600)


@node("stop.far", runtime="process")
def far(log: str) -> None:
    """Compute in a process."""
    say(log, "runs")
    while True:
        sum(range(1000))


@node("stop.deaf", runtime="process")
def deaf(log: str) -> None:
    """Compute in a process that hears no signal and has a child that hears none either."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    say(log, "runs")
    while True:
        sum(range(1000))
