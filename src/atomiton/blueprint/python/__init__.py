"""A blueprint as the source of the Python function that builds it.

``to_python`` writes it. What it writes uses the names of ``atomiton.builder``, and makes the same
blueprint when it is run; what those functions have no words for is written in the words of the
format, with ``verbatim`` and ``step``.

layout.py       code in lines that are not too long
expressions.py  expressions as Python's operators, where these mean exactly the same
values.py       values with expressions in them
nodes.py        one node as a call
bodies.py       nodes together: groups, repeats, the function itself
head.py         the decorator and the parameters
"""

from __future__ import annotations

from atomiton.blueprint.python.head import to_python
from atomiton.blueprint.python.names import Known

__all__ = ["Known", "to_python"]
