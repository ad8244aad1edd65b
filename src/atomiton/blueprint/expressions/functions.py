"""The functions an expression may call: a closed table, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from atomiton.blueprint.expressions import (
    conversions,
    list_functions,
    text_functions,
    time_functions,
)
from atomiton.blueprint.expressions.conversions import Run
from atomiton.blueprint.expressions.limits import Failure, Frame, charge_items
from atomiton.blueprint.expressions.pattern import matches
from atomiton.blueprint.expressions.values import (
    ABSENT,
    Maybe,
    as_list,
    as_map,
    finite,
    is_list,
    is_map,
    is_plain,
    type_name,
)


class Function(msgspec.Struct, frozen=True):
    """A function: how it is run and called.

    Attributes:
        run: Takes the arguments (the target of a method first), the place, and the meter.
        least: Fewest arguments, the target included.
        most: Most arguments, the target included.
        method: Called on a target; None when both ways are right.
        metered: Can do much more work than its text and its arguments suggest.
    """

    run: Run
    least: int
    most: int
    method: bool | None
    metered: bool = False


def _size(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    value = arguments[0]
    if is_list(value):
        return len(as_list(value))
    if is_map(value):
        return len(as_map(value))
    if type(value) is str or type(value) is bytes:
        return len(value)
    raise Failure(at, lambda: f"size() does not take a {type_name(value)}")


def _type(arguments: list[object], at: int, meter: Frame | None) -> object:
    del at, meter
    return type_name(arguments[0])


def _dyn(arguments: list[object], at: int, meter: Frame | None) -> object:
    del at, meter
    return arguments[0]


# Optional values.


def is_present(value: object, at: int) -> bool:
    """Whether the value of a ``?`` item or entry is there.

    Raises:
        Failure: It is no optional value.
    """
    return _maybe(value, at).present


def _maybe(value: object, at: int) -> Maybe:
    if type(value) is Maybe:
        return value
    raise Failure(at, lambda: f"an optional value is needed, not a {type_name(value)}")


def _of(arguments: list[object], at: int, meter: Frame | None) -> object:
    del at, meter
    value = arguments[0]
    return value if type(value) is Maybe else Maybe(present=True, value=value)


def _of_non_zero(arguments: list[object], at: int, meter: Frame | None) -> object:
    value = arguments[0]
    # Only of a plain value may be asked whether it is zero: anything else could run code.
    return ABSENT if is_plain(value) and not value else _of([value], at, meter)


def _none(arguments: list[object], at: int, meter: Frame | None) -> object:
    del arguments, at, meter
    return ABSENT


def _has_value(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    return _maybe(arguments[0], at).present


def _value(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    found = _maybe(arguments[0], at)
    if not found.present:
        raise Failure(at, "the optional value is absent")
    return found.value


def _or(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    found = _maybe(arguments[0], at)
    return found if found.present else _maybe(arguments[1], at)


def _or_value(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    found = _maybe(arguments[0], at)
    return found.value if found.present else arguments[1]


# Numbers.


def _number(value: object, at: int, name: str) -> int | float:
    if type(value) is int or type(value) is float:
        return value
    raise Failure(at, lambda: f"{name} takes numbers, not a {type_name(value)}")


def _extreme(name: str, pick: Callable[[list[int | float]], int | float]) -> Run:
    def run(arguments: list[object], at: int, meter: Frame | None) -> object:
        found = arguments
        if len(found) == 1 and is_list(found[0]):
            found = as_list(found[0])
        charge_items(meter, len(found), at)
        if not found:
            raise Failure(at, f"{name} of no numbers")
        return pick([_number(value, at, name) for value in found])

    return run


def _abs(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    return conversions.in_range(abs(_number(arguments[0], at, "math.abs")), at)


def _sign(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    value = _number(arguments[0], at, "math.sign")
    return type(value)((value > 0) - (value < 0))


def _rounding(name: str, how: Callable[[float], int]) -> Run:
    def run(arguments: list[object], at: int, meter: Frame | None) -> object:
        del meter
        value = _number(arguments[0], at, name)
        if type(value) is int:
            return value
        return float(how(finite(value, at)))

    return run


def _floor(value: float) -> int:
    return int(value // 1)


def _ceil(value: float) -> int:
    return int(-(-value // 1))


def _round(value: float) -> int:
    """Halves go away from zero, as in CEL."""
    whole = int(value)
    if abs(value - whole) >= 0.5:
        whole += 1 if value > 0 else -1
    return whole


FUNCTIONS: Final[Mapping[str, Function]] = {
    "size": Function(_size, 1, 1, None),
    "type": Function(_type, 1, 1, False),
    "matches": Function(matches, 2, 2, None, metered=True),
    "dyn": Function(_dyn, 1, 1, False),
    "optional.of": Function(_of, 1, 1, False),
    "optional.ofNonZeroValue": Function(_of_non_zero, 1, 1, False),
    "optional.none": Function(_none, 0, 0, False),
    "hasValue": Function(_has_value, 1, 1, True),
    "value": Function(_value, 1, 1, True),
    "or": Function(_or, 2, 2, True),
    "orValue": Function(_or_value, 2, 2, True),
    "math.greatest": Function(_extreme("math.greatest", max), 1, 64, False),
    "math.least": Function(_extreme("math.least", min), 1, 64, False),
    "math.abs": Function(_abs, 1, 1, False),
    "math.sign": Function(_sign, 1, 1, False),
    "math.ceil": Function(_rounding("math.ceil", _ceil), 1, 1, False),
    "math.floor": Function(_rounding("math.floor", _floor), 1, 1, False),
    "math.round": Function(_rounding("math.round", _round), 1, 1, False),
    "math.trunc": Function(_rounding("math.trunc", int), 1, 1, False),
    **{
        name: Function(run, least, most, method, metered)
        for table in (
            conversions.TABLE,
            text_functions.TABLE,
            list_functions.TABLE,
            time_functions.TABLE,
        )
        for name, (run, least, most, method, metered) in table.items()
    },
}
_SPACES: Final = frozenset(name.split(".")[0] for name in FUNCTIONS if "." in name)


#: Calls that cost as much as so many plain parts; most count as four.
_WEIGHTS: Final = {"duration": 64, "timestamp": 16, "matches": 16, "base64.decode": 8}


def weight(name: str) -> int:
    """How many plain parts a call of this function is worth, as a measure of its work."""
    return _WEIGHTS.get(name, 16 if name.startswith("get") else 4)


def is_space(name: str) -> bool:
    """Whether functions stand under this name, as ``math`` does."""
    return name in _SPACES


def check(name: str, count: int, *, method: bool) -> str | None:
    """What is wrong with calling ``name`` so, or None."""
    function = FUNCTIONS.get(name)
    if function is None:
        from atomiton.blueprint.expressions.access import nearest

        known = (other for other, found in FUNCTIONS.items() if found.method is not (not method))
        return f"no function '{name}'{nearest(name, known)}"
    if function.method is not None and function.method is not method:
        right = "value." if function.method else ""
        return f"'{name}' is called as {right}{name}(...)"
    if not function.least <= count <= function.most:
        own = 1 if method else 0
        least, most = function.least - own, function.most - own
        wanted = str(least) if least == most else f"{least} to {most}"
        return f"'{name}' takes {wanted} arguments, not {count - own}"
    return None
