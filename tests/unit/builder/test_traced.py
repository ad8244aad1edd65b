"""Traced values: what becomes an expression, and what fails at once."""

from __future__ import annotations

import copy
import datetime
import os
from collections.abc import Callable

import pytest
from tests.unit.builder.making import Order, computed, convert, nodes, note

from atomiton.builder import blueprint, contains, each, expression, is_null, size
from atomiton.errors import TracingError
from atomiton.nodes.data import value as as_it_is


@pytest.mark.parametrize(
    ("function", "source"),
    [
        (lambda x: x, "inputs.x"),
        (lambda x: x.total, "inputs.x.total"),
        (lambda x: x["total"], "inputs.x.total"),
        (lambda x: x["a-b"], "inputs.x['a-b']"),
        (lambda x: x["it's"], 'inputs.x["it\'s"]'),
        (lambda x: x["_part"], "inputs.x._part"),
        (lambda x: x[0].a, "inputs.x[0].a"),
        (lambda x: x[-1], "inputs.x[size(inputs.x) - 1]"),
        (lambda x: x[x.i], "inputs.x[inputs.x.i]"),
        (lambda x: x.total > 5, "inputs.x.total > 5"),
        (lambda x: x > 5, "inputs.x > 5"),
        (lambda x: is_null(x.a), "inputs.x.a == null"),
        (lambda x: x == None, "inputs.x == null"),  # noqa: E711
        (lambda x: x != "a", "inputs.x != 'a'"),
        (lambda x: x == True, "inputs.x == true"),  # noqa: E712
        (lambda x: (x > 1) & (x < 5), "inputs.x > 1 && inputs.x < 5"),
        (lambda x: (x > 1) | True, "inputs.x > 1 || true"),
        (lambda x: ~((x > 1) | (x < 0)), "!(inputs.x > 1 || inputs.x < 0)"),
        (lambda x: ((x > 1) | (x < 0)) & x, "(inputs.x > 1 || inputs.x < 0) && inputs.x"),
        (lambda x: (x > 1) == (x < 2), "(inputs.x > 1) == (inputs.x < 2)"),
        (lambda x: x + 1 - 2, "inputs.x + 1 - 2"),
        (lambda x: x - (x - 1), "inputs.x - (inputs.x - 1)"),
        (lambda x: (x + 1) * 2, "(inputs.x + 1) * 2"),
        (lambda x: 2 * (3 - x), "2 * (3 - inputs.x)"),
        (lambda x: -x + -1, "-inputs.x + -1"),
        (lambda x: -(x + 1), "-(inputs.x + 1)"),
        (lambda x: abs(x), "math.abs(inputs.x)"),
        (lambda x: x / 2, "double(inputs.x) / 2"),
        (lambda x: 1 / x, "double(1) / inputs.x"),
        (lambda x: x / "a.csv", "inputs.x + '/a.csv'"),
        (lambda x: "a" + x, "'a' + inputs.x"),
        (lambda x: x + [1, x, {"a": x}], "inputs.x + [1, inputs.x, {'a': inputs.x}]"),  # noqa: RUF005
        (lambda x: x.startswith("a"), "inputs.x.startsWith('a')"),
        (lambda x: x.name.strip(), "inputs.x.name.trim()"),
        (lambda x: x.split(","), "inputs.x.split(',')"),
        (lambda x: x.size(), "inputs.x.size()"),
        (lambda x: x.get("a"), "inputs.x[?'a'].orValue(null)"),
        (lambda x: x.get("a", x.b), "inputs.x[?'a'].orValue(inputs.x.b)"),
        (lambda x: (x + 1).get, "(inputs.x + 1).get"),
        (lambda x: size(x.a), "size(inputs.x.a)"),
        (lambda x: contains(x, "a"), "'a' in inputs.x"),
        (lambda x: contains(["a", "b"], x), "inputs.x in ['a', 'b']"),
        (lambda x: expression("{}.filter(o, o > {})", x, 5), "inputs.x.filter(o, o > 5)"),
        (lambda x: expression("{} + 1", x) * 2, "(inputs.x + 1) * 2"),
        (
            lambda x: x > datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC),
            "inputs.x > timestamp('2030-01-01T00:00:00Z')",
        ),
        (lambda x: x < datetime.timedelta(minutes=90), "inputs.x < duration('1h30m')"),
        (lambda x: x == "a\n\x7f", 'inputs.x == "a\\n\\u007f"'),
        (lambda x: x == f"a{x}b", "inputs.x == 'a' + string(inputs.x) + 'b'"),
        (lambda x: x == -(2**63), "inputs.x == -9223372036854775808"),
        (lambda x: x == 1.5e300, "inputs.x == 1.5e+300"),
    ],
)
def test_what_python_writes_becomes_an_expression(function, source) -> None:
    assert computed(function) == source


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: 1 if x else 2, "branch(condition, then=..., otherwise=...)"),
        (lambda x: x and 1, "& | ~"),
        (lambda x: not x, "& | ~"),
        (lambda x: 1 < x < 5, "'a < b < c'"),
        (lambda x: [y + 1 for y in x], "each(items, node)"),
        (lambda x: list(reversed(x)), "each(items, node)"),
        (lambda x: sorted(x), "each(items, node)"),
        (lambda x: next(x), "each(items, node)"),
        (lambda x: len(x), "size(value)"),
        (lambda x: "a" in x, "contains(value, item)"),
        (lambda x: x in ["a", "b"], "branch("),
        (lambda x: int(x), "expression('int({})', value)"),
        (lambda x: [1, 2][x], "expression('int({})', value)"),
        (lambda x: float(x), "expression('double({})', value)"),
        (lambda x: round(x), "math.round"),
        (lambda x: str(x), 'write f"{value}"'),
        (lambda x: f"{x:.2f}", "the format '.2f'"),
        (lambda x: f"{x!r}", "without !r"),
        (lambda x: f"all of {[x, 1]}", "<traced inputs.x>"),
        (lambda x: x == f"{[x]}", "not in a list"),
        (lambda x: {x: 1}, "expression("),
        (lambda x: {f"{x}": 1}, "a key of an object must be text"),
        (lambda x: os.fspath(x), "give the value to a node"),
        (lambda x: x**2, "write a node"),
        (lambda x: x ^ 1, "write a != b"),
        (lambda x: x[1:2], "data.slice"),
        (lambda x: setattr(x, "a", 1), "data.edit"),
        (lambda x: x.__setitem__("a", 1), "data.edit"),
        (lambda x: x.a.upper(), "methods of traced values are those of expressions"),
        (lambda x: x(), "cannot be called"),
        (lambda x: x.a(b=1), "cannot be called"),
        (lambda x: expression("{} +", x), "at character"),
        (lambda x: expression("{}", x, 1), "1 places for values, and 2 are given"),
        (lambda x: float("nan"), "no JSON form"),
        (lambda x: 2**63, "64 bits"),
        (lambda x: b"a", "bytes cannot stand in a blueprint"),
        (lambda x: object(), "a value of type object"),
        (lambda x: datetime.datetime(2030, 1, 1), "no time zone"),  # noqa: DTZ001
    ],
)
def test_what_needs_a_real_value_fails_and_says_what_to_use(function, words) -> None:
    with pytest.raises(TracingError) as caught:
        _ = blueprint(id="x")(lambda x: note(function(x))).blueprint
    error = caught.value
    assert words in str(error)
    assert error.code == "INVALID_BLUEPRINT"
    assert (error.file or "").endswith("test_traced.py")
    assert str(error).startswith(f"{error.file}:{error.line}: ")
    assert error.problems[0].line == error.line


