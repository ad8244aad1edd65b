"""Whatever is written, there is a value or an ``ExpressionError``, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from atomiton.blueprint.expressions import parse, parse_template, value_to_text
from atomiton.errors import ExpressionError

NAMES = ("a", "b", "item")


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


PIECES = words(
    r"""
    a b item x 1 0 -1 2.5 9223372036854775807 1u 0x1F 'a' "b" b'c' r'x' '''d''' '' true false null
    [ ] { } ( ) . .? [? , : ? + - * / % ! && || == != < <= > >= in has( .map( .filter( .all(
    .exists( .exists_one( .transformMap( .sortBy( .optMap( .size() .orValue( .hasValue() .replace(
    .split( .join( .matches( .substring( .sort() .distinct() .flatten( .sum() .first() size( int(
    string( double( timestamp( duration( bytes( math.greatest( optional.of( lists.range( x, v, $${{
    base64.decode( .getHours( .getFullYear() type( ${{ }} // \ ` _ é '1h' '(a+)+$' .a .b .item ['a']
    '2024-01-01T00:00:00Z' [0]
    """
)
SOURCES = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=30).map(" ".join),
    st.lists(PIECES, max_size=30).map("".join),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
    st.timedeltas(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*NAMES, "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


LEAVES = words(
    """
    a b item x 1 -3 2.5 's' b'c' true null [] [1,'a'] {'a':1} 9223372036854775807 '1h' 1e308
    '2024-01-01T00:00:00Z'
    """
)
BINARY = words("+ - * / % == != < <= > >= in && ||")
ONE = words(
    """
    -@ !@ size(@) int(@) string(@) double(@) bytes(@) timestamp(@) duration(@) bool(@) type(@) @.a
    @.?a has(@.a) @.sort() @.distinct() @.sum() @.flatten() @.first() [@] @.reverse() @.getHours()
    @.getDayOfYear('-03:30') @.join(',') @.split('') math.round(@) math.abs(@) lists.range(@)
    @.trim() optional.of(@) @.hasValue() @.value() base64.decode(@) math.sign(@)
    """
)
TWO = words(
    """
    @[#] @[?#] {'k':@,'l':#} @.orValue(#) @.or(#) @.map(x,#) @.filter(x,#) @.all(x,#) @.exists(x,#)
    @.sortBy(x,#) @.transformMap(k,x,#) @.optMap(x,#) @.matches(#) @.contains(#) @.indexOf(#)
    @.split(#) math.greatest(@,#) @.substring(#) @.charAt(#) [?@,#] @.replace(#,'zz')
    @.exists_one(x,#) @.flatten(#)
    """
)


def put(form: str, left: str, right: str = "") -> str:
    return "".join({"@": f"({left})", "#": f"({right})"}.get(char, char) for char in form)


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, BINARY, inner),
        st.builds(put, ONE, inner),
        st.builds(put, TWO, inner, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    )


#: Well-formed expressions: most random text never gets past the parser.
WELL_FORMED = st.recursive(LEAVES, grow, max_leaves=12)


def check(error: ExpressionError, source: str) -> None:
    assert error.source == source
    assert 0 <= error.offset <= len(source)
    assert error.message


def run(source: str, scope: dict[str, object]) -> None:
    try:
        expression = parse(source)
        value = expression.bind(
            {name: (lambda s, name=name: s.get(name)) for name in (*NAMES, "x")}, steps=20_000
        )(scope)
    except ExpressionError as error:
        check(error, source)
        return
    assert "Maybe" not in repr(value)


SCOPES = st.fixed_dictionaries(dict.fromkeys((*NAMES, "x"), VALUES))


@settings(max_examples=400, deadline=None)
@given(SOURCES, SCOPES)
@example("a" * 17000, {})
@example("''''''", {})
def test_any_text(source: str, scope: dict[str, object]) -> None:
    run(source, scope)


@settings(max_examples=800, deadline=None)
@given(WELL_FORMED, SCOPES)
def test_any_expression(source: str, scope: dict[str, object]) -> None:
    run(source, scope)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map(" ".join)), SCOPES)
def test_any_template(text: str, scope: dict[str, object]) -> None:
    loaders = {name: (lambda s, name=name: s.get(name)) for name in (*NAMES, "x")}
    try:
        template = parse_template(text)
        value = template.bind(loaders)(scope)
    except ExpressionError as error:
        check(error, text)
        return
    if not template.whole:
        assert isinstance(value, str)
    for offset, expression in template.expressions:
        assert text[offset:].startswith(expression.source)
    if "${{" not in text:
        assert (template.constant, value) == (text, text)


INTEGERS = st.integers(-(2**63), 2**63 - 1)


@given(INTEGERS, INTEGERS.filter(bool))
def test_division_and_remainder_agree(a: int, b: int) -> None:
    scope: dict[str, object] = {"a": a, "b": b}
    loaders = {name: (lambda s, name=name: s[name]) for name in ("a", "b")}
    if (a, b) == (-(2**63), -1):
        return
    quotient = parse("a / b").bind(loaders)(scope)
    rest = parse("a % b").bind(loaders)(scope)
    assert isinstance(quotient, int)
    assert isinstance(rest, int)
    assert quotient * b + rest == a
    assert abs(rest) < abs(b)
    assert rest == 0 or (rest < 0) == (a < 0)


@given(st.text())
def test_text_goes_through_unchanged(text: str) -> None:
    assert value_to_text(text) == text
    escaped = text.replace("${{", "$${{")
    if "$$${{" not in escaped:
        assert parse_template(escaped).constant == text


@given(st.timedeltas(timedelta(days=-3000), timedelta(days=3000)))
def test_durations_read_what_they_write(value: timedelta) -> None:
    assert parse("duration(string(a))").bind({"a": lambda s: s})(value) == value


@given(st.datetimes(timezones=st.just(UTC)))
def test_timestamps_read_what_they_write(value: datetime) -> None:
    assert parse("timestamp(string(a))").bind({"a": lambda s: s})(value) == value
