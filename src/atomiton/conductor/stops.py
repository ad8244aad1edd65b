"""A run that is debugged, as it is told to people: where it stands, what nodes are called on."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from atomiton.machine.events import Breakpoint

#: Breakpoints that a run may have; expressions that may be watched at once.
MOST: Final = 100
#: Nodes that could start next of which the first are told.
NEXT: Final = 100
#: Characters of an expression.
LONGEST: Final = 2_000
#: Bytes of a value, as JSON, that are shown.
LARGEST: Final = 64 * 1024

StepMode = Literal["into", "over", "out"]
"""What a step goes over: one attempt, a node with all that is in it, or what is around it."""


class NextNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node that a paused run would start next.

    Attributes:
        node: Its path.
        type: Name of its node type; empty when it holds a body or waits.
        attempt: Number of the attempt that would be made.
        changed: Whether somebody has changed what it is called on.
        frame, number: What the machine calls it.
    """

    node: str
    type: str = ""
    attempt: int = 1
    changed: bool = False
    frame: int = 0
    number: int = 0


class Standing(msgspec.Struct, frozen=True):
    """Where a run that is debugged stands.

    Attributes:
        status: As ``RunResult.status``.
        paused: Whether nothing starts by itself.
        stopped: Path of the node with a breakpoint that it has stopped before, if it has.
        breakpoints: Those that are set.
        next: The nodes that could start next; the first hundred.
        events: Number of its last fact.
    """

    status: str
    paused: bool
    stopped: str | None
    breakpoints: tuple[Breakpoint, ...]
    next: tuple[NextNode, ...]
    events: int


class NodeInputs(msgspec.Struct, frozen=True):
    """What a node is to be called on, if it is called now.

    Attributes:
        node: Its path.
        type: Name of its node type.
        attempt: Number of the attempt.
        parameters: By name, without the values of secrets.
        expressions: Parameters that are expressions, and are the node's own.
        changed: Whether somebody has changed them.
        open: Whether they can still be changed.
    """

    node: str
    type: str
    attempt: int
    parameters: dict[str, object]
    expressions: tuple[str, ...] = ()
    changed: bool = False
    open: bool = False


class Watched(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an expression gave, or why it gave nothing.

    Attributes:
        expression: Its text.
        value: What it gave; of a large value the beginning.
        cut: Whether more of it is not shown.
        error: Why it could not be worked out; empty if it could.
    """

    expression: str
    value: object = None
    cut: bool = False
    error: str = ""
