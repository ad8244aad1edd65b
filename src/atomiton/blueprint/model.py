"""What a workflow is: the one model behind YAML, the studio and Python.

A ``Blueprint`` is checked in its shape (keys, types, durations) but not in its meaning: whether
references exist and node types are known is the compiler's question (``plan``).
Durations are seconds; absent policies are None, so that defaults can be told from choices.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A JSON value."""

Durability = Literal["sync", "async", "none"]

RUN_EVENTS = frozenset({"run.completed", "run.failed", "run.cancelled"})
"""Types of events that the ends of runs are; nobody else may tell of them."""


class Retry(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """When and how often a failed attempt is tried again.

    Attributes:
        attempts: Number of all tries, at least 1.
        delay: Seconds before the second try.
        factor: What each further wait is multiplied by.
        max_delay: Longest wait, in seconds.
        jitter: Share of the wait, 0 to 1, that is drawn at random around it.
        on: Error codes to retry, even those that are normally not; empty for all that may help.
        not_on: Error codes never to retry.
    """

    attempts: int = 1
    delay: float = 1.0
    factor: float = 2.0
    max_delay: float = 60.0
    jitter: float = 0.1
    on: tuple[str, ...] = ()
    not_on: tuple[str, ...] = ()


class Wait(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a wait node waits for: for a time, a moment, a signal or an approval.

    Attributes:
        seconds: How long: a number, or text with an expression that gives a duration.
        until: An expression that gives the moment.
        signal: Name of a signal.
        match: Condition on the signal's payload.
        approval: What a person is asked.
        timeout: Seconds after which waiting fails.
    """

    seconds: float | str | None = None
    until: str | None = None
    signal: str | None = None
    match: str | None = None
    approval: dict[str, Json] | None = None
    timeout: float | None = None


class Compensation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What undoes a node.

    Attributes:
        node: What is run: its kind, parameters and policies.
        when_failed: Whether also when the node itself has failed.
    """

    node: Node
    when_failed: bool = False


class Node(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One node: exactly one kind (``uses``, ``nodes``, ``call``, ``branch`` or ``wait``).

    Attributes:
        uses: Name of a node type, ``type`` or ``type@major``.
        nodes: Body of a group, by node id in document order.
        output: What a group gives; None for the outputs of its sinks.
        call: Another blueprint.
        branch: Route name to condition, in order.
        mode: ``first`` or ``all`` routes of a branch.
        wait: What a wait node waits for.
        map, as_, concurrency, on_item_error: The map repeat.
        loop: The loop repeat, as written.
        with_: Parameters, as written.
        needs: Nodes (or ``branch.route``, ``node.error``) that come first.
        if_: Condition; when false the node is skipped.
        retry, timeout, deadline: Policies; seconds.
        compensate: What undoes it.
        on_error: None, ``{"continue": True}`` or ``{"value": ...}``.
        weight: Share of the run's progress.
    """

    name: str | None = None
    description: str | None = None
    uses: str | None = None
    nodes: dict[str, Node] | None = None
    output: Json = None
    call: str | None = None
    branch: dict[str, str] | None = None
    mode: Literal["first", "all"] | None = None
    wait: Wait | None = None
    race: bool = False
    map: Json = None
    as_: str | None = msgspec.field(default=None, name="as")
    concurrency: int | None = None
    on_item_error: Literal["fail", "collect", "skip"] | None = None
    loop: dict[str, Json] | None = None
    with_: dict[str, Json] = msgspec.field(default_factory=dict[str, Json], name="with")
    needs: tuple[str, ...] = ()
    if_: str | None = msgspec.field(default=None, name="if")
    join: Literal["all", "any", "first", "settled"] | dict[str, int] | None = None
    enabled: bool = True
    retry: Retry | None = None
    timeout: float | None = None
    deadline: float | None = None
    on_error: Json = None
    compensate: Compensation | None = None
    runtime: str | dict[str, str] | None = None
    cache: Json = None
    weight: float = 1.0


class Defaults(msgspec.Struct, frozen=True, omit_defaults=True):
    """Policies of every node that does not say otherwise."""

    retry: Retry | None = None
    timeout: float | None = None
    runtime: str | dict[str, str] | None = None


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Bounds of one run.

    Attributes:
        concurrency: Most attempts at once.
        timeout: Most seconds of wall clock.
        steps: Most attempts in all.
        cost: What attempts may spend in all before no more are begun, in any unit.

    Example:
        >>> Limits(timeout=3600, steps=500).steps
        500
    """

    concurrency: int | None = None
    timeout: float | None = None
    steps: int | None = None
    cost: float | None = None


class Blueprint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A whole blueprint.

    Attributes:
        document: The document this model was read from, as plain data in its own order. It is
            what is stored, hashed and written back; the other fields are its reading.
        inputs: Input name to JSON Schema property; required unless it has ``default``.
        on: What runs when the run is over, by success, failure, cancel and always.
        output: Value that may hold expressions; ``has_output`` tells None from absent.
    """

    id: str
    nodes: dict[str, Node]
    name: str | None = None
    version: str | None = None
    description: str | None = None
    metadata: dict[str, Json] = msgspec.field(default_factory=dict[str, Json])
    inputs: dict[str, dict[str, Json]] = msgspec.field(default_factory=dict[str, dict[str, Json]])
    variables: dict[str, Json] = msgspec.field(default_factory=dict[str, Json])
    secrets: tuple[str, ...] = ()
    output: Json = None
    has_output: bool = False
    defaults: Defaults = Defaults()
    limits: Limits = Limits()
    durability: Durability = "sync"
    compensate_on: tuple[str, ...] = ("failure", "cancel")
    on: dict[str, Node] = msgspec.field(default_factory=dict[str, Node])
    triggers: tuple[dict[str, Json], ...] = ()
    layout: dict[str, Json] = msgspec.field(default_factory=dict[str, Json])
    document: dict[str, Json] = msgspec.field(default_factory=dict[str, Json])