def test_the_line_is_the_users() -> None:
    @blueprint
    def checked(x: int) -> str:
        total = [
            x.total,
            len(x),  # this one
        ]
        return note(total)

    with pytest.raises(TracingError) as caught:
        _ = checked.blueprint
    with open(__file__, encoding="utf-8") as text:
        assert "# this one" in text.readlines()[(caught.value.line or 0) - 1]


def test_text_around_values_is_a_template() -> None:
    def told(x: int, name: str, anything: object) -> object:
        return note(
            {
                "whole": f"{x}",
                "text": f"{name}",
                "any": f"{anything}",
                "inside": f"a {x} b {x} c",
                "format": f"{x}-{1}",
                "literal": "costs ${{ x }}",
                "dollar": f"costs ${x}",
                "mixed": f"${{{{ {x}",
            }
        )

    assert nodes(told)["note"]["with"]["text"] == {
        "whole": "${{ string(inputs.x) }}",
        "text": "${{ inputs.name }}",
        "any": "${{ inputs.anything }}${{ '' }}",
        "inside": "a ${{ inputs.x }} b ${{ inputs.x }} c",
        "format": "${{ inputs.x }}-1",
        "literal": "costs $${{ x }}",
        "dollar": "costs ${{ '$' }}${{ inputs.x }}",
        "mixed": "$${{ ${{ inputs.x }}",
    }


