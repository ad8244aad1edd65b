"""Section 5: data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydantic
import pytest
from tests.acceptance.rules.world import World, code

from atomiton import node


class Order(pydantic.BaseModel):
    id: int
    at: datetime


@dataclass
class Line:
    order: Order
    path: Path


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -1.5, "text", [1, [2]], {"a": {"b": None}}, b"bytes",
     datetime(2024, 5, 1, 12, tzinfo=UTC)],
)  # fmt: skip
async def test_values_are_json_plus_bytes_and_moments(world: World, value: object) -> None:
    @node("t.give")
    async def give() -> Any:
        return value

    world.conductor.library.registry.add(give)
    result = await world.run("""
        nodes:
          a: {uses: t.give}
          b: {uses: t.do, with: {value: "${{ a }}"}}
        output: ${{ b }}
    """)
    assert (result.output, type(result.output)) == (value, type(value))


async def test_what_is_no_value_fails_the_node_that_gave_it(world: World) -> None:
    @node("t.odd")
    async def odd() -> Any:
        return float("nan")

    world.conductor.library.registry.add(odd)
    result = await world.run("nodes: {a: {uses: t.odd}}")
    assert (result.status, result.error and result.error.node) == ("failed", "a")


async def test_a_node_never_sees_the_later_change_of_another(world: World) -> None:
    kept: list[list[int]] = []

    @node("t.keep")
    async def keep(rows: list[int]) -> list[int]:
        kept.append(rows)
        rows.append(99)
        return rows

    world.conductor.library.registry.add(keep)
    result = await world.run("""
        inputs: {rows: {type: array, default: [1, 2]}}
        variables: {more: [3]}
        nodes:
          a: {uses: t.do, with: {value: [7]}}
          b: {uses: t.keep, with: {rows: "${{ a }}"}}
          c: {uses: t.keep, with: {rows: "${{ a }}"}, needs: b}
          d: {uses: t.keep, with: {rows: "${{ inputs.rows }}"}, needs: c}
          e: {uses: t.keep, with: {rows: "${{ vars.more }}"}, needs: d}
          f: {uses: t.keep, with: {rows: [5]}, needs: e}
          m: {map: "${{ [a, a] }}", needs: f, uses: t.keep, with: {rows: "${{ item }}"}}
          end: {uses: t.do, with: {value: "${{ [a, b, inputs.rows, vars.more, m] }}"}}
    """)
    assert result.ok, result.error
    kept[0].append(100)
    assert result.output == {"end": [[7], [7, 99], [1, 2], [3], [[7, 99], [7, 99]]]}


async def test_a_large_value_is_seen_whole(world: World) -> None:
    text = "x" * 300_000
    result = await world.run(
        """
        inputs: {text: string}
        nodes:
          a: {uses: t.text, with: {value: "${{ inputs.text }}"}}
          b: {uses: t.do, with: {value: "${{ a.size() }}"}}
        output: ${{ [b, a] }}
    """,
        {"text": text},
    )
    assert result.output == [300_000, text]


async def test_typed_nodes_get_and_give_their_declared_types(world: World) -> None:
    seen: list[object] = []

    @node("t.make")
    async def make(order: Order, path: Path) -> Line:
        seen.extend([order, path])
        return Line(order, path / "x")

    @node("t.read")
    async def read(line: Line) -> str:
        seen.append(line)
        return f"{line.order.id} {line.path.name} {line.order.at.year}"

    for made in (make, read):
        world.conductor.library.registry.add(made)
    result = await world.run("""
        nodes:
          a: {uses: t.make, with: {order: {id: 7, at: "2024-05-01T12:00:00Z"}, path: out}}
          b: {uses: t.read, with: {line: "${{ a }}"}}
          c: {uses: t.do, with: {value: "${{ [b, a.order.id, a.path] }}"}}
    """)
    assert result.output == {"c": ["7 x 2024", 7, "out/x"]}
    assert [type(value).__name__ for value in seen] == ["Order", "PosixPath", "Line"]


async def test_a_value_that_does_not_fit_the_declared_type_fails_the_node(world: World) -> None:
    result = await world.run(
        "inputs: {x: any}\nnodes: {a: {uses: t.add, with: {x: '${{ inputs.x }}'}}}", {"x": "text"}
    )
    assert (code(result), result.error and result.error.node) == ("TYPE_MISMATCH", "a")
