"""The one API.

conductor.py   start runs, watch them, steer them     run.py      a handle to one
library.py     blueprints ready to run                result.py   how a run fared
watching.py    facts as readers are given them        ids.py      ids of runs
decisions.py   what becomes of lost attempts          synchronous.py   for plain code
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomiton.conductor.conductor import Conductor as Conductor
    from atomiton.conductor.run import Run as Run

__all__ = ["Conductor", "Run"]


def __getattr__(name: str) -> object:
    """Load the conductor on first use: whoever only reads blueprints needs no event loop."""
    if name == "Conductor":
        from atomiton.conductor.conductor import Conductor

        return Conductor
    if name == "Run":
        from atomiton.conductor.run import Run

        return Run
    raise AttributeError(f"module 'atomiton.conductor' has no attribute {name!r}")
