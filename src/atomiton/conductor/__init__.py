"""The one API.

conductor.py   start runs, watch them, steer them     run.py      a handle to one
library.py     blueprints ready to run                result.py   how a run fared
watching.py    facts as readers are given them        ids.py      ids of runs
synchronous.py the thin face for plain code
"""

from atomiton.conductor.conductor import Conductor
from atomiton.conductor.run import Run

__all__ = ["Conductor", "Run"]
