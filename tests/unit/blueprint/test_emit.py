import pytest
from tests.unit.blueprint.examples import FULL

from atomiton.blueprint.document import read_document
from atomiton.blueprint.emit import to_yaml
from atomiton.blueprint.yaml import load

WRITTEN = """\
atomiton: 1
id: order-report
version: "1.0"

inputs:
  path: string
  threshold: {type: number, default: 100}
limits: {concurrency: 16, timeout: 5m}

nodes:
  read:
    uses: sheet.read
    with:
      path: ${{ inputs.path }}
      note: |
        two lines,
          indented
      answer: "no"
  big:
    needs: [read]
    uses: data.filter
    with:
      where: item.total > inputs.threshold
    retry: {attempts: 3, delay: 200ms}
  group:
    nodes:
      inner:
        uses: data.set
        with: {}

output:
  - ${{ read.rows }}
  - a: 1
    b:
      - [1, 2]
      - - ${{ big.items }}

layout:
  read: [0, 10.5]
"""


def shuffled(value):
    if isinstance(value, dict) and "with" not in value and "nodes" not in value:
        return value
    return dict(reversed(value.items()))


def test_a_blueprint_is_written_in_one_readable_way():
    data = load(WRITTEN).data
    assert to_yaml(data) == WRITTEN
    assert to_yaml(dict(reversed(data.items()))) == WRITTEN
    data["nodes"] = {key: shuffled(value) for key, value in data["nodes"].items()}
    assert list(data["nodes"]["read"]) == ["with", "uses"]
    assert to_yaml(data) == WRITTEN


def test_everything_the_format_has_is_written_and_read_back():
    data = load(FULL).data
    text = to_yaml(data)
    assert load(text).data == data
    assert read_document(load(text).data) == read_document(data)
    assert to_yaml(load(text).data) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((word, f'"{word}"') for word in ("no", "on", "Y", "null", "~", "1:30", "2024-01-01")),
        *((word, f'"{word}"') for word in ("1_000", "0o7", "1e3", ".inf", "<<", "- a", "a: b")),
        *((word, f'"{word}"') for word in ("", " a", "a ", "a #b", "&a", "*a", "!a", "{a", "a:")),
        *((word, word) for word in ("30s", "1.0.0", "a:b", "a#b", "it's", "é", "a, b", "x{y}")),
        ("a\nb", "|-\n  a\n  b"),
        ("a\n\n", '"a\\n\\n"'),
        (" a\nb", '" a\\nb"'),
        ("a\tb\x07", '"a\\tb\\x07"'),
        (1e22, "1.0e+22"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (None, "null"),
        (True, "true"),
        ([], "[]"),
        ({}, "{}"),
        (["a", "b, c", 1], '[a, "b, c", 1]'),
        (["${{ a }}"], "\n  - ${{ a }}"),
    ],
)
def test_values_are_written_so_that_every_reader_sees_the_same(value, text):
    written = to_yaml({"a": value})
    assert written == f"a: {text}\n".replace(": \n", ":\n")
    assert load(written).data == {"a": value}


@pytest.mark.parametrize("value", [2**63, float("inf"), float("nan"), "\ud800"])
def test_what_cannot_be_read_is_not_written(value):
    with pytest.raises(ValueError):
        to_yaml({"a": [value]})
