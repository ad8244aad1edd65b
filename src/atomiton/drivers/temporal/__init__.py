"""Runs on Temporal: the machine is the workflow's code, nodes are its activities.

wire.py        what goes over the wire      values.py      values as payloads
workflow.py    the workflow: one for all    driving.py     facts in, commands performed
turns.py       what a replay can be sure of
happenings.py  what happens, one after the other
scopes.py      what a node's expressions see, to be sent to where it runs
activities.py  running nodes                programs.py    blueprints, compiled, of a worker
"""
