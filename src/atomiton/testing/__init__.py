"""For users: test kits for nodes and blueprints.

virtual_time.py  an event loop whose time jumps      conductor.py   a conductor on it
trial.py         run a blueprint once                replacing.py   nodes replaced
results.py       what stands in for them             purity.py      proof that a node is pure
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomiton.testing.comparing import Difference as Difference
    from atomiton.testing.comparing import differences as differences
    from atomiton.testing.conductor import VirtualConductor as VirtualConductor
    from atomiton.testing.crashing import CrashFailure as CrashFailure
    from atomiton.testing.crashing import CrashReport as CrashReport
    from atomiton.testing.crashing import crash_at_every_step as crash_at_every_step
    from atomiton.testing.fakes.ambient import FakeClock as FakeClock
    from atomiton.testing.fakes.ambient import FakeRandom as FakeRandom
    from atomiton.testing.fakes.files import FakeFiles as FakeFiles
    from atomiton.testing.fakes.http import FakeHttp as FakeHttp
    from atomiton.testing.fakes.http import reply as reply
    from atomiton.testing.fakes.mail import FakeMail as FakeMail
    from atomiton.testing.fakes.process import FakeProcess as FakeProcess
    from atomiton.testing.purity import ImpureError as ImpureError
    from atomiton.testing.purity import assert_pure as assert_pure
    from atomiton.testing.recording import Recording as Recording
    from atomiton.testing.recording import Replay as Replay
    from atomiton.testing.recording import ReplayMismatch as ReplayMismatch
    from atomiton.testing.recording import record as record
    from atomiton.testing.recording import replay as replay
    from atomiton.testing.results import REAL as REAL
    from atomiton.testing.results import fails as fails
    from atomiton.testing.results import in_turn as in_turn
    from atomiton.testing.trial import Trial as Trial
    from atomiton.testing.trial import run as run
    from atomiton.testing.virtual_time import Stuck as Stuck
    from atomiton.testing.virtual_time import VirtualLoop as VirtualLoop
    from atomiton.testing.virtual_time import virtual_run as virtual_run

#: Where each public name lives; it is loaded when it is first used.
_HOMES = {
    "CrashFailure": "crashing",
    "CrashReport": "crashing",
    "Difference": "comparing",
    "FakeClock": "fakes.ambient",
    "FakeFiles": "fakes.files",
    "FakeHttp": "fakes.http",
    "FakeMail": "fakes.mail",
    "FakeProcess": "fakes.process",
    "FakeRandom": "fakes.ambient",
    "ImpureError": "purity",
    "REAL": "results",
    "Recording": "recording",
    "Replay": "recording",
    "ReplayMismatch": "recording",
    "Stuck": "virtual_time",
    "Trial": "trial",
    "VirtualConductor": "conductor",
    "VirtualLoop": "virtual_time",
    "assert_pure": "purity",
    "crash_at_every_step": "crashing",
    "differences": "comparing",
    "fails": "results",
    "in_turn": "results",
    "record": "recording",
    "replay": "recording",
    "reply": "fakes.http",
    "run": "trial",
    "virtual_run": "virtual_time",
}

__all__ = [
    "REAL",
    "CrashFailure",
    "CrashReport",
    "Difference",
    "FakeClock",
    "FakeFiles",
    "FakeHttp",
    "FakeMail",
    "FakeProcess",
    "FakeRandom",
    "ImpureError",
    "Recording",
    "Replay",
    "ReplayMismatch",
    "Stuck",
    "Trial",
    "VirtualConductor",
    "VirtualLoop",
    "assert_pure",
    "crash_at_every_step",
    "differences",
    "fails",
    "in_turn",
    "record",
    "replay",
    "reply",
    "run",
    "virtual_run",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'atomiton.testing' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"atomiton.testing.{home}"), name)
    globals()[name] = value
    return value
