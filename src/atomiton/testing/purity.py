"""Proves that a node is pure: it gives the same twice, changes nothing, and asks nobody.

Files, sockets and processes are watched by an audit hook of the interpreter, which no Python code
that runs in it can avoid. Time and randomness raise no audit events, so the functions of ``time``,
``random``, ``os``, ``secrets`` and ``uuid`` are replaced while the node runs. That is best effort:
a node that holds such a function under a name of its own, or that calls ``datetime.now``, which
cannot be replaced, is not caught by it, though usually by its two different results.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import inspect
import os
import random
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Generator, Mapping
from types import ModuleType
from typing import cast

from atomiton.nodes.spec import NodeFunction, NodeType

__all__ = ["ImpureError", "assert_pure", "forbidden_world"]

#: Beginnings of the audit events by which code reaches the world.
WATCHED = (
    "open",
    "os.",
    "shutil.",
    "socket.",
    "subprocess.",
    "pty.",
    "tempfile.",
    "sqlite3.connect",
    "urllib.Request",
    "ftplib.",
    "http.client.",
    "smtplib.",
    "ctypes.dlopen",
    "webbrowser.open",
)
#: Functions by which code asks for the time or for chance.
ASKED: Mapping[ModuleType, tuple[str, ...]] = {
    time: ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime"),
    random: ("random", "randint", "randrange", "choice", "shuffle", "sample", "uniform"),
    os: ("urandom", "getenv"),
    secrets: ("token_bytes", "token_hex", "token_urlsafe", "choice"),
    uuid: ("uuid1", "uuid4"),
}

_here = threading.local()
_install = threading.Lock()
_installed: list[bool] = []


class ImpureError(AssertionError):
    """A node that is said to be pure is not."""


@contextlib.contextmanager
def forbidden_world() -> Generator[list[str]]:
    """Within it, code of this thread that reaches the world fails with ``ImpureError``.

    Yields:
        What was tried, also when the code hid the error.
    """
    _install_hook()
    outer = getattr(_here, "tried", None)
    tried: list[str] = []
    with _nothing_collected(), _replaced(tried):
        _here.tried = tried
        try:
            yield tried
        finally:
            _here.tried = outer


@contextlib.contextmanager
def _nothing_collected() -> Generator[None]:
    """Within it nobody's garbage is collected: what it does at its end is not the node's doing."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def assert_pure(
    node: NodeFunction[..., object] | NodeType,
    inputs: Mapping[str, object],
    *,
    same: Callable[[object, object], bool] | None = None,
) -> object:
    """Assert that a node is pure for some inputs.

    Args:
        node: A node function, or its type.
        inputs: Arguments by the names of the ports; a function stands for an expression.
        same: How two results are compared; by default by equality of type and value.

    Returns:
        The result.

    Raises:
        ImpureError: The node reached the world, changed an input, kept one in its result that it
            then changed, or gave two different results.
    """
    type_ = node if isinstance(node, NodeType) else node.type
    given = dict(inputs)
    before = copy.deepcopy(given)
    first = _once(type_, given)
    if not _same(given, before):
        raise ImpureError(f"{type_.name} changed what it was given: {before!r} became {given!r}")
    kept = copy.deepcopy(first)
    second = _once(type_, copy.deepcopy(given))
    if not (same or _same)(kept, second):
        raise ImpureError(f"{type_.name} gave {kept!r}, then {second!r}")
    if not _same(first, kept):
        raise ImpureError(f"{type_.name} changed an earlier result: {kept!r} became {first!r}")
    return first


def _once(type_: NodeType, inputs: dict[str, object]) -> object:
    """Run a node without a world; with a loop of its own, made beforehand, if it is async."""
    inputs = {type_.renamed.get(name, name): value for name, value in inputs.items()}
    if type_.capabilities:
        fakes = {name: _Silent() for name in type_.capabilities}
        inputs = inputs | cast("dict[str, object]", fakes)
    if not type_.is_async:
        with forbidden_world() as tried:
            result = type_.function(**inputs)
        return _unless(tried, type_, result)
    coroutine = cast("Callable[..., Coroutine[object, None, object]]", type_.function)(**inputs)
    with forbidden_world() as tried:
        try:
            # By hand: an event loop itself opens sockets and asks the time.
            for _ in range(1_000_000):
                asked = coroutine.send(None)
                if asked is not None:
                    raise ImpureError(f"{type_.name} waits for something: {asked!r}")
        except StopIteration as end:
            return _unless(tried, type_, end.value)
        finally:
            coroutine.close()
    raise ImpureError(f"{type_.name} does not come to an end")


def _unless(tried: list[str], type_: NodeType, result: object) -> object:
    if tried:
        raise ImpureError(f"{type_.name} tried to reach the world: {', '.join(tried)}")
    return result


class _Silent:
    """Stands for ``log``, ``progress`` and ``attempt``: listens, says nothing."""

    run = "run"
    node = "node"
    attempt = 1
    key = "run/node"
    cancelled = False

    def remaining(self) -> float | None:
        return None

    def log(self, level: str, message: str) -> None:
        """Hear a line."""

    def report(self, fraction: float, message: str = "") -> None:
        """Hear how far it is."""


def _same(one: object, other: object) -> bool:
    """Equality that tells 1 from 1.0 and true; functions are the same when they are."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        pairs, others = cast("dict[object, object]", one), cast("dict[object, object]", other)
        return list(pairs) == list(others) and all(_same(pairs[k], others[k]) for k in pairs)
    if isinstance(one, list | tuple):
        items, rest = cast("list[object]", one), cast("list[object]", other)
        return len(items) == len(rest) and all(map(_same, items, rest))
    return one is other or one == other or _text(one) == _text(other)


def _text(value: object) -> object:
    """NaN is equal to nothing, but the same as itself."""
    return repr(value) if isinstance(value, float) else object()


def _install_hook() -> None:
    with _install:
        if not _installed:
            _installed.append(True)
            sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    tried: list[str] | None = getattr(_here, "tried", None)
    if tried is None or not event.startswith(WATCHED):
        return
    # A module that is imported at its first use is code, not the world.
    caller = inspect.currentframe()
    caller = caller.f_back if caller is not None else None
    if caller is not None and caller.f_code.co_filename.startswith("<frozen importlib"):
        return
    what = f"{event}({arguments[0]!r})" if arguments else event
    tried.append(what)
    raise ImpureError(f"a pure node tried to reach the world: {what}")


@contextlib.contextmanager
def _replaced(tried: list[str]) -> Generator[None]:
    """Replace what asks for time or chance, for this thread only."""
    with contextlib.ExitStack() as stack:
        for module, names in ASKED.items():
            for name in names:
                stack.enter_context(_trap(module, name, tried))
        yield


@contextlib.contextmanager
def _trap(module: ModuleType, name: str, tried: list[str]) -> Generator[None]:
    original = cast("Callable[..., object]", getattr(module, name))
    thread = threading.get_ident()

    def asked(*args: object, **kwargs: object) -> object:
        if threading.get_ident() != thread or getattr(_here, "tried", None) is not tried:
            return original(*args, **kwargs)
        what = f"{module.__name__}.{name}()"
        tried.append(what)
        raise ImpureError(f"a pure node asked for time or chance: {what}")

    setattr(module, name, asked)
    try:
        yield
    finally:
        setattr(module, name, original)
