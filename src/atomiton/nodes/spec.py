"""A node type: a typed function, described.

``@node`` reads a function's signature: its parameters are the input ports, the fields of its
result the output ports. A parameter whose annotation is a capability (``ports.capabilities``) is
injected and is no port; one annotated ``Lambda`` takes a bare expression over ``item``, ``index``
and ``acc``.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import CodeType
from typing import Any, Generic, Literal, ParamSpec, Protocol, Self, TypeVar, cast, overload

import msgspec

from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.model import Retry
from atomiton.nodes.recording import RECORDER, Caching, Join, Policies
from atomiton.nodes.schema import first_paragraph, text_of
from atomiton.nodes.signature import (
    WORLDLY,
    Lambda,
    Parameter,
    read_signature,
)

__all__ = [
    "AsyncNodeFunction",
    "Effect",
    "Lambda",
    "NodeFunction",
    "NodeType",
    "Parameter",
    "PlainNodeFunction",
    "RuntimeName",
    "node",
]

Effect = Literal["pure", "idempotent", "once"]
RuntimeName = Literal["inline", "thread", "process"]
Place = Literal["inline", "thread", "process", "program", "wasm"]
P = ParamSpec("P")
R = TypeVar("R")
_NAME = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*")


class NodeType(msgspec.Struct, frozen=True, kw_only=True):
    """A node type: a function with everything the engine and people need to know of it.

    Attributes:
        name: Dotted name, such as ``file.read``.
        function: What runs; async, or plain.
        is_async: Whether ``function`` is a coroutine function.
        effect: ``pure`` (same inputs, same result), ``idempotent`` (may be repeated under its
            key) or ``once`` (must not be repeated unasked).
        runtime: Where it runs: ``inline`` on the event loop, ``thread`` or ``process``; ``program``
            and ``wasm`` are what is no Python, and run nowhere else.
        parameters: Input ports in order.
        renamed: Name of a port to that of its parameter, where they differ: ``as`` and ``as_``.
        capabilities: Parameter name to capability name (``http``, ``files``, ...).
        result: JSON Schema of the result; its ``properties`` are the output ports.
        plain_result: Whether results already are fresh JSON values that nobody else holds.
        plain_parameters: Whether parameters can be passed without copies: never mutated, kept.
        version: Major version, as in ``uses: type@1``.
        description: The first paragraph of what is said of it.
        details: All of it, without the sections of a docstring; empty where that is no more.
        icon: Name of its picture in the studio, one of those that the how-to page lists.
        deprecated: What to use instead, for people; empty while it is to be used.
    """

    name: str
    function: Callable[..., object]
    is_async: bool
    effect: Effect = "idempotent"
    runtime: Place = "thread"
    parameters: tuple[Parameter, ...] = ()
    renamed: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    capabilities: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    result: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    plain_result: bool = False
    plain_parameters: bool = False
    version: int = 1
    title: str = ""
    description: str = ""
    details: str = ""
    category: str = ""
    icon: str = ""
    example: str = ""
    retry: Retry | None = None
    timeout: float | None = None
    source: str = ""
    deprecated: str = ""

    @property
    def identity(self) -> str:
        """Names the type, its version and its code: another text when one of them is another.

        Of the code it sees the function itself, and not what that calls.

        Example:
            >>> NodeType(name="a", function=len, is_async=False).identity.startswith("a@1 ")
            True
        """
        digest = hashlib.sha256()
        rest: list[object] = [getattr(self.function, "__code__", None)]
        while rest:
            part = rest.pop()
            if isinstance(part, CodeType):
                digest.update(part.co_code + repr((part.co_names, part.co_varnames)).encode())
                rest.extend(part.co_consts)
            elif isinstance(part, frozenset):  # whose order is another in each process
                rest.extend(sorted(map(repr, cast("frozenset[object]", part))))
            else:
                digest.update(repr(part).encode("utf-8", "backslashreplace"))
        return f"{self.name}@{self.version} {digest.hexdigest()[:32]}"


class NodeFunction(Generic[P, R]):
    """A function that is also a node type.

    Inside a blueprint that is being built, a call is recorded and gives what stands for the
    result; to type checkers that is the result itself, ``R``, also when the function is async.
    Anywhere else a call calls the function, and an async one gives its coroutine: there use
    ``function``, whose type says so.
    """

    def __init__(self, function: Callable[P, object], type_: NodeType, policies: Policies) -> None:
        self._function = function
        self.type = type_
        self.policies = policies
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.__name__ = getattr(function, "__name__", type_.name)
        self.__module__ = function.__module__

    @property
    def function(self) -> Callable[P, R | Coroutine[object, object, R]]:
        """The function itself, as it was written."""
        return cast("Callable[P, R | Coroutine[object, object, R]]", self._function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Record the call in the blueprint that is being built, or call the function."""
        recorder = RECORDER.get()
        if recorder is not None:
            return cast("R", recorder.call(cast("NodeFunction[..., object]", self), args, kwargs))
        return cast("R", self._function(*args, **kwargs))

    def with_(
        self,
        *,
        id: str | None = None,  # noqa: A002 - the key of the format
        name: str | None = None,
        description: str | None = None,
        needs: Sequence[object] | None = None,
        if_: bool | None = None,
        join: Join | None = None,
        enabled: bool | None = None,
        retry: Retry | Mapping[str, object] | None = None,
        timeout: float | str | None = None,
        deadline: float | str | None = None,
        on_error: Literal["continue"] | Mapping[str, object] | None = None,
        compensate: Callable[[R], object] | Callable[[], object] | None = None,
        when_failed: bool | None = None,
        runtime: RuntimeName | dict[str, str] | None = None,
        cache: Caching | None = None,
        weight: float | None = None,
    ) -> Self:
        """The same node function with policies of one use; see ``Policies`` for each.

        Example:
            >>> @node("text.shout", effect="pure")
            ... def shout(text: str) -> str:
            ...     return text.upper()
            >>> shout.with_(timeout="5s", retry=Retry(attempts=3)).policies.timeout
            '5s'
        """
        given = Policies(
            id=id,
            name=name,
            description=description,
            needs=needs,
            if_=if_,
            join=join,
            enabled=enabled,
            retry=retry,
            timeout=timeout,
            deadline=deadline,
            on_error=on_error,
            compensate=compensate,
            when_failed=when_failed,
            runtime=runtime,
            cache=cache,
            weight=weight,
        )
        return type(self)(self._function, self.type, self.policies.changed(given))


