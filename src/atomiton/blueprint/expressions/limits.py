"""What an evaluation may cost, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

#: Levels of nesting an expression may have.
MAX_DEPTH: Final = 100
#: Expressions one text may hold.
MAX_EXPRESSIONS: Final = 5_000
#: Characters or bytes a text made by an expression may have.
MAX_TEXT: Final = 10 * 1024 * 1024
#: Items a list made outside of any metered evaluation may have.
MAX_ITEMS: Final = 1_000_000
#: Work one evaluation may do, unless told otherwise.
DEFAULT_STEPS: Final = 1_000_000
#: Levels of nesting of values that are compared.
MAX_VALUE_DEPTH: Final = 200

LIMIT: Final = "LIMIT_EXCEEDED"


class Failure(Exception):
    """An evaluation failed; becomes an ``ExpressionError`` where the evaluator is entered.

    The text is made only when somebody will read it: ``a || b`` may swallow thousands of these.
    """

    def __init__(
        self, at: int, message: str | Callable[[], str], code: str = "EXPRESSION_ERROR"
    ) -> None:
        super().__init__()
        self.at = at
        self.message = message
        self.code = code

    def text(self) -> str:
        """The message, made now if need be."""
        return self.message if isinstance(self.message, str) else self.message()


class Frame:
    """One metered evaluation: the scope, the steps left, the variables of macros."""

    __slots__ = ("fields", "scope", "steps", "variables")

    def __init__(self, scope: object, steps: int, variables: int) -> None:
        self.scope = scope
        self.steps = steps
        self.variables: list[object] = [None] * variables
        # The same list, for those who look at the type before they use a variable as a map.
        self.fields = cast("list[dict[str, object]]", self.variables)

    def charge(self, steps: int, at: int) -> None:
        """Take ``steps`` from what is left.

        Raises:
            Failure: Less than that is left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise Failure(at, "the evaluation takes more steps than it may", LIMIT)


def charge_text(meter: Frame | None, length: int, at: int) -> None:
    """Account for a text of ``length`` about to be made."""
    if length > MAX_TEXT:
        raise Failure(at, f"a text may have at most {MAX_TEXT} characters", LIMIT)
    if meter is not None and length > 32:
        meter.charge(length >> 5, at)


def charge_items(meter: Frame | None, length: int, at: int) -> None:
    """Account for a list or map of ``length`` about to be made."""
    if meter is not None:
        meter.charge(length, at)
    elif length > MAX_ITEMS:
        raise Failure(at, f"a list may have at most {MAX_ITEMS} items", LIMIT)


def charge_work(meter: Frame | None, length: int, at: int) -> None:
    """Account for looking through ``length`` characters at the speed of the machine."""
    if meter is not None and length > 1024:
        meter.charge(length >> 10, at)
