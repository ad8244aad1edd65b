"""A WebAssembly module as the function of a node type: no rights but to read and to write.

A module is a command of WASI (preview 1): it reads its request from standard input and writes its
lines to standard output, as a program does. It sees no files, no variables and no network. Its
steps are counted, its memory is bounded, and it is stopped in the middle of a loop.

A call runs on a thread, in an engine that runs nothing else meanwhile: an engine is told to stop
as a whole. Engines are used again, each with its module compiled.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from atomiton.errors import NodeError
from atomiton.nodes.programs.checking import Ports
from atomiton.nodes.programs.command import Limits
from atomiton.nodes.programs.talk import Conversation, request
from atomiton.ports.capabilities import Attempt, Log, Progress

if TYPE_CHECKING:
    import wasmtime

#: Parameters by which a module gets its capabilities; no port is called so.
DOORS: Final[Mapping[str, str]] = {
    "_attempt": "attempt",
    "_progress": "progress",
    "_log": "log",
}
#: What a module may use unless it is declared with something else.
MEMORY: Final = 64 * 1024 * 1024
FUEL: Final = 10_000_000_000
#: Most bytes of standard error that are kept.
_KEPT: Final = 64 * 1024
#: Engines that are kept for one module.
_IDLE: Final = 8
_WASI: Final = "wasi_snapshot_preview1"
_NOT_SUPPORTED: Final = 58  # the errno of WASI


class _Engine(NamedTuple):
    engine: wasmtime.Engine
    module: wasmtime.Module
    linker: wasmtime.Linker


class Module:
    """A module in a file, compiled when it is first called, and anew when the file has changed.

    Args:
        path: The file, binary or text (``.wat``).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._mark: object = None
        self._compiled: bytearray | None = None
        self._idle: list[_Engine] = []

    def take(self) -> tuple[_Engine, object]:
        """An engine that nobody uses, with the module, and the mark of the file it was made of.

        Raises:
            NodeError: There is no such file (NOT_FOUND), it is no module (INVALID_INPUT), or
                wasmtime is not installed (NOT_SUPPORTED).
        """
        mark = self._look()
        with self._lock:
            if mark != self._mark:
                self._idle.clear()
                self._mark, self._compiled = mark, None
            if self._idle:
                return self._idle.pop(), mark
            return self._make(), mark

    def give_back(self, engine: _Engine, mark: object) -> None:
        """Keep an engine for the next call."""
        with self._lock:
            if mark == self._mark and len(self._idle) < _IDLE:
                self._idle.append(engine)

    def _look(self) -> object:
        try:
            found = os.stat(self._path)
        except OSError as error:
            message = f"there is no module {str(self._path)!r}: {error.strerror}"
            raise NodeError(message, code="NOT_FOUND") from error
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _make(self) -> _Engine:
        try:
            import wasmtime
        except ImportError as error:
            message = "modules need wasmtime: install atomiton[wasm]"
            raise NodeError(message, code="NOT_SUPPORTED") from error
        config = wasmtime.Config()
        config.consume_fuel = True
        config.epoch_interruption = True
        engine = wasmtime.Engine(config)
        try:
            if self._compiled is None:
                content = self._path.read_bytes()
                is_binary = content.startswith(b"\0asm")
                module = wasmtime.Module(engine, content if is_binary else content.decode())
                self._compiled = module.serialize()
            else:
                module = wasmtime.Module.deserialize(engine, self._compiled)
        except (wasmtime.WasmtimeError, UnicodeDecodeError) as error:
            first = str(error).partition("\n")[0]
            message = f"{str(self._path)!r} is no module that can be run: {first}"
            raise NodeError(message, code="INVALID_INPUT") from error
        return _Engine(engine, module, _linker(engine))


def _linker(engine: wasmtime.Engine) -> wasmtime.Linker:
    """What modules may import: WASI, but nothing that waits."""
    import wasmtime

    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    linker.allow_shadowing = True
    # Who sleeps in the host cannot be stopped, and there is nothing to wait for in here.
    number = wasmtime.ValType.i32()
    kind = wasmtime.FuncType([number] * 4, [number])
    linker.define_func(_WASI, "poll_oneoff", kind, lambda *_: _NOT_SUPPORTED)
    return linker