class PlainNodeFunction(NodeFunction[P, R]):
    """A node function that is not async."""

    @property
    def function(self) -> Callable[P, R]:
        """The function itself, as it was written."""
        return cast("Callable[P, R]", self._function)


class AsyncNodeFunction(NodeFunction[P, R]):
    """A node function that is async: ``await it.function(...)`` outside of blueprints."""

    @property
    def function(self) -> Callable[P, Coroutine[object, object, R]]:
        """The coroutine function itself, as it was written."""
        return cast("Callable[P, Coroutine[object, object, R]]", self._function)


class Decorator(Protocol):
    """What makes a node function of a function."""

    # To a type checker every coroutine is also some other result; the first that fits is taken.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> AsyncNodeFunction[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> PlainNodeFunction[P, R]: ...


@overload
def node(  # type: ignore[overload-overlap]
    name: Callable[P, Coroutine[Any, Any, R]], /
) -> AsyncNodeFunction[P, R]: ...
@overload
def node(name: Callable[P, R], /) -> PlainNodeFunction[P, R]: ...
@overload
def node(
    name: str | None = None,
    /,
    *,
    effect: Effect = "idempotent",
    runtime: RuntimeName | None = None,
    retry: Retry | None = None,
    timeout: float | str | None = None,
    version: int = 1,
    title: str = "",
    icon: str = "",
    example: str = "",
    plain: bool = False,
    deprecated: str = "",
) -> Decorator: ...
def node(
    name: str | Callable[..., object] | None = None,
    /,
    *,
    effect: Effect = "idempotent",
    runtime: RuntimeName | None = None,
    retry: Retry | None = None,
    timeout: float | str | None = None,
    version: int = 1,
    title: str = "",
    icon: str = "",
    example: str = "",
    plain: bool = False,
    deprecated: str = "",
) -> object:
    """Make a node type of a typed function, async or not.

    Args:
        name: Dotted name; by default ``module.function``.
        effect: ``pure``, ``idempotent`` (default) or ``once``.
        runtime: ``inline``, ``thread`` or ``process``; by default ``inline`` for an async
            function and ``thread`` for a plain one.
        retry: Retry rule of nodes that do not say otherwise.
        timeout: Bound of one attempt, in seconds or as text such as ``10s``.
        version: Major version.
        title: Name for people.
        icon: Name of an icon.
        example: A YAML blueprint that uses the node and runs.
        plain: Promise that the function neither changes nor keeps what it is given and returns
            new JSON values, so that the engine need not copy either.
        deprecated: What to use instead, such as ``use text.shout@2``; blueprints that use this one
            still run, and ``atomiton validate`` says so.

    Returns:
        The function, callable as before, with its node type as ``.type``.

    Example:
        >>> @node("text.shout", effect="pure")
        ... async def shout(text: str) -> str:
        ...     return text.upper()
        >>> shout.type.parameters[0].schema
        {'type': 'string'}
    """
    if callable(name):
        return node()(name)

    def decorate(function: Callable[..., object]) -> NodeFunction[..., object]:
        full = name or _default_name(function)
        if effect not in ("pure", "idempotent", "once"):
            raise TypeError(f"node {full!r}: effect must be pure, idempotent or once")
        if runtime not in (None, "inline", "thread", "process"):
            raise TypeError(f"node {full!r}: runtime must be inline, thread or process")
        if retry is not None and not isinstance(cast("object", retry), Retry):
            raise TypeError(
                f"node {full!r}: retry is given as Retry(attempts=3), not as {retry!r:.60}"
            )
        base = describe(function, full, effect, plain=plain)
        type_ = msgspec.structs.replace(
            base,
            runtime=runtime or base.runtime,
            retry=retry,
            timeout=_bound(timeout, full),
            version=version,
            title=title or base.title,
            icon=icon,
            example=inspect.cleandoc(example) + "\n" if example else "",
            deprecated=deprecated,
        )
        if type_.is_async:
            return AsyncNodeFunction(function, type_, Policies())
        return PlainNodeFunction(function, type_, Policies())

    return decorate


