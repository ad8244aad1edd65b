"""What stands in for a node or an answer: values, functions, errors, and several in turn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from atomiton.errors import AtomitonError, NodeError

__all__ = ["REAL", "InTurn", "call_fitting", "fails", "in_turn"]


class _Real:
    """The one ``REAL``."""

    def __repr__(self) -> str:
        return "REAL"


REAL: Final = _Real()
"""As one of several results: let the real node run this time."""


class InTurn:
    """Several results, one for each attempt; the last one stays.

    Attributes:
        results: Values, functions, errors, or ``REAL``.
    """

    def __init__(self, results: Sequence[object]) -> None:
        if not results:
            raise TypeError("in_turn() needs at least one result")
        self.results = tuple(results)

    def __repr__(self) -> str:
        """Show the results."""
        return f"in_turn({', '.join(map(repr, self.results))})"

    def at(self, place: int) -> object:
        """The result of the attempt at a place, from 0."""
        return self.results[min(place, len(self.results) - 1)]


def in_turn(*results: object) -> InTurn:
    """Give one result after the other, one for each attempt; the last one stays.

    Args:
        results: Values, functions of the inputs, errors to raise, or ``REAL``.

    Example:
        >>> from atomiton.errors import NodeError
        >>> in_turn(NodeError("down"), {"rate": 2})
        in_turn(NodeError('down'), {'rate': 2})
    """
    return InTurn(results)


def fails(
    message: str = "as the test wants it",
    *,
    code: str = "NODE_FAILED",
    times: int | None = None,
    then: object = REAL,
    retryable: bool | None = None,
    details: Mapping[str, object] | None = None,
) -> object:
    """Fail, always or a number of times.

    Args:
        message: What the error says.
        code: Its code.
        times: How many attempts fail; None for all.
        then: What the attempts after those give; by default the real node runs.
        retryable: Whether trying again may help; by default decided by the code.
        details: Anything else, as plain data.

    Returns:
        Something for ``replace``.
    """
    error = NodeError(message, code=code, retryable=retryable, details=details)
    if times is None:
        return error
    return InTurn([*[error] * times, then])


def call_fitting(function: Callable[..., object], given: Mapping[str, object], what: str) -> object:
    """Call a function with those of some named values that it takes.

    Args:
        function: Called by name; one with ``**rest`` is given all.
        given: Values by name.
        what: What the function is for, for the error.

    Returns:
        What it gives; an awaitable, if it is asynchronous.

    Raises:
        AtomitonError: It wants a value that is not given.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # written in C, and does not say
        return function(**given)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return function(**given)
    chosen: dict[str, object] = {}
    for parameter in parameters:
        if parameter.name in given and parameter.kind is not parameter.POSITIONAL_ONLY:
            chosen[parameter.name] = given[parameter.name]
        elif (
            parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
        ):
            names = ", ".join(given) or "nothing"
            message = f"{what} wants {parameter.name!r}, but is given {names}"
            raise AtomitonError(message, code="INVALID_INPUT")
    return function(**chosen)


def is_error(result: object) -> bool:
    """Whether a result is to be raised: an error, or a class of errors."""
    return isinstance(result, BaseException) or (
        isinstance(result, type) and issubclass(result, BaseException)
    )


def raised(result: object) -> BaseException:
    """The error that stands for a result, new each time so that no traceback grows."""
    if isinstance(result, NodeError):
        again = NodeError(
            result.message, code=result.code, retryable=result.retryable, details=result.details
        )
        return again if type(result) is NodeError else result
    if isinstance(result, BaseException):
        return result
    return cast("type[BaseException]", result)()
