"""Functions for the runtimes' tests: in a file of their own, as a worker process must load it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from atomiton.errors import NodeError, NotAllowed
from atomiton.runtimes import cancel_requested


def echo(value):
    return value


def add(first, second=1):
    return first + second


def fail(message):
    raise ValueError(message)


def fail_with_code():
    raise NodeError("try later", code="BUSY", retryable=False, details={"after": 3, "odd": object})


def not_allowed():
    raise NotAllowed("keep out")


def leave(status):
    sys.exit(status)


def interrupt_itself():
    raise KeyboardInterrupt


async def coroutine():
    return 1


def generator():
    yield 1


def spin(started=None):
    if started is not None:
        Path(started).touch()
    while True:
        time.sleep(0.001)


def spin_politely(started):
    Path(started).touch()
    while not cancel_requested():
        try:
            time.sleep(0.001)
        except BaseException:  # shrugs off the interrupt, to see the flag instead
            continue
    return "stopped politely"


def block(seconds, started=None):
    if started is not None:
        Path(started).touch()
    time.sleep(seconds)


def deaf(started):
    """Cannot be interrupted, neither as a thread nor as a process."""
    Path(started).touch()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            time.sleep(0.05)
        except BaseException:  # that is what makes it deaf
            continue


def wait_then(value, seconds):
    time.sleep(seconds)
    return value


def process_id():
    return os.getpid()


def exit_now(status):
    os._exit(status)


def crash():
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(10)


def chatter():
    print("printed by a function")
    os.write(1, b"written by a function\n")
    sys.stdout.flush()
    return "quiet"


def spawn_child(note, then_block=True):
    child = subprocess.Popen(["sleep", "60"])
    Path(note).write_text(f"{child.pid} {os.getpid()}")
    if then_block:
        time.sleep(60)
    return child.pid


def fork_and_die(note):
    """Leave a child behind that keeps the worker's line to the engine open."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    Path(note).write_text(str(child))
    os._exit(7)


def unencodable():
    return object()


def huge():
    return 2**70


class Group:
    @staticmethod
    def inside(value):
        return value * 2


class Wrapped:
    """Looks like a node function."""

    def __init__(self, function):
        self.function = function

    def __call__(self, **arguments):
        return self.function(**arguments)


@Wrapped
def wrapped(value):
    return value + 1


nameless = lambda value: value  # noqa: E731


def close_everything():
    os.closerange(3, 1000)
    time.sleep(0.1)


def take_and_spin(data):
    assert data is not None
    spin()