def describe(
    function: Callable[..., object], name: str, effect: Effect, *, plain: bool
) -> NodeType:
    """Read everything about a node type that its function says by itself."""
    _refuse(function, name)
    signature = read_signature(function, name)
    is_async = inspect.iscoroutinefunction(function)
    if effect == "pure":
        worldly = [door for door in signature.capabilities.values() if door in WORLDLY]
        if worldly:
            raise TypeError(
                f"node {name!r} is pure, but asks for {', '.join(worldly)}: "
                "declare effect='idempotent' or effect='once'"
            )
    last = name.rpartition(".")[2].replace("_", " ")
    doc = inspect.getdoc(function) or ""
    return NodeType(
        name=name,
        function=function,
        renamed=signature.renamed,
        is_async=is_async,
        effect=effect,
        runtime="inline" if is_async else "thread",
        parameters=signature.parameters,
        capabilities=signature.capabilities,
        result=signature.result,
        plain_result=plain,
        plain_parameters=plain or all(map(_immutable, signature.parameters)),
        title=last[:1].upper() + last[1:],
        description=first_paragraph(doc),
        details=text_of(doc) if "\n\n" in text_of(doc) else "",
        category=name.partition(".")[0] if "." in name else "",
        source=f"{function.__module__}:{function.__qualname__}",
    )


def _refuse(function: Callable[..., object], name: str) -> None:
    """Refuse what is no plain or async function, with the reason."""
    if not _NAME.fullmatch(name):
        raise TypeError(f"{name!r} is not a name of a node type, such as text.shout")
    if isinstance(function, NodeFunction):
        raise TypeError(f"node {name!r}: the function already is a node")
    if inspect.isclass(function) or not inspect.isroutine(function):
        raise TypeError(f"node {name!r}: only a function can be a node")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"node {name!r}: a node returns one result; it cannot yield")


def _default_name(function: Callable[..., object]) -> str:
    """``module.function``; a script's module is the file's name, as if it were imported."""
    module = function.__module__
    if module == "__main__":
        module = str(function.__globals__.get("__file__", module)).replace("\\", "/")
        module = module.rpartition("/")[2].removesuffix(".py")
    return f"{module.rpartition('.')[2]}.{function.__name__}"


def _bound(timeout: float | str | None, name: str) -> float | None:
    if timeout is None:
        return None
    try:
        return parse_duration(timeout)
    except ValueError as error:
        raise TypeError(f"node {name!r}: timeout: {error}") from None


def _immutable(parameter: Parameter) -> bool:
    """Whether values of a parameter cannot be changed by the function."""
    return parameter.schema.get("type") in ("string", "integer", "number", "boolean", "null")
