"""How one use of a node differs from its type, and who records uses instead of running them.

While a blueprint is built in Python, a call of a node function is not run but recorded. The
recorder is named here, below the builder, so that node functions need not know the builder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from atomiton.blueprint.model import Retry

if TYPE_CHECKING:
    from atomiton.nodes.spec import NodeFunction

Join = Literal["all", "any", "first", "settled"] | Mapping[str, int]
"""When a node with several dependencies runs; ``{"at_least": n}`` for a number of them."""

Caching = bool | float | str | Mapping[str, object]
"""Whether, or how long, results are kept: as ``cache`` in the format."""


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """What one use of a node asks for, beside its parameters. None is the default of the type.

    Attributes:
        id: Id of the node in the blueprint.
        name: Name for people.
        description: One line for people.
        needs: Values, or ids as text, of nodes that come first.
        if_: Condition; when false the node is skipped.
        join: When it runs, if it depends on several nodes.
        enabled: Whether it runs at all.
        retry: When a failed attempt is tried again; a ``Retry``, or a dict with its keys.
        timeout: Bound of one attempt, in seconds or as text such as ``10s``.
        deadline: Bound of all attempts together.
        on_error: ``continue``, or ``{"value": ...}`` to go on with that.
        compensate: What undoes the node: a function of its result that calls one node.
        when_failed: Of a compensation: whether it also runs when the node itself failed.
        runtime: ``inline``, ``thread`` or ``process``; or ``{"queue": name}``.
        cache: Whether results are kept.
        weight: Share of the run's progress.
    """

    id: str | None = None
    name: str | None = None
    description: str | None = None
    needs: Sequence[object] | None = None
    if_: object = None
    join: Join | None = None
    enabled: bool | None = None
    retry: Retry | Mapping[str, object] | None = None
    timeout: float | str | None = None
    deadline: float | str | None = None
    on_error: object = None
    compensate: Callable[..., object] | None = None
    when_failed: bool | None = None
    runtime: str | dict[str, str] | None = None
    cache: Caching | None = None
    weight: float | None = None

    def changed(self, more: Policies) -> Policies:
        """These policies, with what ``more`` sets in place of what was set."""
        given = {name: value for name, value in settings(more) if value is not None}
        return msgspec.structs.replace(self, **given)


def settings(policies: Policies) -> list[tuple[str, object]]:
    """Every policy by name, in the order of ``Policies``."""
    return [(name, getattr(policies, name)) for name in policies.__struct_fields__]


class Recorder(Protocol):
    """Who is told of calls of node functions, instead of the functions being called."""

    def call(
        self,
        node: NodeFunction[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> object:
        """Take note of a call; gives what stands for its result."""
        ...


RECORDER: ContextVar[Recorder | None] = ContextVar("atomiton_recorder", default=None)
"""The recorder of the blueprint that is being built here; None when none is."""
