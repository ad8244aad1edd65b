"""Blueprints built in Python: the body of a function is traced once into a document.

decorator.py   @blueprint                  built.py      what it makes: run, to_yaml, children
traced.py      stands for a value          parts.py      pieces of expressions
scopes.py      state of one tracing        tracer.py     recording calls and their policies
literals.py    Python values, written      inputs.py     parameters as declarations
repeats.py     each, repeat                routes.py     branch, switch
groups.py      group, race                 waits.py      wait_for, approval
calls.py       use, call                   values.py     size, contains, expression, ...
plain.py       as ordinary Python          places.py     the user's file and line
evaluating.py  expressions, computed       caught.py     try around nodes
"""

from __future__ import annotations

from atomiton.builder.built import BlueprintFunction, BuiltBlueprint, from_yaml
from atomiton.builder.calls import call, step, use
from atomiton.builder.decorator import blueprint
from atomiton.builder.groups import group, race
from atomiton.builder.repeats import ItemError, each, repeat
from atomiton.builder.routes import branch, routes, switch
from atomiton.builder.values import (
    contains,
    ends,
    error_of,
    expression,
    is_null,
    secret,
    size,
    status_of,
    verbatim,
)
from atomiton.builder.waits import Approval, approval, wait_for

__all__ = [
    "Approval",
    "BlueprintFunction",
    "BuiltBlueprint",
    "ItemError",
    "approval",
    "blueprint",
    "branch",
    "call",
    "contains",
    "each",
    "ends",
    "error_of",
    "expression",
    "from_yaml",
    "group",
    "is_null",
    "race",
    "repeat",
    "routes",
    "secret",
    "size",
    "status_of",
    "step",
    "switch",
    "use",
    "verbatim",
    "wait_for",
]
