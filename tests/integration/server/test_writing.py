"""What the server writes for the studio: Python code, and what expressions give."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.server.asking import Asked, asked

TEXT = """atomiton: 1
id: big
inputs: {least: {type: number, default: 2}}
nodes:
  numbers: {uses: data.value, with: {value: [1, 2, 3]}}
  big:
    uses: data.filter
    with: {items: "${{ numbers }}", where: item > inputs.least}
output: ${{ big.items }}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asked(tmp_path) as made:
        yield made


async def test_a_blueprint_is_written_as_python(server: Asked) -> None:
    guest = server.around.tokens.add("guest", "viewer")
    got = await server.ask("POST", "/api/v1/python", {"source": TEXT}, token=guest)
    assert got.status == 200
    assert got.data["code"] == (
        "from atomiton import blueprint\n"
        "from atomiton.nodes import data\n\n\n"
        '@blueprint(id="big")\n'
        "def big(least: float = 2) -> object:\n"
        '    numbers = data.value.with_(id="numbers")(value=[1, 2, 3])\n'
        '    big = data.filter_.with_(id="big")(items=numbers, where=lambda item: item > least)\n'
        "    return big.items\n"
    )


async def test_what_is_no_blueprint_has_no_code_but_problems(server: Asked) -> None:
    for source in ("id: [", "atomiton: 1\nid: x\n", ""):
        got = await server.ask("POST", "/api/v1/python", {"source": source})
        assert got.status == 422
        assert got.data["problems"]
