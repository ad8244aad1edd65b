"""A secret that is declared and has no value."""

from __future__ import annotations

import pytest

from atomiton import Conductor
from atomiton.blueprint.document import read_document


@pytest.mark.parametrize("name", ["NOPE", "OTHER"])
async def test_a_secret_without_a_value_is_told_with_the_ways_to_give_it_one(name: str) -> None:
    value = {"uses": "data.value", "with": {"value": f"${{{{ secrets.{name} }}}}"}}
    source = read_document({"atomiton": 1, "id": "s", "secrets": [name], "nodes": {"a": value}})
    async with Conductor("memory:") as conductor:
        result = await conductor.run(source)
    assert result.error is not None
    assert result.error.message.startswith(
        f"the secret {name} has no value: keep one with 'atomiton secrets set {name}', "
        f"or set ATOMITON_SECRET_{name}"
    )
