"""How a run moves: facts in, wishes out. Pure: no I/O, no clock, no randomness, no threads.

events.py    what can have happened         commands.py      what can be wished
state.py     where a run is                 transitions.py   the table: fact -> handler
joining.py   whether a node is wanted       starting.py      from waiting to running
bodies.py    groups, maps, loops            waiting.py       times, signals, approvals
ending.py    from running to ended          settling.py      what that means for others
stopping.py  failure and cancellation       finishing.py     the end of a run, compensation
retry.py     whether and when to try again  firing.py        when a timer has fired
timers.py    setting and dropping timers    progress.py      how far a run is
attempts.py  sending attempts out           records.py       facts as bytes
passing.py   the common end, in one go
"""

from atomiton.machine.state import RunState
from atomiton.machine.transitions import apply, outstanding

__all__ = ["RunState", "apply", "outstanding"]
