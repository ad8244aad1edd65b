"""Conductors and workers whose runs are on a Temporal server.

address.py    temporal://HOST:PORT/NAMESPACE      journal.py     runs on the server, as a journal
conductor.py  the one API over it                 worker.py      a process that runs nodes there
triggers.py   triggers of kept blueprints         schedules.py   schedules, as the server's own
calendars.py  cron, in the server's words         fired.py       what is shown of runs of schedules
codec.py      what is done to payloads            told.py        the server's errors, as ours
"""
