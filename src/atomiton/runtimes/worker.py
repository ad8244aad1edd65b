"""The other end of ``ProcessRuntime``: runs one function at a time, on its main thread.

Started as ``python -m atomiton.runtimes.worker N`` with a socket as file descriptor N, leading a
process group of its own. When the socket closes, because the engine ended or was killed, the whole
group is killed: nothing a function has started may outlive the engine.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import select
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Final, NoReturn, Protocol, cast

import msgspec

from atomiton.runtimes.frames import HEADER, Answer, Failure, Request, encode, plain
from atomiton.runtimes.outcome import CURRENT, checked_result
from atomiton.runtimes.target import follow, unwrapped

_OURS: Final = 2  # frames of a traceback that are this file's


class _Function(Protocol):
    def __call__(self, **arguments: object) -> object: ...


class Running:
    """The job that runs now, if any, and the one interrupt it may get.

    The engine sends ``CANCEL``, then a signal. The signal alone does not say which job it is meant
    for; but while a job runs nothing but its own ``CANCEL`` can be waiting on the line.

    Args:
        number: File descriptor of the line.

    Attributes:
        cancelled: Whether the job was asked to stop; ``cancel_requested`` reads it.
    """

    def __init__(self, number: int) -> None:
        self.cancelled = False
        self._active = False
        self._poll = select.poll()
        self._poll.register(number, select.POLLIN)

    def begin(self) -> None:
        """A job begins: from now on it may be interrupted, or was already."""
        self.cancelled = False
        self._active = True
        self.on_signal(signal.SIGINT, None)

    def end(self) -> None:
        """The job ended: an interrupt comes too late from now on."""
        self._active = False

    def on_signal(self, _number: int, _frame: object) -> None:
        """Interrupt the job, once, if it was asked to stop."""
        if self._active and not self.cancelled and self._poll.poll(0):
            self.cancelled = True
            raise KeyboardInterrupt


def main() -> None:
    """Serve requests until the socket closes."""
    line = socket.socket(fileno=int(sys.argv[1]))
    line.set_inheritable(False)
    with suppress(OSError):
        os.dup2(2, 1)  # what functions print goes to stderr
    cast("_Reconfigurable", sys.stdout).reconfigure(line_buffering=True)
    running = Running(line.fileno())
    CURRENT.set(running)
    signal.signal(signal.SIGINT, running.on_signal)
    threading.Thread(target=_watch, args=(line.fileno(),), daemon=True).start()
    _send(line, encode(Answer()))
    decoder = msgspec.msgpack.Decoder(Request)
    while True:
        request = decoder.decode(_receive(line))
        if request.path is not None:
            sys.path[:] = request.path
            importlib.invalidate_caches()
        if not request.name:
            continue
        frame = _answer(request, running)
        del request  # an idle worker keeps nothing alive
        with suppress(OSError, ValueError):  # a function may have closed it
            sys.stdout.flush()
        _send(line, frame)


class _Reconfigurable(Protocol):
    def reconfigure(self, *, line_buffering: bool) -> None: ...


def _answer(request: Request, running: Running) -> bytearray:
    """Run one request and return the frame of its answer."""
    # Between ``begin`` and ``end`` the one interrupt may arrive at any instruction; nowhere else.
    try:
        running.begin()
        try:
            answer = Answer(_call(request))
        except BaseException as error:  # whatever ends a function is its outcome
            answer = Answer(failure=_failure(error, running))
        running.end()
    except KeyboardInterrupt as error:
        running.end()
        answer = Answer(failure=_failure(error, running))
    try:
        return encode(answer)
    except (TypeError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        message = f"the result cannot leave the process: {error}"
        return encode(Answer(failure=Failure(type(error).__name__, message, code="TYPE_MISMATCH")))


def _call(request: Request) -> object:
    if request.file is None:
        module = importlib.import_module(request.module)
    else:
        module = _load(request.module, request.file)
    function = cast("_Function", unwrapped(follow(vars(module), request.name)))
    return checked_result(function(**request.arguments))


_loaded: dict[str, ModuleType] = {}


def _load(name: str, file: str) -> ModuleType:
    """Return the module in a file, executed once."""
    module = _loaded.get(file)
    if module is not None:
        return module
    if name == "__main__" or name in sys.modules:
        name = f"_atomiton_{len(_loaded)}_{Path(file).stem}"  # also skips `if __name__ == ...`
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _loaded[file] = module
    return module


def _failure(error: BaseException, running: Running) -> Failure:
    """Describe an exception as plain data."""
    if isinstance(error, KeyboardInterrupt) and running.cancelled:
        return Failure("KeyboardInterrupt", "interrupted", cancelled=True)
    kind = type(error).__name__
    message = str(getattr(error, "message", "") or error)
    if not isinstance(error, Exception):
        message = f"{kind}: {message}" if message else kind
    code = getattr(error, "code", None)
    retryable = getattr(error, "retryable", None)
    details = getattr(error, "details", None)
    ours = isinstance(code, str) and isinstance(getattr(error, "message", None), str)
    failure = Failure(kind, message or kind, _trace(error))
    if ours:
        failure.code = code
        failure.retryable = retryable if isinstance(retryable, bool) else None
        failure.details = (
            plain(cast("dict[str, object]", details)) if isinstance(details, dict) else None
        )
    return failure


def _trace(error: BaseException) -> str:
    """Return the traceback from the function on; our own frames help nobody."""
    place = error.__traceback__
    for _ in range(_OURS):
        place = place.tb_next if place and place.tb_next else place
    text = "".join(traceback.format_exception(type(error), error, place))
    return text.encode("utf-8", "backslashreplace").decode()


def _receive(line: socket.socket) -> bytearray:
    (size,) = HEADER.unpack(_exactly(line, HEADER.size))
    return _exactly(line, size)


def _exactly(line: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        try:
            count = line.recv_into(rest)
        except OSError:
            count = 0
        if not count:
            _end()
        rest = rest[count:]
    return data


def _send(line: socket.socket, frame: bytearray) -> None:
    try:
        line.sendall(frame)
    except OSError:
        _end()


def _watch(number: int) -> None:
    """End when the engine does, even while a function runs."""
    poll = select.poll()
    poll.register(number, 0)  # hang-ups are reported without being asked for
    while not poll.poll():
        pass
    _end()


def _end() -> NoReturn:
    """Kill this process and all it has started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
