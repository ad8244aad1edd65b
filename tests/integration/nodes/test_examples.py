"""Every example runs as it stands."""

from __future__ import annotations

import pytest

import atomiton
from atomiton.nodes.registry import BUILTIN, Registry


@pytest.mark.parametrize("name", sorted(set(BUILTIN) - {"http.request"}))
async def test_an_example_runs(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATOMITON_SECRET_SIGNING_KEY", "a key that nobody knows")
    path = tmp_path / "example.yaml"
    path.write_text(Registry.builtin().get(name).example)
    async with atomiton.Conductor(store="memory:") as conductor:
        result = await conductor.run(path)
    assert (result.status, result.error) == ("completed", None)
    assert result.output is not None
