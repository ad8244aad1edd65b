"""Renaming a node: what follows it, what stays, and what is refused."""

from __future__ import annotations

import pytest

from atomiton.blueprint.rename import rename_node
from atomiton.errors import BlueprintError, NotFound

TEXT = r"""# old, by hand
atomiton: 1
id: old
name: the old one
inputs: {old: string}
variables: {old: 1}

nodes:
  'old':   # old
    uses: data.filter
    description: old is not ${{ old.x }}
    with: {items: "${{ inputs.old }}", where: item.old > vars.old}
  plain:
    uses: data.filter
    needs: old
    with:
      items: ${{ old.rows.map(old, old.x) + [old] }}
      where: item.x > old.min && 'old' != old["old"]
      folded: >-  # old
        one ${{ has(old.x) ? old.old
          : nodes.old.status }}
      "old": "a\told \x6fld ${{ nodes[\"old\"].attempts }}"
      single: 'it''s ${{ old }} old $${{ old }}'
  route:
    needs: [old, old.error, "old.high", older]
    if: nodes.old.status == 'completed' && nodes.older.status == 'old'
    branch:
      old: old.score > 80
      low: else
  each:
    map: ${{ old.items }}
    as: one
    nodes:
      inner: {uses: data.set, with: {value: "${{ old.x + one.old }}"}, needs: [old]}
      other:
        nodes:
          old: {uses: data.set, with: {value: 1}}
          uses_it: {uses: data.set, with: {value: "${{ old }}"}, needs: [old]}
        output: ${{ old }}
    output: {old: "${{ old.y }}"}
  turns:
    loop: {until: acc > old.limit, start: "${{ old.first }}"}
    uses: data.set
    with: {value: 1}
    compensate:
      uses: data.filter
      with: {items: "${{ old }}", where: old.x}
  nap: {wait: {for: "${{ old.seconds }}"}, if: "true"}
  late: {wait: {until: old.moment}}
  told: {wait: {signal: old, match: payload.old == old.id}}
  older: {uses: data.set, with: {value: "${{ older_still.old }}"}}
  older_still: {uses: data.set}
output:
  - ${{ old }}
on:
  failure: {uses: data.set, with: {value: "${{ nodes.old.error }}"}}
layout: {old: [1, 2], older: [3, 4], old.inner: [5, 6]}
"""
NEW = r"""# old, by hand
atomiton: 1
id: old
name: the old one
inputs: {old: string}
variables: {old: 1}

nodes:
  'fresh':   # old
    uses: data.filter
    description: old is not ${{ old.x }}
    with: {items: "${{ inputs.old }}", where: item.old > vars.old}
  plain:
    uses: data.filter
    needs: fresh
    with:
      items: ${{ fresh.rows.map(old, old.x) + [fresh] }}
      where: item.x > fresh.min && 'old' != fresh["old"]
      folded: >-  # old
        one ${{ has(fresh.x) ? fresh.old
          : nodes.fresh.status }}
      "old": "a\told \x6fld ${{ nodes[\"fresh\"].attempts }}"
      single: 'it''s ${{ fresh }} old $${{ old }}'
  route:
    needs: [fresh, fresh.error, "fresh.high", older]
    if: nodes.fresh.status == 'completed' && nodes.older.status == 'old'
    branch:
      old: fresh.score > 80
      low: else
  each:
    map: ${{ fresh.items }}
    as: one
    nodes:
      inner: {uses: data.set, with: {value: "${{ fresh.x + one.old }}"}, needs: [fresh]}
      other:
        nodes:
          old: {uses: data.set, with: {value: 1}}
          uses_it: {uses: data.set, with: {value: "${{ old }}"}, needs: [old]}
        output: ${{ old }}
    output: {old: "${{ fresh.y }}"}
  turns:
    loop: {until: acc > fresh.limit, start: "${{ fresh.first }}"}
    uses: data.set
    with: {value: 1}
    compensate:
      uses: data.filter
      with: {items: "${{ fresh }}", where: fresh.x}
  nap: {wait: {for: "${{ fresh.seconds }}"}, if: "true"}
  late: {wait: {until: fresh.moment}}
  told: {wait: {signal: old, match: payload.old == fresh.id}}
  older: {uses: data.set, with: {value: "${{ older_still.old }}"}}
  older_still: {uses: data.set}
output:
  - ${{ fresh }}
on:
  failure: {uses: data.set, with: {value: "${{ nodes.fresh.error }}"}}
layout: {fresh: [1, 2], older: [3, 4], fresh.inner: [5, 6]}
"""


def is_expression(type_: str, parameter: str) -> bool:
    if type_ == "gone":
        raise NotFound("there is no node type 'gone'")
    return type_ == "data.filter" and parameter == "where"


def renamed(text: str, old: str, new: str) -> str:
    return rename_node(text, old, new, is_expression).text


def body(text: str) -> str:
    return f"atomiton: 1\nid: x\nnodes:\n{text}"


def test_every_reference_follows_and_nothing_else() -> None:
    result = rename_node(TEXT, "old", "fresh", is_expression)
    assert result.text == NEW
    changed = zip(TEXT.split("\n"), NEW.split("\n"), strict=True)
    assert sorted(set(result.lines)) == [n for n, (a, b) in enumerate(changed, 1) if a != b]
    assert len(result.lines) == NEW.count("fresh")
    assert result.notes == ()


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_stay(mark: str) -> None:
    text = mark + TEXT.replace("\n", "\r\n")
    assert renamed(text, "old", "fresh") == mark + NEW.replace("\n", "\r\n")


