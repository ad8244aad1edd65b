"""How a run moves: facts in, wishes out. Pure: no I/O, no clock, no randomness, no threads.

events.py    what can have happened         commands.py      what can be wished
state.py     where a run is                 transitions.py   the table: fact -> handler
starting.py  from waiting to running        ending.py        from running to ended
stopping.py  failure and cancellation       firing.py        when a timer has fired
retry.py     whether and when to try again  timers.py        setting and dropping timers
progress.py  how far a run is               records.py       facts as bytes
"""

from atomiton.machine.state import RunState
from atomiton.machine.transitions import apply, outstanding

__all__ = ["RunState", "apply", "outstanding"]
