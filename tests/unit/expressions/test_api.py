"""What the rest of the package builds on: references, binding, limits."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from atomiton.blueprint.expressions import Reference, parse
from atomiton.errors import ExpressionError


def named(**names: object) -> dict[str, object]:
    return {name: (lambda scope, name=name: scope[name]) for name in names}


@pytest.mark.parametrize(
    ("source", "references"),
    [
        ("read.rows", [("read", ("rows",), 0)]),
        ("read", [("read", (), 0)]),
        ("read.rows[0].id", [("read", ("rows",), 0)]),
        ("read['rows'].n", [("read", ("rows", "n"), 0)]),
        ("read.`a-b`", [("read", ("a-b",), 0)]),
        ("read.?rows.n", [("read", (), 0)]),
        ("read.rows.?n", [("read", ("rows",), 0)]),
        ("has(read.rows)", [("read", (), 4)]),
        ("has(read.rows.n)", [("read", ("rows",), 4)]),
        ("read.rows.map(r, r.n + x.y)", [("read", ("rows",), 0), ("x", ("y",), 23)]),
        ("a[b.c].d", [("a", (), 0), ("b", ("c",), 2)]),
        ("[1].map(a, a) + a", [("a", (), 16)]),
        ("a.map(a, a)", [("a", (), 0)]),
        ("math.greatest(math.x, 1)", [("math", ("x",), 14)]),
        ("a.size() + size(a)", [("a", (), 0), ("a", (), 16)]),
        ("a ? b : c && d", [("a", (), 0), ("b", (), 4), ("c", (), 8), ("d", (), 13)]),
        ("{'k': a.b}", [("a", ("b",), 6)]),
        ("1 + 1", []),
    ],
)
def test_references(source: str, references: list[tuple[str, tuple[str, ...], int]]) -> None:
    assert parse(source).references == tuple(Reference(*each) for each in references)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("read", ("read",)),
        (" read.rows ", ("read", "rows")),
        ("(read.rows)", ("read", "rows")),
        ("a.b.c.d", ("a", "b", "c", "d")),
        ("read['rows']", None),
        ("read.?rows", None),
        ("has(read.rows)", None),
        ("read.`rows`", None),
        ("'a'.b", None),
        ("1", None),
    ],
)
def test_path(source: str, path: tuple[str, ...] | None) -> None:
    assert parse(source).path == path


@pytest.mark.parametrize("source", ["a", "a.b", "a.b.c", "[1].map(x, x + a)"])
def test_a_path_is_read(source: str) -> None:
    scope = {"a": {"b": {"c": 7}}} if "map" not in source else {"a": 1}
    expected = {"a": {"b": {"c": 7}}, "a.b": {"c": 7}, "a.b.c": 7}.get(source, [2])
    assert parse(source).bind(named(a=0))(scope) == expected


def test_an_unknown_name_is_refused_before_it_is_run() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("1 + itm.total").bind(named(item=0, index=0))
    error = caught.value
    assert (error.code, error.offset) == ("UNKNOWN_REFERENCE", 4)
    assert error.message == "unknown name 'itm'; did you mean 'item'?"
    for source in ("itm", "itm.a", "itm.a.b"):
        with pytest.raises(ExpressionError):
            parse(source).bind(named(item=0))


def test_a_variable_hides_a_name() -> None:
    assert parse("[2].map(a, a * 10) + [a]").bind(named(a=0))({"a": 1}) == [20, 1]


def test_only_what_is_needed_is_loaded() -> None:
    def never(scope: object) -> object:
        raise AssertionError(scope)

    assert parse("true || a.b").bind({"a": never})(None) is True
    assert parse("false ? a : 1").bind({"a": never})(None) == 1


def test_what_a_loader_raises_is_left_alone() -> None:
    def absent(scope: object) -> object:
        raise LookupError(scope)

    for source in ("a", "a.b", "a + 1", "[1].map(x, a)"):
        with pytest.raises(LookupError):
            parse(source).bind({"a": absent})("s")


def test_values_are_not_changed() -> None:
    rows = [{"n": 2}, {"n": 1}]
    run = parse("[rows.sortBy(r, r.n), rows.reverse(), rows + rows, rows.filter(r, true)]")
    run.bind(named(rows=0))({"rows": rows})
    assert rows == [{"n": 2}, {"n": 1}]


def test_one_evaluator_serves_many_threads() -> None:
    run = parse("rows.map(a, rows.map(b, a * b).sum()).sum()").bind(named(rows=0))
    found: list[object] = []

    def work(top: int) -> None:
        for _ in range(20):
            result = run({"rows": list(range(top))})
            found.append((top, result))

    threads = [threading.Thread(target=work, args=(top,)) for top in (10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {(top, sum(range(top)) ** 2) for top in (10, 20, 30)}


def test_expressions_compare_by_their_text() -> None:
    assert parse("a") == parse("a") != parse("b")
    assert hash(parse("a")) == hash(parse("a"))
    assert repr(parse("a")) == "parse('a')"


@pytest.mark.parametrize(
    ("source", "path", "found"),
    [
        ("a + a.b + c.a + 'a'", ("a",), ["a", "a"]),
        ("items.map(a, a + 1).size() + a", ("a",), ["a"]),
        ("a.map(a, a)", ("a",), ["a"]),
        ("nodes.a.status == nodes['a'].x && nodes.?a.b && nodes.`a`.c", ("nodes", "a"), ["a"] * 4),
        ("has(nodes.a.error) || has(nodes.a)", ("nodes", "a"), ["a", "a"]),
        ("g.a + g['a'] + g.b.a + x.g.a", ("g", "a"), ["a", "a"]),
        ("r.map(g, g.a)", ("g", "a"), []),
        ("a.all(x, x > a.min) ? {a: a} : [a]", ("a",), ["a"] * 5),
        ('nodes[r"""a"""].b', ("nodes", "a"), ["a"]),
    ],
)
def test_mentions_are_found_where_the_name_is_free(source, path, found):
    mentions = parse(source).mentions(*path)
    assert [source[m.start : m.end] for m in mentions] == found
    assert all(one.start < two.start for one, two in pairwise(mentions))


def test_a_mention_knows_the_variables_around_it():
    inner = parse("r.map(x, s.filter(y, y > a))").mentions("a")
    assert [mention.bound for mention in inner] == [{"x", "y"}]


def test_a_name_that_is_spelled_with_escapes_cannot_be_found():
    with pytest.raises(ExpressionError, match="escapes"):
        parse(r'nodes["\x61"].status').mentions("nodes", "a")
