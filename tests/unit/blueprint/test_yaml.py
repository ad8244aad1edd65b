import pytest

from atomiton.blueprint.yaml import MAX_BYTES, load, place
from atomiton.errors import BlueprintError


def problem_of(text):
    with pytest.raises(BlueprintError) as caught:
        load(text)
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *((word, word) for word in ("no", "Yes", "on", "off", "y", "12:30", "1_000", "2024-01-01")),
        *((word, word) for word in ("0b1", "-0x1", "1.2.3", "30s", "nul", "TrUe", ".", "+", "1e")),
        *(("null", None), ("~", None), ("", None), ("NULL", None)),
        *(("true", True), ("False", False)),
        *(("0o17", 15), ("017", 17), ("0x1F", 31), ("-7", -7), ("+7", 7)),
        *(("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))),
        *(("1e3", 1000.0), ("1.", 1.0), (".5", 0.5), ("-1.5E-2", -0.015)),
    ],
)
def test_words_mean_what_yaml_1_2_says(word, value):
    read = load(f"a: {word}").data["a"]
    assert read == value
    assert type(read) is type(value)


def test_quoted_words_are_text():
    assert load("a: \"1\"\nb: 'true'\nc: |\n  null\n").data == {
        "a": "1",
        "b": "true",
        "c": "null\n",
    }


def test_expressions_need_no_quotes():
    text = "a: ${{ read.rows }}\nb: item.total > 5 && x == 'y'\nc: ${{ {'k':1} }}\n"
    assert load(text).data["c"] == "${{ {'k':1} }}"


def test_every_value_and_key_has_its_place():
    document = load("id: x\nnodes:\n  a:\n    uses: y\n    with: [1, {b: 2}]\n")
    assert document.positions[()] == (1, 1)
    assert document.positions["nodes", "a", "with", 1, "b"] == (5, 19)
    assert document.key_positions["nodes", "a", "uses"] == (4, 5)
    assert place(document, ("nodes", "a", "missing")) == (4, 5)
    assert place(None, ("nodes",)) == (None, None)


def test_values_behind_an_alias_are_copies_with_the_places_of_the_anchor():
    document = load("a: &x {b: [1]}\nc: *x\n")
    assert document.data["c"] == {"b": [1]}
    assert document.data["c"] is not document.data["a"]
    assert document.positions["c",] == (2, 4)
    assert document.positions["c", "b", 0] == (1, 12)


def test_bytes_and_a_byte_order_mark_are_read():
    assert load(b"\xef\xbb\xbfa: \xc3\xa9").data == {"a": "é"}


def test_json_has_the_same_places_as_yaml():
    text = '{"a": [1, {"b": null}],\n  "c d": "x"}'
    assert dict(load(text).positions) == dict(load(text + " # YAML").positions)
    assert dict(load(text).key_positions) == dict(load(text + " # YAML").key_positions)


@pytest.mark.parametrize(
    ("text", "place", "words", "hint"),
    [
        ("", (1, 1), "is empty", "atomiton: 1"),
        ("# only a comment\n", (1, 1), "is empty", "atomiton: 1"),
        ("- a", (1, 1), "keys and values", "atomiton: 1"),
        ("a: 1\nb: 2\na: 3", (3, 1), "appears twice", "remove"),
        ('{"a": 1, "a": 2}', (1, 10), "appears twice", "remove"),
        ("1: a", (1, 1), "key 1 is not text", '"1"'),
        ("true: a", (1, 1), "not text", '"true"'),
        ("? [a]\n: b", (1, 3), "must be text", "expression"),
        ("a: {{ x }}", (1, 5), "must be text", "${{"),
        ("a: &x {b: 1}\nc:\n  <<: *x", (3, 3), "merge keys", "write the keys out"),
        ("a: !!python/object:os.system x", (1, 4), "tag", "remove"),
        ("a: !!str x", (1, 4), "tag", "remove"),
        ("a: ! x", (1, 4), "tag", "remove"),
        ("a: *x", (1, 4), "no anchor", "quotes"),
        ("a: &x [*x]", (1, 8), "inside its own anchor", None),
        ("a: .inf", (1, 4), "not a number", "quotes"),
        ("a: .nan", (1, 4), "not a number", "quotes"),
        ("a: 1e999", (1, 4), "larger", "quotes"),
        ("a: 9223372036854775808", (1, 4), "64 bits", "quotes"),
        ("a: " + "1" * 100_000, (1, 4), "64 bits", "quotes"),
        ("a: 1\n---\nb: 2", (2, 1), "more than one document", "---"),
        ("a:\n\tb: 1", (2, 1), "tab", "spaces"),
        ("a: b: c", (1, 5), "must be quoted", "quotes"),
        ("a: ${{ x ? 'a: b' : c }}", (1, 14), "must be quoted", "quotes"),
        ("a: {b: ${{ x }}}", (1, 9), "must be quoted", '"${{'),
        ("a: [1, 2", (1, 9), "] is missing", "add"),
        ("a: {b: 1", (1, 9), "} is missing", "add"),
        ('a: 1\nb: "x\nc: 2', (2, 4), "not closed", "quote"),
        ("a: @x", (1, 4), "cannot begin with @", "quotes"),
        ("a: `x`", (1, 4), "cannot begin with `", "quotes"),
        ("a: %x", (1, 4), "cannot begin with %", "quotes"),
        ('a: "x" y', (1, 8), "follows a quoted text", "whole value"),
        ("a: 'it's'", (1, 8), "follows a quoted text", "''"),
        ('a: "\\q"', (1, 5), "escape", "\\\\"),
        ("a: |x\n  y", (1, 5), "block of text", "quotes"),
        ("a: 1\n b: 2", (2, 3), "key stands", "indentation"),
        ("a:\n  b: 1\n c: 2", (3, 2), "does not fit", "indentation"),
        ("a: \x00", (1, 4), "U+0000", "escape"),
        ("x: 1\na: \x1b[0m", (2, 4), "U+001B", "escape"),
        (b"x: 1\na: \xff", (2, 4), "not UTF-8", "UTF-8"),
        ("a: b".encode("utf-16"), (1, 1), "UTF-16", "UTF-8"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, place, words, hint):
    problem = problem_of(text)
    assert words in problem.message
    assert (problem.line, problem.column) == place
    assert hint is None or hint in (problem.hint or "")


def test_more_than_one_problem_is_told_at_once():
    with pytest.raises(BlueprintError) as caught:
        load("a: 1\na: 2\nb: !x 1\n3: c\n")
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4]


def test_the_name_of_the_file_is_told():
    with pytest.raises(BlueprintError, match=r"flow\.yaml is larger than 1 MiB"):
        load("a" * (MAX_BYTES + 1), filename="flow.yaml")


def test_without_libyaml_the_same_is_read(monkeypatch):
    import yaml as pyyaml

    from atomiton.blueprint import yaml as ours

    monkeypatch.setattr(ours, "Loader", pyyaml.SafeLoader)
    document = load("a: [1, {b: no}]\nc: |\n  text\n")
    assert document.data == {"a": [1, {"b": "no"}], "c": "text\n"}
    assert document.positions["a", 1, "b"] == (1, 12)
    for text in ("a: b: c", "a: [1", "a:\n\tb: 1", "a: @x", 'a: "x'):
        assert problem_of(text).line
