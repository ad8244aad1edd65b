"""The one API over IPC and HTTP.

connecting.py    from an address to a conductor    conductor.py    the API, over a connection
http.py          requests and answers, pooled      streams.py      events that go on after a loss
"""

from __future__ import annotations

from atomiton.client.connecting import connect

__all__ = ["connect"]
