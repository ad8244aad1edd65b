"""What states of Amazon States Language do about errors: 'Retry' and 'Catch'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from atomiton.interop.data import listing, mapping, text, whole
from atomiton.interop.draft import Node, code_of
from atomiton.interop.expressions.cel import braced, literal, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.report import Entry
from atomiton.interop.steps import Catch

_OURS: Final = {
    "States.Timeout": "TIMEOUT",
    "States.HeartbeatTimeout": "TIMEOUT",
    "States.Runtime": "EXPRESSION_ERROR",
    "States.ParameterPathFailure": "EXPRESSION_ERROR",
    "States.ResultPathMatchFailure": "EXPRESSION_ERROR",
    "States.IntrinsicFailure": "EXPRESSION_ERROR",
    "States.QueryEvaluationError": "EXPRESSION_ERROR",
    "States.Permissions": "AUTHENTICATION",
}
_LONGEST = 100 * 365 * 86400


def names_in(machine: object) -> dict[str, str]:
    """The names of errors that a state machine itself raises, by their codes here."""
    found = {"TIMEOUT": "States.Timeout", "EXPRESSION_ERROR": "States.Runtime"}
    left = [machine]
    while left:
        one = left.pop()
        said = mapping(one)
        if said.get("Type") == "Fail" and text(said.get("Error")):
            found[code_of(text(said["Error"]))] = text(said["Error"])
        left += [*said.values(), *listing(one)]
    return found


def codes(names: object) -> list[str] | None:
    """The codes of errors that are named; None stands for all."""
    found: list[str] = []
    for name in listing(names):
        if name in ("States.ALL", "States.TaskFailed"):
            return None
        found.append(_OURS.get(text(name)) or code_of(text(name)))
    return list(dict.fromkeys(found))


def retry(said: object, entry: Entry) -> Node | None:
    """The retry of a state, of its first retrier; others become notes."""
    retriers = [mapping(one) for one in listing(said)]
    wanted = [one for one in retriers if whole(one.get("MaxAttempts"), 3) != 0]
    never = [one for one in retriers if one not in wanted]
    if not wanted:
        return None
    first = wanted[0]
    if any({**one, "ErrorEquals": 0} != {**first, "ErrorEquals": 0} for one in wanted[1:]):
        entry.differs("of several retriers that differ only the first is kept")
        wanted = [first]
    attempts = whole(first.get("MaxAttempts"), 3) or 3
    delay = first.get("IntervalSeconds", 1)
    factor = first.get("BackoffRate", 2.0)
    if not isinstance(delay, int | float) or not isinstance(factor, int | float):
        raise Untranslatable("a retrier has an interval or a rate that is no number")
    made: Node = {"attempts": min(attempts, 10**6) + 1, "delay": max(0, delay)}
    made["factor"] = min(1000, max(1, factor))
    made["max_delay"] = _longest(first.get("MaxDelaySeconds"), delay, factor, attempts)
    made["jitter"] = 1 if first.get("JitterStrategy") == "FULL" else 0
    on = [codes(one.get("ErrorEquals")) for one in wanted]
    if all(one is not None for one in on):
        made["on"] = list(dict.fromkeys(code for one in on for code in one or []))
    else:
        entry.differs("errors that cannot get better, such as a wrong input, are not tried again")
    refused = [code for one in never for code in codes(one.get("ErrorEquals")) or []]
    if refused:
        made["not_on"] = refused
    return made


def _longest(said: object, delay: float, factor: float, attempts: int) -> object:
    if isinstance(said, int | float) and said > 0:
        return said
    try:
        return min(_LONGEST, max(1, delay * factor**attempts))
    except OverflowError:
        return _LONGEST


def catches(
    state: Mapping[str, object],
    target: Callable[[object], str],
    names: Mapping[str, str],
    *,
    jsonata: bool,
    entry: Entry,
) -> list[Catch]:
    """The ways on of a state that failed."""
    found: list[Catch] = []
    for one in listing(state.get("Catch")):
        catcher = mapping(one)
        if "States.ALL" in listing(catcher.get("ErrorEquals")) and not jsonata:
            entry.differs(
                "'States.ALL' also catches errors of paths and data ('States.Runtime'), which end "
                "an execution there"
            )
        found.append(
            Catch(
                _condition(catcher.get("ErrorEquals")),
                target(catcher.get("Next")),
                _data(catcher, names, jsonata=jsonata),
            )
        )
    return found


def _condition(names: object) -> Callable[[str], str] | None:
    known = listing(names)
    if "States.ALL" in known:
        return None
    if "States.TaskFailed" in known:
        return lambda error: f'{error}.code != "TIMEOUT"'
    wanted = codes(names) or []
    return lambda error: f"{error}.code in [{', '.join(map(quoted, wanted))}]"


def _data(
    catcher: dict[str, object], names: Mapping[str, str], *, jsonata: bool
) -> Callable[[str, str], str | Node]:
    def data(value: str, error: str) -> str | Node:
        known = literal(dict(names)).text
        name = f"{known}[?{error}.code].orValue({error}.code)"
        caught = f'{{"Error": {name}, "Cause": {error}.message}}'
        if jsonata:
            if "Output" in catcher or "Assign" in catcher:
                raise Untranslatable("a catcher with 'Output' or 'Assign'")
            return caught
        where = catcher.get("ResultPath", "$")
        if where == "$":
            return caught
        if where is None:
            return value
        path = text(where)
        if not path.startswith("$.") or "." in path[2:] or "[" in path:
            raise Untranslatable(f"an error cannot be put at {path!r}")
        return {
            "uses": "data.edit",
            "with": {"data": braced(value), "values": {path[2:]: braced(caught)}},
        }

    return data
