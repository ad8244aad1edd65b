"""What goes over the border between a client and a server: the one place of these types.

Everything else that is sent is sent as it is: ``RunHeader``, ``RunView``, ``RunEvent``, ``Wait``,
``StoredBlueprint``, ``BlueprintPage``,
``NodeInfo``, ``Problem``. In JSON bytes are Base64 and times ISO 8601; in
MessagePack, which our own client speaks, every value arrives as what it was.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from atomiton.blueprint.model import Durability
from atomiton.conductor.api import Asked
from atomiton.conductor.nodes import NodeInfo
from atomiton.conductor.waits import Wait
from atomiton.errors import (
    AtomitonError,
    BlueprintError,
    Conflict,
    InputError,
    NotFound,
    Problem,
    RunBusy,
    StoreError,
    Unavailable,
)
from atomiton.events import Announcement, RunEvent
from atomiton.ports.admission import DeadLetter
from atomiton.ports.blueprints import BlueprintInfo
from atomiton.ports.journal import RunHeader
from atomiton.ports.secrets import SecretInfo
from atomiton.ports.triggers import Trigger

#: Where the API begins; a change that breaks clients begins elsewhere.
PREFIX = "/api/v1"
JSON = "application/json"
MSGPACK = "application/msgpack"
SSE = "text/event-stream"
PROBLEM = "application/problem+json"

Key = Annotated[str, Meta(min_length=1, max_length=255)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
Text = Annotated[str, Meta(max_length=10_000)]
Limit = Annotated[int, Meta(ge=1, le=1000)]
Number = Annotated[int, Meta(ge=0, le=2**53)]
Status = Literal["queued", "running", "waiting", "paused", "completed", "failed", "cancelled"]


class Asking(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is sent to a server; a field that it does not know is an error."""


class StopBefore(Asking):
    """A breakpoint: the run stops before the attempts of a node, if the condition holds."""

    node: Name
    condition: Annotated[str, Meta(max_length=2000)] = ""


Stops = Annotated[list[StopBefore], Meta(max_length=100)]


class StartRun(Asking):
    """Start a run: of a kept blueprint by its id, or of one that is sent along.

    Attributes:
        blueprint: Id of a kept blueprint.
        source: Text of a blueprint, instead.
        document: A blueprint as data, instead.
        inputs: By name.
        durability: Instead of the blueprint's own.
        key: A second run of the blueprint under the same key is not made.
        paused: Whether it waits to be resumed or stepped.
        priority: Of those that wait for their turn, higher ones begin earlier.
        lane: Runs of a blueprint in the same lane share a bound.
        delay: Seconds before which it does not begin.
        breakpoints: Where it stops; none at all, and it is not debugged.
    """

    blueprint: Name | None = None
    source: str | None = None
    document: dict[str, object] | None = None
    inputs: dict[str, object] = {}
    durability: Durability | None = None
    key: Key | None = None
    paused: bool = False
    priority: Annotated[int, Meta(ge=-(2**31) + 1, lt=2**31)] = 0
    lane: Annotated[str, Meta(max_length=255)] = ""
    delay: Annotated[float, Meta(ge=0, lt=1e10)] = 0.0
    breakpoints: Stops | None = None


class ForkRun(Asking):
    """Start a new run that begins where another one came to a node."""

    node: Name
    inputs: dict[str, object] = {}
    key: Key | None = None
    paused: bool = False


class RetryRun(Asking):
    """Start a new run that does what a failed or cancelled one did not."""

    key: Key | None = None
    paused: bool = False


class CancelRun(Asking):
    """Ask a run to stop."""

    reason: Text = ""
    by: Text = ""


class PauseRun(Asking):
    """Start nothing new until the run is resumed or stepped."""

    by: Text = ""


class ResumeRun(Asking):
    """Let a run go on.

    Attributes:
        lost: What becomes of attempts that were lost and must not be repeated unasked.
    """

    by: Text = ""
    lost: Literal["repeat", "fail"] | None = None


class SendSignal(Asking):
    """Send a signal to a run."""

    name: Name
    payload: object = None
    by: Text = ""
    key: Key | None = None


