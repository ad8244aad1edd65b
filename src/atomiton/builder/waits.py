"""Waiting: for a time, a moment, a signal, or a person."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar, cast, overload

import msgspec

from atomiton.blueprint.model import Json
from atomiton.builder.inputs import property_of
from atomiton.builder.literals import as_condition, as_document
from atomiton.builder.places import wrong
from atomiton.builder.scopes import Scope, current
from atomiton.builder.tracer import Tracer
from atomiton.nodes.recording import Policies

T = TypeVar("T")


class Approval(msgspec.Struct, frozen=True):
    """What a person answered.

    Attributes:
        approved: Whether they agreed. A refusal is an answer too, not an error.
        by: Who it was.
        at: When, in ISO 8601.
        comment: What they said.
        fields: What they filled in.
    """

    approved: bool
    by: str
    at: str
    comment: str
    fields: dict[str, Any]


@overload
def wait_for(
    seconds: float | str | datetime.timedelta,
    /,
    *,
    id: str | None = None,
    needs: Sequence[object] | None = None,
) -> None: ...
@overload
def wait_for(
    *,
    until: str | datetime.datetime,
    id: str | None = None,
    needs: Sequence[object] | None = None,
) -> None: ...
@overload
def wait_for(
    *,
    signal: str,
    payload: type[T],
    match: Callable[[T], bool] | None = None,
    timeout: float | str | None = None,
    id: str | None = None,
    needs: Sequence[object] | None = None,
) -> T: ...
@overload
def wait_for(
    *,
    signal: str,
    match: Callable[[Any], bool] | None = None,
    timeout: float | str | None = None,
    id: str | None = None,
    needs: Sequence[object] | None = None,
) -> Any: ...  # noqa: ANN401 - nothing knows its type
def wait_for(
    seconds: float | str | datetime.timedelta | None = None,
    /,
    *,
    until: str | datetime.datetime | None = None,
    signal: str | None = None,
    payload: object = None,
    match: Callable[[Any], bool] | None = None,
    timeout: float | str | None = None,
    id: str | None = None,  # noqa: A002 - the key of the format
    needs: Sequence[object] | None = None,
) -> object:
    """Wait for a time, a moment or a signal; exactly one of them is given.

    Args:
        seconds: How long: seconds, text such as ``10s``, or a value that gives one of them.
        until: The moment: a date-time, its text, or a value that gives one.
        signal: Name of the signal; one that came early counts.
        payload: Type of what the signal carries, for type checkers.
        match: Condition on the payload; signals that do not fit are not taken.
        timeout: After which waiting for a signal fails.
        id: Id of the node.
        needs: Results of nodes that come first.

    Returns:
        Something that ``needs`` of other nodes can name; of a signal its payload.
    """
    del payload  # only type checkers look at it
    if (seconds is None) + (until is None) + (signal is None) != 2:
        raise wrong("wait_for() takes exactly one of a time, until= and signal=")
    if signal is None and (match is not None or timeout is not None):
        raise wrong("match and timeout belong to a signal")
    trace = current()
    if not isinstance(trace, Tracer):
        return None if signal is None else _cannot_wait("a signal")
    wait: dict[str, Json] = {}
    with trace.collect() as roots:
        if seconds is not None:
            wait["for"] = as_document(seconds)
        elif until is not None:
            wait["until"] = _moment(until)
        else:
            wait["signal"] = signal
        if match is not None:
            scope = Scope("the function given as match", frozenset({"payload"}))
            with trace.inside(scope):
                wait["match"] = as_condition(match(*trace.arguments(match, scope, ["payload"])))
    if timeout is not None:
        wait["timeout"] = timeout
    roots = {root for root in roots if root.name != "payload"}
    return trace.node({"wait": wait}, roots, Policies(id=id, needs=needs), signal or "wait")


def _moment(until: str | datetime.datetime) -> str:
    """An expression that gives the moment."""
    if type(until) is str:
        try:
            return as_condition(datetime.datetime.fromisoformat(until))
        except ValueError:
            pass  # it is an expression already
    return as_condition(until)


def approval(
    title: str,
    /,
    *,
    description: str | None = None,
    fields: Mapping[str, object] | None = None,
    timeout: float | str | None = None,
    id: str | None = None,  # noqa: A002 - the key of the format
    needs: Sequence[object] | None = None,
) -> Approval:
    """Ask a person.

    Args:
        title: What is asked.
        description: More about it.
        fields: What can be filled in: name to type, such as ``{"amount": float}``.
        timeout: After which the node fails.
        id: Id of the node.
        needs: Results of nodes that come first.

    Returns:
        The answer.
    """
    trace = current()
    if not isinstance(trace, Tracer):
        _cannot_wait("a person")
    asked: dict[str, Json] = {}
    with trace.collect() as roots:
        asked["title"] = as_document(title)
        if description is not None:
            asked["description"] = as_document(description)
    if fields:
        asked["fields"] = {name: property_of(type_) for name, type_ in fields.items()}
    wait: dict[str, Json] = {"approval": asked}
    if timeout is not None:
        wait["timeout"] = timeout
    node = trace.node({"wait": wait}, roots, Policies(id=id, needs=needs), "approval")
    return cast("Approval", node)


def _cannot_wait(what: str) -> NoReturn:
    raise wrong(f"as ordinary Python there is nobody to wait for {what}", "test with a conductor")
