"""Hooks: functions of the owner's that are called around nodes, runs and compensation."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Final, Generic, NoReturn, TypeVar, cast, overload

import msgspec

from atomiton.blueprint.durations import parse_duration
from atomiton.ports.hooks import CompensationEvent, Hook, Moment, NodeEvent, RunHookEvent

E = TypeVar("E")
R = TypeVar("R")

#: Seconds that a hook may take where no attempt bounds it.
TIMEOUT = 30.0
#: In the order of registration, whichever ``Hooks`` it was with.
_numbers = itertools.count(1)
_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(:compensate)?|on:[a-z]+")
_TYPE = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*")
#: Where a failure can still fail what the hook is called for.
_STRICT: frozenset[Moment] = frozenset({"before", "input", "output", "after", "run_start"})

Names = str | Sequence[str] | None


class Registered(msgspec.Struct, frozen=True):
    """A hook, and which nodes it is for.

    Attributes:
        number: Hooks are called in the order of their numbers.
        nodes: Ids (``convert``, in any body) or paths (``group.inner``); empty for all nodes.
        types: Names of node types; empty for any, and for nodes that call none.
    """

    number: int
    hook: Hook
    nodes: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()


class NodePoint(Generic[E]):
    """Where hooks of nodes are registered; called with a function, or as its decorator."""

    def __init__(self, hooks: Hooks, moment: Moment) -> None:
        self._hooks = hooks
        self._moment: Moment = moment

    @overload
    def __call__(
        self,
        function: Callable[[E], R],
        /,
        *,
        node: Names = None,
        type: Names = None,
        strict: bool = False,
    ) -> Callable[[E], R]: ...
    @overload
    def __call__(
        self, /, *, node: Names = None, type: Names = None, strict: bool = False
    ) -> Callable[[Callable[[E], R]], Callable[[E], R]]: ...
    def __call__(
        self,
        function: Callable[[E], R] | None = None,
        /,
        *,
        node: Names = None,
        type: Names = None,  # noqa: A002 - the word of the format
        strict: bool = False,
    ) -> Callable[[E], R] | Callable[[Callable[[E], R]], Callable[[E], R]]:
        """Register a function.

        Args:
            function: Takes a ``NodeEvent``; plain functions must not block. Without it, what is
                given is a decorator.
            node: Ids of nodes, which are looked for in every body (``inner``), or whole paths
                (``group.inner``); by default every node. A mapped node stands for its items too.
            type: Names of node types (``http.request``), whatever their version.
            strict: Whether its failure fails the attempt, with the code ``HOOK_FAILED``.

        Returns:
            The function, as it was.

        Raises:
            TypeError: If the function cannot be called with one event, a name can be none, or
                strict can have no effect at this moment.
        """
        point = f"hooks.{self._moment}"
        nodes = _names(node, _PATH, point, "node", "an id or a path such as 'group.inner'")
        types = _names(type, _TYPE, point, "type", "a node type such as 'http.request'")

        def register(function: Callable[[E], R]) -> Callable[[E], R]:
            self._hooks.register(self._moment, function, strict, nodes, types)
            return function

        return register if function is None else register(function)


class RunPoint(Generic[E]):
    """Where hooks of runs and of compensation are registered."""

    def __init__(self, hooks: Hooks, moment: Moment) -> None:
        self._hooks = hooks
        self._moment: Moment = moment

    @overload
    def __call__(
        self, function: Callable[[E], R], /, *, strict: bool = False
    ) -> Callable[[E], R]: ...
    @overload
    def __call__(
        self, /, *, strict: bool = False
    ) -> Callable[[Callable[[E], R]], Callable[[E], R]]: ...
    def __call__(
        self, function: Callable[[E], R] | None = None, /, *, strict: bool = False
    ) -> Callable[[E], R] | Callable[[Callable[[E], R]], Callable[[E], R]]:
        """Register a function, or give a decorator that does.

        Args:
            function: Takes the event; plain functions must not block.
            strict: For ``run_start`` only: whether its failure fails the run before anything of it
                begins, with the code ``HOOK_FAILED``.

        Raises:
            TypeError: If the function cannot be called with one event, or strict can have no
                effect at this moment.
        """

        def register(function: Callable[[E], R]) -> Callable[[E], R]:
            self._hooks.register(self._moment, function, strict)
            return function

        return register if function is None else register(function)


class Null:
    """What an ``output`` hook returns to make the output null, since None leaves it as it is."""

    def __repr__(self) -> str:
        """Show the name under which it is known."""
        return "Hooks.NULL"


class Hooks:
    """Functions that are called around nodes, runs and compensation, in order of registration.

    A hook that fails is reported (logger ``atomiton.hooks``) and changes nothing, unless it is
    strict. Runs take up the hooks that are there when they begin.

    Args:
        timeout: How long a hook may take where no attempt bounds it, in seconds or as text such
            as ``10s``; then it is cancelled, which is a failure of the hook.

    Attributes:
        before: Before every attempt, with its final parameters; before a group, map, loop, branch
            or wait begins.
        input: Before every attempt, before ``before``: returns all parameters that the node is to
            be called on, or None to leave them as they are. A change goes on record.
        output: After every attempt that gave something: returns the output to use instead; None
            leaves it as it is, ``Hooks.NULL`` makes it null.
        after: After ``output``; after a group, map, loop, branch or wait has completed.
        error: A node has failed for good, even if the run goes on without it.
        retry: An attempt has failed, and another will be made.
        skip: A node was skipped.
        run_start: A run begins.
        run_success, run_failure, run_cancel: It has completed, failed, was cancelled.
        run_always: It has ended.
        compensation_start, compensation_step, compensation_end: Compensation begins; that of one
            node has ended, well or not; all have.
        registered: All of them, in order.

    Example:
        >>> hooks = Hooks()
        >>> @hooks.before(type="http.request")
        ... async def note(event: NodeEvent) -> None:
        ...     print(event.node, event.parameters["url"])
        >>> len(hooks)
        1
    """

    NULL: Final = Null()

    def __init__(self, *, timeout: float | str = TIMEOUT) -> None:
        self._timeout = parse_duration(timeout) if isinstance(timeout, str) else float(timeout)
        self.registered: list[Registered] = []
        self.before = NodePoint[NodeEvent](self, "before")
        self.input = NodePoint[NodeEvent](self, "input")
        self.output = NodePoint[NodeEvent](self, "output")
        self.after = NodePoint[NodeEvent](self, "after")
        self.error = NodePoint[NodeEvent](self, "error")
        self.retry = NodePoint[NodeEvent](self, "retry")
        self.skip = NodePoint[NodeEvent](self, "skip")
        self.run_start = RunPoint[RunHookEvent](self, "run_start")
        self.run_success = RunPoint[RunHookEvent](self, "run_success")
        self.run_failure = RunPoint[RunHookEvent](self, "run_failure")
        self.run_cancel = RunPoint[RunHookEvent](self, "run_cancel")
        self.run_always = RunPoint[RunHookEvent](self, "run_always")
        self.compensation_start = RunPoint[CompensationEvent](self, "compensation_start")
        self.compensation_step = RunPoint[CompensationEvent](self, "compensation_step")
        self.compensation_end = RunPoint[CompensationEvent](self, "compensation_end")

    def __len__(self) -> int:
        """How many functions are registered."""
        return len(self.registered)

    def register(
        self,
        moment: Moment,
        function: Callable[[E], object],
        strict: bool,  # noqa: FBT001 - the points above name it
        nodes: frozenset[str] = frozenset(),
        types: frozenset[str] = frozenset(),
    ) -> None:
        """Add a function; what the points such as ``before`` do.

        Raises:
            TypeError: If it cannot be called with one event, or strict can have no effect.
        """
        name = _name(function)
        if not _takes_one(function):
            _refuse(f"hooks.{moment}", f"{name} is no function that takes one event")
        if strict and moment not in _STRICT:
            _refuse(
                f"hooks.{moment}",
                f"{name} cannot be strict: what it is told of has happened already, and its "
                "failure could change nothing; leave 'strict' out",
            )
        hook = Hook(moment, function, name, strict, self._timeout)
        self.registered.append(Registered(next(_numbers), hook, nodes, types))


def _takes_one(function: object) -> bool:
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True  # a builtin that does not say what it takes
    return True


def _name(function: object) -> str:
    """Where a function is, as a reader of its code would look for it."""
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str):
        return repr(function)
    return f"{getattr(function, '__module__', '?')}.{name}"


def _names(given: object, form: re.Pattern[str], point: str, key: str, what: str) -> frozenset[str]:
    """The names that a hook is for; empty for all."""
    if given is None:
        return frozenset()
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Sequence | frozenset | set) or not names:
        _refuse(point, f"{key} takes a name or several, not {given!r}; leave it out for all")
    found = cast("Sequence[object]", names)
    for name in found:
        if not isinstance(name, str) or form.fullmatch(name) is None:
            hint = ""
            if isinstance(name, str) and "[" in name:
                hint = "; the items of a map have its name, without a number"
            elif isinstance(name, str) and "@" in name:
                hint = "; a type stands for all of its versions"
            _refuse(point, f"{key}={name!r} can be none: {key} takes {what}{hint}")
    return frozenset(cast("Sequence[str]", found))


def _refuse(point: str, message: str) -> NoReturn:
    raise TypeError(f"{point}: {message}")


def hooks_in(module: ModuleType) -> list[Hooks]:
    """The ``Hooks`` among the names of a module, each once."""
    found = [value for value in vars(module).values() if isinstance(value, Hooks)]
    return list({id(hooks): hooks for hooks in found}.values())
