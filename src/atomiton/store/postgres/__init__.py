"""Runs and blueprints in a Postgres database, shared by processes on many machines.

A map of the folder: ``server`` reads addresses, connects and says what failures mean; ``schema``
brings the tables up to date; ``identity`` says who is alive; ``writer`` commits what concurrent
runs add in one transaction, and outlives a server that is away for a while; ``tables`` is what is
written, ``reading`` what is read; ``journal`` puts them behind the ``Journal`` port.
"""
