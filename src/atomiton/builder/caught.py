"""``try`` around the call of a node: Python sees no error there, and a run sees no ``try``."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import lru_cache
from types import CodeType, FrameType

from atomiton.builder.places import is_ours, shown
from atomiton.errors import TracingError


def refuse_try(top: CodeType) -> TracingError | None:
    """What is wrong with a node that is called here; to be raised when all of them were called.

    Raised at once, it would be caught.

    Args:
        top: The function of the blueprint.
    """
    found = trying(top)
    if found is None:
        return None
    return TracingError(
        "'try' catches nothing here: a node is only recorded, and fails when the blueprint runs",
        file=shown(found[0]),
        line=found[1],
        hint="use node.with_(on_error={'value': ...})(...), or on_error='continue' and error_of()",
    )


def trying(top: CodeType) -> tuple[str, int] | None:
    """File and line of the ``try`` with ``except`` that is around the code that runs.

    Args:
        top: The function of the blueprint: what calls that is no part of it.

    Returns:
        None when there is none, or no source to look into.
    """
    frame: FrameType | None = inspect.currentframe()
    found: tuple[str, int] | None = None
    while frame is not None:
        code = frame.f_code
        # Most functions have nothing that catches, and need not be read.
        if code.co_exceptiontable and not is_ours(code.co_filename):
            for first, last, line in _tries(code):
                if found is None and first <= frame.f_lineno <= last:
                    found = code.co_filename, line
        if code is top:
            return found
        frame = frame.f_back
    return None


@lru_cache(maxsize=256)
def _tries(code: CodeType) -> tuple[tuple[int, int, int], ...]:
    """Of each ``try`` that catches: the first and last line of its body, and its own."""
    try:
        lines, first = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError, TypeError):  # typed at a prompt, or a lambda within other code
        return ()
    shift = max(first, 1) - 1
    return tuple(
        (
            node.body[0].lineno + shift,
            (node.body[-1].end_lineno or node.body[-1].lineno) + shift,
            node.lineno + shift,
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Try | ast.TryStar) and node.handlers
    )
