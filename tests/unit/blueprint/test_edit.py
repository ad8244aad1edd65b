import pytest

from atomiton.blueprint.edit import remove, rename_key, set_value
from atomiton.errors import BlueprintError

TEXT = """\
# A file that somebody wrote by hand.
atomiton: 1     # the format
id:   'quoted'

nodes:

    # Four columns, because why not.
    read:
        uses:  "sheet.read"   # two spaces
        with: { path: a.csv,  header: true }  # flow

    big:   # the big ones
        uses: data.filter
        with:
            items: ${{ read.rows }}
            where: >-
                item.total
                > 5
            note: |   # kept
                one

                two

        needs:
        - read     # a list in the column of its key
        - other
    last:
        - a: 1     # compact
          b: 2
        -   c
        - - d
          - e
    empty:
tail: 5 # the end"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        # ruff: noqa: E501 - a line for each case
        (("id",), "other", "'quoted'", "other"),
        (("id",), {"a": "${{ b }}"}, "id:   'quoted'\n", "id:\n  a: ${{ b }}\n"),
        (("nodes", "read", "uses"), "a@2", '"sheet.read"', "a@2"),
        (("nodes", "read", "with", "path"), "b, c", "a.csv", '"b, c"'),
        (("nodes", "read", "with", "header"), [1, {"x": None}], "true", "[1, {x: null}]"),
        (("nodes", "read", "with", "sep"), ";", "true }", 'true, sep: ";" }'),
        (("nodes", "big", "with", "where"), "true", ">-\n                item.total\n                > 5", '"true"'),
        (
            ("nodes", "big", "with", "note"),
            "x\ny\n",
            "|   # kept\n                one\n\n                two\n",
            "|   # kept\n              x\n              y\n",
        ),
        (("nodes", "big", "with", "note"), 5, "|   # kept\n                one\n\n                two\n", "5   # kept\n"),
        (("nodes", "big", "needs", 0), "x", "- read ", "- x "),
        (("nodes", "big", "needs", 2), "x", "- other\n", "- other\n        - x\n"),
        (("nodes", "big", "needs"), [], "needs:\n        - read     # a list in the column of its key\n        - other\n", "needs: []\n"),
        (("nodes", "big", "needs"), ["${{ z }}"], "- read     # a list in the column of its key\n        - other\n", "- ${{ z }}\n"),
        (("nodes", "big", "timeout"), "5s", "- other\n", "- other\n        timeout: 5s\n"),
        (("nodes", "last", 0, "b"), 3, "b: 2", "b: 3"),
        (("nodes", "last", 0, "z"), 3, "b: 2\n", "b: 2\n          z: 3\n"),
        (("nodes", "last", 0), "x", "- a: 1     # compact\n          b: 2\n", "- x\n"),
        (("nodes", "last", 2, 1), "x", "- e", "- x"),
        (("nodes", "last", 1), "x", "-   c", "-   x"),
        (("nodes", "empty"), 5, "empty:\n", "empty: 5\n"),
        (("nodes", "empty", "uses"), "a", "empty:\n", "empty:\n      uses: a\n"),
        (("nodes", "new"), {"uses": "a", "with": {"b": 1}}, "empty:\n", "empty:\n    new:\n      uses: a\n      with:\n        b: 1\n"),
        (("tail",), "x", "5 # the end", "x # the end"),
        (("layout", "read"), [1, 2], "5 # the end", "5 # the end\nlayout:\n  read: [1, 2]"),
    ],
)  # fmt: skip
def test_setting_changes_the_value_and_nothing_else(path, value, old, new):
    assert TEXT.count(old) == 1
    assert set_value(TEXT, path, value) == TEXT.replace(old, new)
    windows = TEXT.replace("\n", "\r\n")
    assert set_value(windows, path, value) == TEXT.replace(old, new).replace("\n", "\r\n")


def test_setting_what_is_set_already_changes_little():
    assert set_value(TEXT, ("tail",), 5) == TEXT
    assert set_value("\ufeffa: 1\n", ("a",), 2) == "\ufeffa: 2\n"
    assert set_value("{}\n", ("a",), 2) == '{"a": 2}\n'


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (("atomiton",), "atomiton: 1     # the format\n", ""),
        (("nodes", "read", "with", "path"), "path: a.csv,  ", ""),
        (("nodes", "read", "with", "header"), ",  header: true", ""),
        (("nodes", "read", "with"), "        with: { path: a.csv,  header: true }  # flow\n", ""),
        (
            ("nodes", "big", "needs", 0),
            "        - read     # a list in the column of its key\n",
            "",
        ),
        (("nodes", "big", "needs", 1), "        - other\n", ""),
        (("nodes", "last", 0, "a"), "a: 1     # compact\n          ", ""),
        (("nodes", "last", 0, "b"), "          b: 2\n", ""),
        (("nodes", "last", 1), "        -   c\n", ""),
        (("nodes", "last", 2, 0), "d\n          - e", "e"),
        (("nodes", "empty"), "    empty:\n", ""),
        (("tail",), "tail: 5 # the end", ""),
    ],
)
def test_removing_takes_the_entry_and_nothing_else(path, old, new):
    assert TEXT.count(old) == 1
    assert remove(TEXT, path) == TEXT.replace(old, new)


def test_removing_the_last_entry_leaves_an_empty_mapping():
    assert remove("a:\n  b: 1\nc: 2\n", ("a", "b")) == "a: {}\nc: 2\n"
    assert remove("a:\n  - 1 # one\nc: 2\n", ("a", 0)) == "a: [] # one\nc: 2\n"
    assert remove("a: {b: 1}\n", ("a", "b")) == "a: {}\n"
    assert remove("a: 1\n", ("a",)) == "{}\n"


def test_renaming_changes_the_key_and_nothing_else():
    assert rename_key(TEXT, ("nodes", "big"), "small") == TEXT.replace("    big: ", "    small: ")
    assert rename_key(TEXT, ("nodes", "read", "with", "path"), "no") == TEXT.replace(
        "{ path:", '{ "no":'
    )
    assert rename_key(TEXT, ("tail",), "tail") == TEXT


def test_json_stays_json():
    text = '{\n  "a": {"b": [1, "x"]},\n  "c": "d"\n}\n'
    assert set_value(text, ("a", "b", 1), "no") == text.replace('"x"', '"no"')
    assert set_value(text, ("e",), {"f": "g"}) == text.replace('"d"\n', '"d",\n  "e": {"f": "g"}\n')
    assert rename_key(text, ("a", "b"), "z") == text.replace('"b"', '"z"')
    assert remove(text, ("a",)) == '{\n  "c": "d"\n}\n'


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda: set_value(TEXT, (), 1), "NOT_FOUND"),
        (lambda: set_value(TEXT, ("tail", "x"), 1), "NOT_FOUND"),
        (lambda: set_value(TEXT, ("nodes", "big", "needs", 3), 1), "NOT_FOUND"),
        (lambda: remove(TEXT, ("missing",)), "NOT_FOUND"),
        (lambda: remove(TEXT, ()), "NOT_FOUND"),
        (lambda: rename_key(TEXT, ("nodes", "big", "needs", 0), "x"), "NOT_FOUND"),
        (lambda: rename_key(TEXT, ("id",), "tail"), "INVALID_BLUEPRINT"),
        (lambda: set_value("a: [", ("a",), 1), "INVALID_BLUEPRINT"),
        (lambda: set_value("a: &x {b: 1}\nc: *x\n", ("a", "b"), 2), "NOT_SUPPORTED"),
        (lambda: set_value("a: &x {b: 1, d: 2}\nc: *x\n", ("c", "b"), 2), "NOT_SUPPORTED"),
        (lambda: remove("a: &x {b: 1}\nc: *x\n", ("a",)), "NOT_SUPPORTED"),
        (lambda: set_value('{"a": "\\ud83d\\ude00"}', ("a",), 1), "NOT_SUPPORTED"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(edit, code):
    with pytest.raises(BlueprintError) as caught:
        edit()
    assert caught.value.code == code


def test_an_alias_itself_can_be_replaced():
    text = "a: &x {b: 1} # one\nc: *x # two\n"
    assert set_value(text, ("c",), 5) == "a: &x {b: 1} # one\nc: 5 # two\n"
    assert remove(text, ("c",)) == "a: &x {b: 1} # one\n"