class AnswerApproval(Asking):
    """Answer an approval that a run waits for."""

    node: Name | None = None
    approved: bool = True
    by: Text = ""
    comment: Text = ""
    fields: dict[str, object] = {}
    key: Key | None = None


class Validate(Asking):
    """Check the text of a blueprint."""

    source: str


class PreviewExpression(Asking):
    """Ask what an expression would give over the data of a run.

    Attributes:
        run: Id of the run.
        text: The expression, or a text with ``${{ }}`` in it.
        node: Path of the node that it is to stand in; empty for the blueprint's output.
        bare: Whether all of the text is an expression.
        over: A text that gives a list: ``item`` is its first one.
        item: Which item or turn of the repeats around the node is looked at.
    """

    run: Name
    text: Text
    node: Annotated[str, Meta(max_length=4000)] = ""
    bare: bool = False
    over: Text | None = None
    item: Annotated[int, Meta(ge=0, le=10_000_000)] = 0


class WritePython(Asking):
    """Write the Python code that builds a blueprint."""

    source: str


class MomentsQuery(Asking):
    """Which moments of a schedule: the next ones, of a cron expression in a time zone."""

    cron: Name
    timezone: Name = "UTC"
    limit: Annotated[int, Meta(ge=1, le=50)] = 5


class RunsQuery(Asking):
    """Which runs to list: ``before`` is the id of the last one seen."""

    status: Status | None = None
    blueprint: Name | None = None
    before: Name | None = None
    limit: Limit = 100


class MatchingQuery(Asking):
    """Which runs: those whose ids begin or end with a text."""

    text: Name
    limit: Limit = 5


class DeadQuery(Asking):
    """Which dead letters: ``before`` is the id of the last one seen."""

    blueprint: Name | None = None
    code: Name | None = None
    before: Name | None = None
    limit: Limit = 100


class PauseTrigger(Asking):
    """Let a trigger start nothing, or something again."""

    paused: bool = True


class FireTrigger(Asking):
    """Start a run of a trigger's blueprint now."""

    inputs: dict[str, object] = {}
    key: Key | None = None


class Publish(Asking):
    """Tell of an event.

    Attributes:
        type: Of the event: the triggers of this type start runs.
        key: Names it: told again, it starts nothing again.
    """

    type: Name
    key: Key
    data: object = None


class SetSecret(Asking):
    """Keep a secret, sealed."""

    value: Annotated[str, Meta(min_length=1, max_length=65536)]


class EventsQuery(Asking):
    """Which facts: those after a number, waiting some seconds for the first."""

    after: Number = 0
    limit: Limit = 1000
    wait: Annotated[float, Meta(ge=0, le=60)] = 0.0
    encoding: Literal["json", "msgpack"] = "json"


class Announce(Asking):
    """Tell the bus of a server what another one has announced."""

    announcements: Annotated[list[Announcement], Meta(max_length=10_000)]


class WaitQuery(Asking):
    """How many seconds to wait for the run to end."""

    wait: Annotated[float, Meta(ge=0, le=60)] = 0.0


class BlueprintsQuery(Asking):
    """Which blueprints to list: ``after`` is ``next`` of the page before."""

    search: Annotated[str, Meta(max_length=255)] | None = None
    tag: Annotated[str, Meta(max_length=255)] | None = None
    deleted: bool = False
    after: Annotated[str, Meta(max_length=255)] | None = None
    limit: Limit = 100


class HistoryQuery(Asking):
    """Which revisions to list: ``before`` is the number of the last one seen."""

    before: Number | None = None
    limit: Limit = 100


class RestoreBlueprint(Asking):
    """Make an earlier revision the newest one."""

    revision: Number


class LimitQuery(Asking):
    """How many at most."""

    limit: Limit = 100


class Started(msgspec.Struct, frozen=True):
    """A run that was started: its id."""

    run: str


class Done(msgspec.Struct, frozen=True):
    """What was asked for is done, or on its way."""

    run: str


