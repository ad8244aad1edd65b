"""Properties of the YAML reader, writer and editor."""

import contextlib
import json

import msgspec
import yaml as pyyaml
from hypothesis import given, settings
from hypothesis import strategies as st

from atomiton.blueprint.edit import remove, rename_key, set_value
from atomiton.blueprint.emit import to_yaml
from atomiton.blueprint.spans import scan
from atomiton.blueprint.yaml import load
from atomiton.errors import BlueprintError

LONG = "a" * 1500
ODD = (
    *("no", "on", "1:30", "1_000", "0b1", "0o7", "017", ".", "-", "- a", "a: b", "a #b", "|", ">"),
    *("&a", "*a", "!t", "%d", "@x", "`", "{", "[", "a:", "? x", ": x", "...", "---", ".inf", "1e3"),
    *("2024-01-01", "2024-01-01 10:00:00", "\n", "a\n", "a\nb", "a\n\n", "\na", " a\nb", "a\n b\n"),
    *("a \nb", "\t", "a\tb", "\u2028", "\x85", "a\r\nb", "#", "<<", "=", "${{ a.b }}", "{{x}}"),
    *("it's", '"q"', "a,b", "a]b", "é", "\ufeff", "😀", "a:b", "a\n \nb", "null", "~", "", "\x7f"),
    *(".5", "+1", "0x1F", "1.", "_1", "1__", "a\n# b", "a\n---\nb", "é: ü", 'a:"b"', "Y", "1e5"),
    *("a\n\tb", "a\n\t\nb", "+.inf", "0?", "0:?", LONG, "\ufffe", "nodes", "with"),
)
CHARACTERS = st.characters(exclude_categories=("Cs",))
TEXT = st.one_of(
    st.sampled_from(ODD),
    st.text(CHARACTERS, max_size=20),
    st.text(alphabet="ab :#-?{}[],&*!|>'\"%@`\n\t$.0123e_+", max_size=12),
)
ATOM = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
KEY = st.one_of(TEXT, st.sampled_from(["nodes", "with", "on", "compensate", "uses"]))
JSON = st.recursive(
    ATOM,
    lambda part: st.one_of(st.lists(part, max_size=4), st.dictionaries(KEY, part, max_size=4)),
    max_leaves=15,
)
DOCUMENT = st.dictionaries(KEY, JSON, max_size=5)


def same(one, other):
    """Equality that tells 1 from 1.0 and from True."""
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab:# -?{}[],&*!|>'\"%@`\n\t$.01<~éx", max_size=60) | st.text(max_size=80))
def test_load_gives_data_or_a_blueprint_error_with_a_place(text):
    places = []
    try:
        document = load(text)
        places = [*document.positions.values(), *document.key_positions.values()]
    except BlueprintError as error:
        places = [(problem.line, problem.column) for problem in error.problems]
    lines = text.removeprefix("\ufeff").splitlines() or [""]
    assert places
    assert all(1 <= line <= len(lines) + 1 and column >= 1 for line, column in places)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_load_of_any_bytes_gives_data_or_a_blueprint_error(data):
    with contextlib.suppress(BlueprintError):
        load(data)


@settings(max_examples=500, deadline=None)
@given(DOCUMENT)
def test_what_is_written_is_read_back(document):
    text = to_yaml(document)
    assert same(load(text).data, document)
    # Readers of YAML 1.1 see the same, so that other tools can be trusted with the file.
    assert same(pyyaml.safe_load(text), document)
    assert to_yaml(load(text).data) == text


@settings(max_examples=300, deadline=None)
@given(DOCUMENT)
def test_json_text_is_read_and_has_the_places_of_yaml(document):
    text = as_json(document)
    read = load(text)
    assert same(read.data, document)
    if may_be_edited(text):
        spaced = load(text + " # a comment makes it YAML")
        assert dict(spaced.positions) == dict(read.positions)
        assert dict(spaced.key_positions) == dict(read.key_positions)


def as_json(document):
    """JSON as this package and others write it: escapes where text cannot be seen."""
    text = json.dumps(document, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(document)


def may_be_edited(text):
    """Two escapes for one character are JSON, but no YAML; nor are keys of a thousand letters."""
    return "\\ud" not in text.lower() and LONG not in text


def texts_of(document):
    return st.sampled_from([to_yaml(document), as_json(document)]).filter(may_be_edited)


def paths(value, path=()):
    if path:
        yield path
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in entries:
        yield from paths(part, (*path, key))


@settings(max_examples=500, deadline=None)
@given(DOCUMENT.filter(bool), st.data(), JSON.filter(lambda value: LONG not in as_json(value)))
def test_setting_changes_one_value_and_keeps_the_text_around(document, data, value):
    text = data.draw(texts_of(document))
    path = data.draw(st.sampled_from(list(paths(document))))
    changed = set_value(text, path, value)
    container = document
    for key in path[:-1]:
        container = container[key]
    container[path[-1]] = value
    assert same(load(changed).data, document)
    span = scan(text).find(path)
    line = text.rfind("\n", 0, span.start) + 1
    assert changed.startswith(text[: min(line, text.rfind("\n", 0, line - 1) + 1)])
    assert changed.endswith(text[text.find("\n", span.end) :] if "\n" in text[span.end :] else "")


@settings(max_examples=500, deadline=None)
@given(DOCUMENT.filter(bool), st.data())
def test_removing_takes_one_entry_out(document, data):
    text = data.draw(texts_of(document))
    path = data.draw(st.sampled_from(list(paths(document))))
    changed = remove(text, path)
    container = document
    for key in path[:-1]:
        container = container[key]
    del container[path[-1]]
    assert same(load(changed).data, document)


@settings(max_examples=300, deadline=None)
@given(DOCUMENT.filter(bool), st.data(), TEXT)
def test_adding_and_renaming_keys(document, data, name):
    text = data.draw(texts_of(document))
    key = data.draw(st.sampled_from(list(document)))
    if name in document or name == LONG:
        return
    assert load(rename_key(text, (key,), name)).data.keys() == {*document, name} - {key}
    added = load(set_value(text, (name, "a", 0), "x")).data
    assert added.pop(name) == {"a": ["x"]}
    assert same(added, document)
