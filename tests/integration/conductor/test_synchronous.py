"""The thin face for plain code."""

from __future__ import annotations

from pathlib import Path

import pytest

import atomiton
from atomiton.errors import AtomitonError

HELLO = """
atomiton: 1
id: hello
inputs: {name: {type: string, default: world}}
nodes:
  greet: {uses: data.value, with: {value: "Hello, ${{ inputs.name }}"}}
output: ${{ greet }}
"""


def test_a_file_is_run_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "hello.yaml"
    path.write_text(HELLO)
    assert atomiton.run(path).output == "Hello, world"
    result = atomiton.run(str(path), {"name": "Ada"}, store=str(tmp_path / "runs.db"))
    assert result.value() == "Hello, Ada"


async def test_inside_an_event_loop_the_right_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(AtomitonError, match=r"await conductor\.run"):
        atomiton.run(tmp_path / "any.yaml")


def test_public_names_are_all_there() -> None:
    assert set(atomiton.__all__) <= set(dir(atomiton))
    for name in atomiton.__all__:
        assert getattr(atomiton, name) is not None
    with pytest.raises(AttributeError):
        _ = atomiton.no_such_name  # type: ignore[attr-defined]