class RunPage(msgspec.Struct, frozen=True):
    """Some runs, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    runs: list[RunHeader]
    next: str | None = None


class Ids(msgspec.Struct, frozen=True):
    """Ids of runs, sorted."""

    runs: list[str]


class Pinned(msgspec.Struct, frozen=True):
    """The blueprint that a run is pinned to, as data."""

    document: dict[str, object]


class RunText(msgspec.Struct, frozen=True):
    """The blueprint of a run as text.

    Attributes:
        text: As YAML.
        exact: Whether it is what its author wrote, comments and all; else it was written anew.
        revision: Of the kept blueprint, when it is that.
    """

    text: str
    exact: bool
    revision: int | None = None


class DeadPage(msgspec.Struct, frozen=True):
    """Some dead letters, newest first; ``next`` is the ``before`` of those that follow, if any."""

    runs: list[DeadLetter]
    next: str | None = None


class TriggerList(msgspec.Struct, frozen=True):
    """Triggers of kept blueprints."""

    triggers: list[Trigger]


class Noted(msgspec.Struct, frozen=True):
    """What was asked for is done: of a trigger."""

    trigger: str


class Published(msgspec.Struct, frozen=True):
    """The runs that an event has started."""

    runs: list[str]


class SecretList(msgspec.Struct, frozen=True):
    """The kept secrets, by name."""

    secrets: list[SecretInfo]


class Announced(msgspec.Struct, frozen=True):
    """How many announcements were new."""

    new: int


class EventPage(msgspec.Struct, frozen=True):
    """Some facts of a run; ``next`` is the ``after`` of those that follow.

    Attributes:
        ended: Whether the run has ended and there are no more.
    """

    events: list[RunEvent]
    next: int
    ended: bool


class WaitList(msgspec.Struct, frozen=True):
    """What a run waits for."""

    waits: list[Wait]


class ApprovalList(msgspec.Struct, frozen=True):
    """Approvals that somebody is waited for to answer."""

    approvals: list[Asked]


class RevisionPage(msgspec.Struct, frozen=True):
    """Some revisions, newest first; ``next`` is the ``before`` of those that follow, if any."""

    items: tuple[BlueprintInfo, ...]
    next: int | None = None


class NodeList(msgspec.Struct, frozen=True):
    """Node types by name."""

    nodes: list[NodeInfo]


class Checked(msgspec.Struct, frozen=True):
    """Whether a blueprint can be run, and every problem found."""

    valid: bool
    problems: list[Problem]


class PythonCode(msgspec.Struct, frozen=True):
    """The source of a function that builds a blueprint."""

    code: str


class LoginLink(msgspec.Struct, frozen=True):
    """A link that logs a browser in, once.

    Attributes:
        path: Of the link.
        address: Where the server is on the network, such as ``http://127.0.0.1:8750``; None if it
            has no port.
    """

    path: str
    address: str | None = None


class Health(msgspec.Struct, frozen=True):
    """How the server is: ``ok``, or ``stopping``."""

    status: str
    version: str = ""


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error, as RFC 9457 has it.

    Attributes:
        type: Always ``about:blank``: ``code`` names the kind of error.
        title: What the status is called.
        status: HTTP status.
        detail: What went wrong, in one sentence.
        code: Stable code.
        kind: Class of the error in Python.
        problems: Everything that is wrong with a document or with inputs.
        details: Anything else.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    kind: str = "AtomitonError"
    problems: list[Problem] = []
    details: dict[str, object] | None = None


_KINDS: dict[str, type[AtomitonError]] = {
    of.__name__: of for of in (Conflict, NotFound, RunBusy, StoreError, Unavailable)
}


def error_of(problem: ProblemDetails) -> AtomitonError:
    """The error that a server told of, as it would have been raised there.

    Example:
        >>> error_of(ProblemDetails("about:blank", "", 404, "no run", "NOT_FOUND"))
        AtomitonError('no run')
    """
    if problem.problems and problem.kind in ("BlueprintError", "InputError"):
        listed = InputError if problem.kind == "InputError" else BlueprintError
        return listed(problem.problems)
    kind = _KINDS.get(problem.kind, AtomitonError)
    return kind(problem.detail, code=problem.code, details=problem.details)
