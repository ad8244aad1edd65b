"""A node type: a typed function, described.

``@node`` reads a function's signature: its parameters are the input ports, the fields of its
result the output ports. A parameter whose annotation is a capability (``ports.capabilities``) is
injected and is no port; one annotated ``Lambda`` takes a bare expression over ``item``, ``index``
and ``acc``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Literal, ParamSpec, Protocol, TypeVar, overload

import msgspec

from atomiton.blueprint.model import Retry

Effect = Literal["pure", "idempotent", "once"]
RuntimeName = Literal["inline", "thread", "process"]
P = ParamSpec("P")
R = TypeVar("R")


class Lambda(Protocol):
    """An expression given as a parameter: called with the item, its index and the accumulator."""

    def __call__(self, item: object, index: int = 0, acc: object = None) -> object:
        """Evaluate; raises ``ExpressionError``."""
        ...


class Parameter(msgspec.Struct, frozen=True):
    """One input port.

    Attributes:
        name: Name of the port.
        schema: JSON Schema of its values; ``{}`` for anything.
        required: Whether it must be given.
        default: JSON value used when it is not given.
        expression: Whether the document holds a bare expression here (``Lambda``).
        annotation: The Python type to convert to; None when JSON values are passed as they are.
        variadic: Whether this parameter collects every other name (``**kwargs``).
        description: One line for people.
    """

    name: str
    schema: dict[str, object]
    required: bool = True
    default: object = None
    expression: bool = False
    annotation: object = None
    variadic: bool = False
    description: str = ""


class NodeType(msgspec.Struct, frozen=True, kw_only=True):
    """A node type: a function with everything the engine and people need to know of it.

    Attributes:
        name: Dotted name, such as ``file.read``.
        function: What runs; async, or plain.
        is_async: Whether ``function`` is a coroutine function.
        effect: ``pure`` (same inputs, same result), ``idempotent`` (may be repeated under its
            key) or ``once`` (must not be repeated unasked).
        runtime: Where it runs: ``inline`` on the event loop, ``thread`` or ``process``.
        parameters: Input ports in order.
        capabilities: Parameter name to capability name (``http``, ``files``, ...).
        result: JSON Schema of the result; its ``properties`` are the output ports.
        plain_result: Whether results already are fresh JSON values that nobody else holds.
        plain_parameters: Whether parameters can be passed without copies: never mutated, kept.
        version: Major version, as in ``uses: type@1``.
    """

    name: str
    function: Callable[..., object]
    is_async: bool
    effect: Effect = "idempotent"
    runtime: RuntimeName = "thread"
    parameters: tuple[Parameter, ...] = ()
    capabilities: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    result: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    plain_result: bool = False
    plain_parameters: bool = False
    version: int = 1
    title: str = ""
    description: str = ""
    category: str = ""
    icon: str = ""
    example: str = ""
    retry: Retry | None = None
    timeout: float | None = None
    source: str = ""


class NodeFunction(Generic[P, R]):
    """A function that is also a node type; calling it calls the function."""

    def __init__(self, function: Callable[P, R], type_: NodeType) -> None:
        self.function = function
        self.type = type_
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.__name__ = getattr(function, "__name__", type_.name)
        self.__module__ = function.__module__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function as ordinary Python."""
        return self.function(*args, **kwargs)


@overload
def node(name: Callable[P, R], /) -> NodeFunction[P, R]: ...
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
) -> Callable[[Callable[P, R]], NodeFunction[P, R]]: ...
def node(
    name: str | None | Callable[P, R] = None,
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
) -> NodeFunction[P, R] | Callable[[Callable[P, R]], NodeFunction[P, R]]:
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

    Returns:
        The function, callable as before, with its node type as ``.type``.

    Example:
        >>> @node("text.shout", effect="pure")
        ... async def shout(text: str) -> str:
        ...     return text.upper()
        >>> shout.type.parameters[0].schema
        {'type': 'string'}
    """
    raise NotImplementedError
