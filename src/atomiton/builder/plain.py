"""Running the function of a blueprint as ordinary Python, without the engine."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar, cast

from atomiton.builder.evaluating import function_of
from atomiton.builder.tracer import ITEM_NAMES, chosen_names, port_name
from atomiton.nodes.recording import RECORDER
from atomiton.nodes.spec import NodeFunction

T = TypeVar("T")


class Plain:
    """Calls node functions at once; those that are async are run to their end.

    ``if_`` and ``enabled`` are heeded, as they decide about data. Retries, bounds on time and
    compensation are the engine's business, and an error is raised as any other.
    """

    def call(
        self,
        node: NodeFunction[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> object:
        """Call the function of a node."""
        if node.policies.if_ is False or node.policies.enabled is False:
            return None
        token = RECORDER.set(None)  # what the function itself calls is no business of ours
        try:
            args, kwargs = _with_functions(node, args, kwargs)
            result = node.function(*args, **kwargs)
            return finished(result) if asyncio.iscoroutine(result) else result
        finally:
            RECORDER.reset(token)


PLAIN = Plain()


@contextmanager
def plainly() -> Generator[None, None, None]:
    """Call node functions at once meanwhile."""
    token = RECORDER.set(PLAIN)
    try:
        yield
    finally:
        RECORDER.reset(token)


def plain_call(function: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Call a user's function in which node functions are called at once."""
    with plainly():
        return function(*args, **kwargs)


def _with_functions(
    node: NodeFunction[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]
) -> tuple[tuple[object, ...], Mapping[str, object]]:
    """The arguments, with functions for those that the node takes expressions for."""
    expressions = {port.name for port in node.type.parameters if port.expression}
    if not expressions:
        return args, kwargs
    bound = inspect.signature(node.function).bind_partial(*args, **kwargs)
    for name, value in bound.arguments.items():
        if port_name(name) in expressions and value is not None:
            bound.arguments[name] = _function(value)
    return bound.args, bound.kwargs


def _function(value: object) -> Callable[..., object]:
    """A function of the item, its number and the value so far, as a node calls one."""
    if isinstance(value, str):
        return function_of(value)
    if not callable(value):
        return lambda *_: value
    chosen = chosen_names(value, ITEM_NAMES)

    def call(item: object, index: int = 0, acc: object = None) -> object:
        values: dict[str, object] = {"item": item, "index": index, "acc": acc}
        return plain_call(value, *(values[one] for one in chosen))

    return call


def finished(work: Coroutine[Any, Any, object]) -> object:
    """The result of a coroutine, also where an event loop runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    # This loop cannot go on before we return, so the work gets one of its own.
    ended: list[object] = []

    def run() -> None:
        try:
            ended.append(asyncio.run(work))
        except BaseException as error:  # handed over to the thread that waits
            ended.extend((None, error))

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if len(ended) == 2:
        raise cast("BaseException", ended[1])
    return ended[0]