class _Stop:
    """Ends the call of a module that runs, from another thread, once and only then."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._over = False

    def __call__(self) -> None:
        with self._lock:
            if not self._over:
                self._over = True
                self._engine.increment_epoch()

    def asked(self) -> bool:
        """Whether the call is to be stopped."""
        return self._over

    def over(self) -> bool:
        """The call has ended; gives whether it was to be stopped."""
        with self._lock:
            stopped, self._over = self._over, True
        return stopped


def module_function(name: str, path: Path, limits: Limits, ports: Ports) -> Callable[..., object]:
    """The function of a node type that is a module.

    Args:
        name: Name of the node type.
        path: The module.
        limits: What it may use.
        ports: Checks what it is given and gives.
    """
    module = Module(path)

    def run(**given: object) -> object:
        attempt = cast("Attempt", given.pop("_attempt"))
        progress = cast("Progress", given.pop("_progress"))
        log = cast("Log", given.pop("_log"))
        asked = request(name, ports.inputs(given), attempt)
        talk = Conversation(limits.output, progress, log, attempt)
        engine, mark = module.take()
        stop = _Stop(engine.engine)
        attempt.on_cancel(stop)
        call = _Call(engine, limits, talk, stop)
        try:
            how, well = call.run(asked)
        finally:
            stopped = stop.over()
        if stopped:
            raise NodeError("the module was stopped", code="CANCELLED")
        module.give_back(engine, mark)
        return ports.output(talk.result(how, well=well, stderr=bytes(call.stderr)))

    run.__name__ = run.__qualname__ = name
    return run


class _Call:
    """One call: an instance of the module, and what it writes."""

    def __init__(self, engine: _Engine, limits: Limits, talk: Conversation, stop: _Stop) -> None:
        self.stderr = bytearray()
        self._engine = engine
        self._limits = limits
        self._talk = talk
        self._stop = stop
        self._refused: NodeError | None = None

    def run(self, asked: bytes) -> tuple[str, bool]:
        """Run the module to its end.

        Returns:
            How it ended, and whether that is well.

        Raises:
            NodeError: It used more than it may (LIMIT_EXCEEDED), said too much, or cannot begin.
        """
        import wasmtime

        with tempfile.NamedTemporaryFile(prefix="atomiton-") as file:
            file.write(asked)
            file.flush()
            try:
                self._start(file.name)
                how, well = "ended with status 0", True
            except wasmtime.ExitTrap as end:
                how, well = f"ended with status {end.code}", end.code == 0
            except wasmtime.Trap as trap:
                how, well = self._trapped(trap), False
            except wasmtime.WasmtimeError as error:
                first = str(error).partition("\n")[0]
                message = f"the module cannot be run: {first}"
                raise NodeError(message, code="INVALID_INPUT") from error
        if self._refused is not None:
            raise self._refused
        return how, well

    def _start(self, stdin: str) -> None:
        import wasmtime

        limits = self._limits
        store = wasmtime.Store(self._engine.engine)
        try:
            store.set_limits(memory_size=limits.memory or MEMORY, table_elements=1_000_000)
            store.set_fuel(limits.fuel or FUEL)
            store.set_epoch_deadline(1)
            if self._stop.asked():  # before the deadline was set, and so without it
                raise NodeError("the module was stopped", code="CANCELLED")
            wasi = wasmtime.WasiConfig()
            wasi.stdin_file = stdin
            wasi.stdout_custom = self._on_output
            wasi.stderr_custom = self._on_stderr
            store.set_wasi(wasi)
            instance = self._engine.linker.instantiate(store, self._engine.module)
            start = instance.exports(store).get("_start")
            if not isinstance(start, wasmtime.Func):
                message = "the module has no '_start': build it as a command of WASI (preview 1)"
                raise NodeError(message, code="INVALID_INPUT")
            start(store)
        finally:
            store.close()

    def _on_output(self, data: bytes) -> int:
        try:
            self._talk.take(data)
        except NodeError as error:  # raised once the module is left: it crosses no foreign frames
            self._refused = self._refused or error
            return -1
        return len(data)

    def _on_stderr(self, data: bytes) -> int:
        self.stderr += data[: max(0, _KEPT - len(self.stderr))]
        return len(data)

    def _trapped(self, trap: wasmtime.Trap) -> str:
        import wasmtime

        if trap.trap_code == wasmtime.TrapCode.OUT_OF_FUEL:
            steps = self._limits.fuel or FUEL
            message = (
                f"the module took more than {steps} steps; 'limits: {{fuel: ...}}' allows more"
            )
            raise NodeError(message, code="LIMIT_EXCEEDED")
        last = trap.message.strip().rpartition("\n")[2].strip()
        return f"trapped: {last.removeprefix('wasm trap: ')}"
