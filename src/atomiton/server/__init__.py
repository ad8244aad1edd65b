"""The one API over HTTP, and on a Unix socket.

serve.py     the process: sockets, signals, start and stop    gate.py      who may come in
app.py       from a request to a conductor and back           access.py    tokens, logins, roles
table.py     every route, in one table                        policy.py    what nodes may do here
"""
