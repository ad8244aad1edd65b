"""What the end of a function means, whatever it ran in."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Protocol

from atomiton.errors import NodeError
from atomiton.ports.runtime import Done


class CancelFlag(Protocol):
    """Anything that knows whether the running job was asked to stop."""

    cancelled: bool


CURRENT: ContextVar[CancelFlag | None] = ContextVar("atomiton_current_job", default=None)


def cancel_requested() -> bool:
    """Whether the function that runs now was asked to stop.

    For functions that hold off interruption, such as loops around calls into C.

    Example:
        >>> cancel_requested()
        False
    """
    job = CURRENT.get()
    return job is not None and job.cancelled


def checked_result(result: object) -> object:
    """Return a result that is a value, not work that is still to be done.

    Raises:
        NodeError: If it is a coroutine, a generator or anything else to be awaited.

    Example:
        >>> checked_result(3)
        3
    """
    kind = type(result)
    if kind is dict or kind is str or kind is list:  # by far the most frequent
        return result
    if isinstance(result, (GeneratorType, AsyncGeneratorType)):
        raise NodeError(
            "the function returned a generator: return a list instead",
            code="NOT_SUPPORTED",
        )
    if hasattr(kind, "__await__"):
        if isinstance(result, CoroutineType):
            result.close()  # else Python warns that nobody awaited it
        raise NodeError(
            "the function returned something to be awaited: declare it `async def` and "
            "run it inline",
            code="NOT_SUPPORTED",
        )
    return result


def as_error(error: BaseException) -> Exception:
    """Return the error to report: exceptions as they are, attempts to leave as ``NodeError``.

    Raising ``SystemExit`` or ``KeyboardInterrupt`` again on the event loop would end the engine.

    Example:
        >>> as_error(SystemExit(2))
        NodeError('SystemExit: 2')
    """
    if isinstance(error, Exception):
        return error
    name = type(error).__name__
    text = str(error)
    failure = NodeError(f"{name}: {text}" if text else name, details={"type": name})
    failure.__cause__ = error
    return failure


def call(
    loop: asyncio.AbstractEventLoop | None,
    done: Done,
    result: object,
    error: BaseException | None,
) -> None:
    """Call ``done``; what it raises is the loop's to show, and stops nobody else."""
    try:
        done(result, error)
    except Exception as failure:  # one bad callback must not lose the outcomes of others
        if loop is not None:
            loop.call_exception_handler({"message": "done() failed", "exception": failure})
