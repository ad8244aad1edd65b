"""What goes over the border between a client and a server when a run is debugged."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from atomiton.conductor.stops import StepMode, Watched
from atomiton.conductor.wire import Asking, Key, Name, Number, Stops, Text


class StepRun(Asking):
    """Let a paused run start one more attempt, or finish a node.

    Attributes:
        mode: Into: one attempt. Over: until the node has ended. Out: until what is around it has.
        node: The node that is meant, when it is not the next.
    """

    by: Text = ""
    key: Key | None = None
    mode: StepMode = "into"
    node: Name | None = None


class SetBreakpoints(Asking):
    """Let a run stop before the attempts of some nodes, instead of those it had."""

    breakpoints: Stops
    by: Text = ""


class InputsQuery(Asking):
    """Of which node, and after which fact."""

    node: Name
    at: Number | None = None


class ChangeInputs(Asking):
    """Let a node of a paused run be called on other parameters."""

    node: Name
    parameters: dict[str, object]
    by: Text = ""


class WatchRun(Asking):
    """Work out expressions over what a run has given.

    Attributes:
        at: Number of the fact after which it is looked at; None for now.
        node: Where the expressions stand; None for the top.
    """

    expressions: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=2000)]], Meta(max_length=100)
    ]
    at: Number | None = None
    node: Name | None = None


class WatchedList(msgspec.Struct, frozen=True):
    """What expressions gave, in the order in which they were asked."""

    watched: list[Watched]
