"""Running what was imported."""

from __future__ import annotations

from pathlib import Path

from atomiton import Conductor
from atomiton.conductor.result import RunResult
from atomiton.interop import Imported, import_workflow

PETS = {"1": {"id": 1, "name": "Rex"}, "2": {"id": 2, "name": "Milou"}}


async def run(made: Imported, folder: Path, **inputs: object) -> RunResult:
    """Run an imported workflow from the file that a user would have."""
    file = folder / "imported.yaml"
    file.write_text(made.text, encoding="utf-8")
    async with Conductor("memory:") as conductor:
        return await conductor.run(str(file), dict(inputs))


async def gives(text: str, folder: Path, name: str = "flow", **inputs: object) -> object:
    """The output of a workflow that maps as a whole."""
    made = import_workflow(text, filename=name)
    assert made.report.complete, [entry.as_object() for entry in made.report.entries]
    result = await run(made, folder, **inputs)
    assert result.status == "completed", result.error
    return result.output