def test_json_stays_json() -> None:
    text = '{"atomiton": 1, "id": "x", "nodes": {"a": {"uses": "t"}},\n "output": "\\t${{ a.a }}"}'
    assert renamed(text, "a", "b") == text.replace('"a"', '"b"').replace("{ a.", "{ b.")


def test_a_node_of_a_group_is_renamed_in_its_group_only() -> None:
    text = body(
        "  a: {uses: t}\n"
        "  g:\n"
        "    nodes:\n"
        "      b: {uses: t, with: {x: '${{ a.b }}'}}\n"
        "      c: {uses: t, needs: [b]}\n"
        "    output: ${{ b }}\n"
        "  h: {nodes: {b: {uses: t}}, output: '${{ b }}'}\n"
        "layout: {b: [1, 1], g.b: [2, 2]}\n"
    )
    changed = (
        text.replace("      b:", "      z:", 1)
        .replace("[b]", "[z]")
        .replace("    output: ${{ b }}", "    output: ${{ z }}")
        .replace("g.b", "g.z")
    )
    assert renamed(text, "g.b", "z") == changed
    assert renamed(changed, "g.z", "b") == text


def test_fields_of_what_a_group_gives_by_default_follow_its_sinks() -> None:
    text = body(
        "  o:\n"
        "    nodes:\n"
        "      g:\n"
        "        nodes:\n"
        "          first: {uses: t}\n"
        "          last: {uses: t, needs: [first]}\n"
        "      side: {nodes: {last: {uses: t}}}\n"
        "  z: {uses: t, with: {a: '${{ o.g.last.first }}', b: '${{ o.side.last }}'}}\n"
    )
    result = rename_node(text, "o.g.last", "end", is_expression)
    assert result.text == text.replace("          last:", "          end:").replace(
        "o.g.last", "o.g.end"
    )
    assert [note.split(" has")[0] for note in result.notes] == ["'g'", "'o'"]
    # One that others wait for is no part of what the group gives.
    inner = rename_node(text, "o.g.first", "begin", is_expression)
    assert inner.text == text.replace("first:", "begin:").replace("[first]", "[begin]")
    assert inner.notes == ()


def test_the_key_of_a_sink_in_the_output_is_told() -> None:
    (note,) = rename_node(body("  a: {uses: t}\n"), "a", "b", is_expression).notes
    assert note == "the blueprint has no 'output': what it gives has 'b' in place of 'a'"
    each = body("  g: {map: '${{ [1] }}', nodes: {a: {uses: t}}}\n  z: {uses: t, needs: g}\n")
    (note,) = rename_node(each, "g.a", "b", is_expression).notes
    assert note.startswith("'g' has no")


def test_what_an_alias_repeats_follows_where_it_means_the_same() -> None:
    text = body(
        "  a: {uses: t}\n"
        "  b: {uses: t, with: &w {x: &x '${{ a }}'}, needs: &n [a]}\n"
        "  c: {uses: t, with: *w, needs: *n, if: *x}\n"
    )
    assert renamed(text, "a", "z") == text.replace("  a:", "  z:").replace("{{ a", "{{ z").replace(
        "[a]", "[z]"
    )
    twice = text + "  g: {nodes: {a: {uses: t}, d: {uses: t, needs: *n}}, output: 1}\n"
    with pytest.raises(BlueprintError, match="alias"):
        renamed(twice, "a", "z")


@pytest.mark.parametrize(
    ("text", "old", "new", "message", "line"),
    [
        ("  read: {uses: t}\n", "raed", "b", "did you mean 'read'", None),
        (
            "  g: {nodes: {read: {uses: t}}}\n",
            "g.raed",
            "b",
            "in the group 'g' .did you mean",
            None,
        ),
        ("  a: {uses: t}\n", "a.b", "c", "'a' is no group", 4),
        ("  a: {uses: t}\n", "a", "a", "already", 4),
        ("  a: {uses: t}\n", "a", "item", "means something else", 4),
        ("  a: {uses: t}\n", "a", "B c", "cannot be the id", 4),
        ("  g: {nodes: {a: {uses: t}}}\n", "g.a", "g.b", "alone", 4),
        ("  a: {uses: t}\n  b: {uses: t}\n", "a", "b", "here already", 5),
        ("  a: {uses: t}\n  g: {nodes: {b: {uses: t}}}\n", "g.b", "a", "which it would hide", 4),
        ("  a: {uses: t}\n  g: {nodes: {b: {uses: t}}}\n", "a", "b", "hide the node there", 5),
        ("  a: {uses: t}\n  m: {map: [1], as: b, uses: t}\n", "a", "b", "name of an item", 5),
        ("  g: {map: [1], as: b, nodes: {a: {uses: t}}}\n", "g.a", "b", "name of an item", 4),
        ("  a: {uses: t}\n  c: {uses: t, if: 'a.map(b, a)'}\n", "a", "b", "something else", 5),
        ("  a: {uses: t}\n  c: {wait: {signal: s, match: b.x}}\n", "a", "b", "something else", 5),
        ("  a: {uses: t}\n  c: {uses: t, if: 'a +'}\n", "a", "b", "expected a value", 5),
        ("  a: {uses: gone, with: {x: y}}\n", "a", "b", "no node type", None),
        ("  a: {uses: t, nope: 1}\n", "a", "b", "no key 'nope'", 4),
        ("  a: {uses: t}\n  c: {uses: t, if: 'nodes[\"\\x61\"].x == a'}\n", "a", "b", "escapes", 5),
    ],
)
def test_what_would_mean_something_else_is_refused(
    text: str, old: str, new: str, message: str, line: int | None
) -> None:
    with pytest.raises(BlueprintError, match=message) as caught:
        renamed(body(text), old, new)
    assert caught.value.problems[0].line == line
