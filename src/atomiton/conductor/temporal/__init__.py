"""Conductors and workers whose runs are on a Temporal server.

address.py    temporal://HOST:PORT/NAMESPACE      journal.py     runs on the server, as a journal
conductor.py  the one API over it                 worker.py      a process that runs nodes there
"""
