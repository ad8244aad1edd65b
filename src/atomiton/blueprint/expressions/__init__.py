"""Expressions: the Common Expression Language over plain values, with no way out.

``parse`` and ``parse_template`` read, ``bind`` compiles to closures, and what it gives evaluates.
The road through the package: ``lexer`` (tokens), ``parser`` (a tree of ``syntax``), ``compile``
(closures over ``values``, ``access``, ``macros`` and the tables of functions), ``limits`` (what
all of it may cost).
"""

from atomiton.blueprint.expressions.analysis import Mention, Reference
from atomiton.blueprint.expressions.expression import Expression, parse
from atomiton.blueprint.expressions.template import Template, parse_template
from atomiton.blueprint.expressions.values import value_to_text

__all__ = [
    "Expression",
    "Mention",
    "Reference",
    "Template",
    "parse",
    "parse_template",
    "value_to_text",
]
