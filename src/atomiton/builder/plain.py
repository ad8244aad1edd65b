"""Running the function of a blueprint as ordinary Python, without the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar, cast

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