@pytest.mark.parametrize("value", [[1, "a"], None, 3.0, 3, True, "a", {"a": 1.5}])
def test_a_value_alone_in_text_is_written_as_beside_other_text(value: object) -> None:
    def told(value: object) -> object:
        return as_it_is([f"{value}", f"{value}!"])

    alone, beside = blueprint(told).run(value)  # type: ignore[misc]
    assert f"{alone}!" == beside


def test_a_number_alone_in_text_is_written_as_json() -> None:
    def told(x: float, n: int) -> object:
        return as_it_is([f"{x}", f"{x}!", f"{n}", f"{n}!"])

    assert blueprint(told).run(3.0, 3) == ["3.0", "3.0!", "3", "3!"]


@pytest.mark.parametrize(
    "compute",
    [
        lambda x, order, made: x % 2,
        lambda x, order, made: 7 // x,
        lambda x, order, made: order.total % 2,
        lambda x, order, made: order.id // 2.5,
        lambda x, order, made: (order.id * x) % 2,
        lambda x, order, made: (order.id / 2) % 2,
        lambda x, order, made: -x // 2,
        lambda x, order, made: abs(x) // 2,
        lambda x, order, made: made % 2,
    ],
)
def test_what_is_known_to_be_a_float_has_no_remainder(
    compute: Callable[[float, Order, float], object],
) -> None:
    def told(x: float, order: Order) -> object:
        return note(compute(x, order, convert(order)))

    with pytest.raises(TracingError, match=r"takes integers only, and '.*' is a float.*node"):
        _ = blueprint(told).blueprint


def test_integers_have_the_remainders_of_python() -> None:
    def told(x: int, order: Order) -> object:
        return as_it_is([x % 3, x // 3, 7 // x, (x * 2 + 1) % -3, abs(x) // 2, order.by["a"] % 2])

    ways = blueprint(told)
    for x in (-7, 7, 2):
        order = Order(1, 2.5, [], {"a": 3})
        assert ways.run(x, order) == [
            x % 3, x // 3, 7 // x, (x * 2 + 1) % -3, abs(x) // 2, order.by["a"] % 2
        ]  # fmt: skip


def _noted(x: object) -> object:
    try:
        return note(x)  # in a function that the blueprint calls
    finally:
        pass


def caught_here(x: int) -> object:
    made = note(x)
    try:  # here
        made = note(made)
    except ValueError:
        made = note("other")
    return made


def caught_outside(xs: list[int]) -> object:
    try:  # there
        return each(xs, lambda x: _noted(x))
    except (ValueError, KeyError):
        return note("other")


def nothing_caught(x: int) -> object:
    try:
        number = int("no number")
    except ValueError:
        number = note(x)  # type: ignore[assignment]
    try:
        return _noted(number)
    finally:
        pass


@pytest.mark.parametrize(("function", "mark"), [(caught_here, "here"), (caught_outside, "there")])
def test_a_try_around_a_node_is_refused(function: Callable[..., object], mark: str) -> None:
    with pytest.raises(TracingError, match=r"'try' catches nothing.*on_error") as told:
        _ = blueprint(function).blueprint
    with open(__file__, encoding="utf-8") as text:
        assert f"try:  # {mark}" in text.readlines()[(told.value.line or 0) - 1]


def test_a_try_around_anything_else_is_not() -> None:
    try:
        made = blueprint(nothing_caught).blueprint
    except TracingError:  # around the blueprint as a whole
        pytest.fail("it was refused")
    assert list(made.nodes) == ["note", "note_2"]


def test_libraries_that_look_at_a_traced_value_do_no_harm() -> None:
    seen = []

    def looked_at(x: int) -> object:
        seen.extend([repr(x), hasattr(x, "__array__"), hasattr(x, "_private")])
        seen.append(repr(copy.copy(x)))
        seen.append(repr(copy.deepcopy(x)))
        return note(x)

    assert nodes(looked_at)["note"]["with"] == {"text": "${{ inputs.x }}"}
    assert seen == ["<traced inputs.x>", False, False, "<traced inputs.x>", "<traced inputs.x>"]


def test_a_value_that_leaves_its_blueprint_is_refused() -> None:
    kept: list = []

    def first(x: int) -> object:
        kept.extend([x, f"{x}"])
        return note(x)

    nodes(first)
    for value, words in (
        (kept[0], "known only inside the blueprint"),
        (kept[1], "of another blueprint"),
    ):
        with pytest.raises(TracingError, match=words):
            nodes(lambda value=value: note(value))
    with pytest.raises(TracingError, match="outside of its blueprint"):
        f"{kept[0]}"
    with pytest.raises(TracingError, match="need a real value"):
        bool(kept[0])
