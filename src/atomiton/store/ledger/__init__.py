"""What stands beside the runs in a store: the queue, triggers, sealed secrets.

base.py        a transaction, written once          sqlite.py, postgres.py    where it is done
queue.py       who may begin                        triggers.py               what has fired
"""
