"""What goes over the wire between who starts a run, its workflow, and its activities."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from atomiton.errors import ErrorInfo
from atomiton.machine.events import Event, RunRequested
from atomiton.machine.records import decode, encode

#: The one type of workflow there is.
WORKFLOW = "atomiton"
#: Names of its queries and of its update.
FACTS, HEAD, TELL = "facts", "head", "tell"
#: The error of a message that is refused while pure nodes are at work: it is to be sent again.
BUSY = "BUSY"
#: Names of memos: what a run is, and how it stands.
MEMO_RUN, MEMO_STATUS = "atomiton", "atomiton_status"
#: Search attributes: of which blueprint a run is, and how it stands before it has ended.
BY_BLUEPRINT, BY_STATUS = "AtomitonBlueprint", "AtomitonStatus"
#: The server's own search attribute: the moment for which a schedule has started a workflow.
SCHEDULED = "TemporalScheduledStartTime"
#: The task queue, when none is named.
QUEUE = "atomiton"
#: Facts of an ended run that take no more bytes than this stand beside its result.
BESIDE = 48 * 1024
#: So do those of a run that has completed that take no more together with its output, written down:
#: the server takes values of up to 2 MB.
FULL = 1536 * 1024
#: Most bytes of facts in one answer to a query.
PAGE = 1024 * 1024


class Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a run is driven; fixed when it is started, since a replay must do the same again.

    Attributes:
        heartbeat: Seconds without a sign of life after which an attempt counts as lost.
        grace: Seconds between asking an attempt to stop and giving it up.
        local: Seconds within which a pure node is expected to end: so long it runs where the
            workflow is, which saves its way over the server; one that takes longer is run again
            as an activity of its own. 0 for never.
        history: Length of the history after which the run goes on in a new one as soon as nothing
            is at work.
        window: Most activities that are out at once.
        batch: Most items of a map in one activity.
        attributes: Whether the server knows the search attributes of runs.
        shared: Whether time limits of the same length share a timer of the server; runs that were
            begun before there was this do not know it.
    """

    heartbeat: float = 20.0
    grace: float = 10.0
    local: float = 5.0
    history: int = 8_000
    window: int = 200
    batch: int = 100
    attributes: bool = False
    shared: bool = False


class Start(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a workflow is started with.

    Attributes:
        record: The blueprint with those that it calls, as it is kept for a run.
        digest: The content hash of it.
        options: How it is driven.
        request: The first fact; None when ``carried`` holds it.
        carried: Facts so far, packed, of a run that goes on.
        fresh: Whether nobody has driven it before: what has no answer was never attempted.
        scheduled_at: Of a run that a schedule starts, the input that takes the moment; empty for
            none. None for any other run.
    """

    record: dict[str, object]
    digest: str
    options: Options = Options()
    request: RunRequested | None = None
    carried: str = ""
    fresh: bool = False
    scheduled_at: str | None = None


class Layer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One scope of those that the expressions of a node see.

    Attributes:
        unit: Which of the units it belongs to.
        body: Whether it is a body; else an item, a turn, or what is compensated.
        outputs, infos, missing: Of a body: what nodes gave, how they fare, which gave nothing.
        item, index, acc, own: Of an item.
    """

    unit: int = 0
    body: bool = False
    outputs: dict[str, object] = {}
    infos: dict[str, dict[str, object]] = {}
    missing: list[int] = []
    item: object = None
    index: int = 0
    acc: object = None
    own: object = None


class UnitSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A blueprint as its expressions see it: what it was given, and how its run fares."""

    inputs: dict[str, object] = {}
    variables: dict[str, object] = {}
    info: dict[str, object] = {}


class Scopes(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that the expressions of a node see, from the inside outwards."""

    layers: list[Layer]
    units: list[UnitSeen]


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt that is to be made.

    Attributes:
        node: Path of the node.
        frame, number, attempt: What the machine calls the attempt.
        deadline: Moment by which it must have ended.
        parameters: What the node is called on, when that could be worked out.
        scopes: What they are to be worked out of, where secrets or functions are among them.
        changed: Parameters that somebody put in place of the node's own, with marks for secrets.
    """

    node: str
    frame: int
    number: int
    attempt: int = 1
    deadline: float | None = None
    parameters: dict[str, object] | None = None
    scopes: Scopes | None = None
    changed: dict[str, object] | None = None


class Work(msgspec.Struct, frozen=True):
    """What an activity does: attempts of the same node.

    Attributes:
        run: Id of the run.
        digest: Content hash of its blueprint.
        step: Number of the call in the plan.
        tasks: The attempts.
    """

    run: str
    digest: str
    step: int
    tasks: list[Task]


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an attempt ended: with an output, or with an error; and what it has cost."""

    output: object = None
    error: ErrorInfo | None = None
    cost: float = 0.0


class Done(msgspec.Struct, frozen=True):
    """How the attempts of an activity ended, in order."""

    outcomes: list[Outcome]


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a run stands: what changes of its header."""

    status: str
    events: int = 0
    reason: str | None = None
    ended_at: float | None = None
    error_code: str | None = None
    error_message: str | None = None


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run is: what never changes of its header.

    Attributes:
        trigger: Id of the schedule that starts it. When it was started, and under which key, is
            then said by the moment of the schedule (``SCHEDULED``), and by nothing here.
    """

    blueprint: str
    digest: str
    created_at: float
    version: str = ""
    key: str | None = None
    trigger: str = ""


class Ended(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a workflow gives that has completed.

    Attributes:
        output: What the run gave.
        facts: All of its facts, packed, if they are few.
    """

    output: object = None
    facts: str = ""


class FactsPage(msgspec.Struct, frozen=True):
    """Facts of a run that follow a number.

    Attributes:
        facts: They, packed.
        total: How many the run has by now.
        ended: Whether there will be no more.
    """

    facts: str
    total: int
    ended: bool


def pack(facts: Sequence[Event]) -> str:
    """Facts as a short text.

    Example:
        >>> from atomiton.machine.events import Paused
        >>> unpack(pack([Paused(1.5)]))
        [Paused(time=1.5, by='')]
    """
    records = msgspec.msgpack.encode([encode(fact) for fact in facts])
    return base64.b64encode(zlib.compress(records, 6)).decode()


def unpack(text: str) -> list[Event]:
    """The facts of ``pack``."""
    records = msgspec.msgpack.decode(zlib.decompress(base64.b64decode(text)), type=list[bytes])
    return [decode(record) for record in records]


def seconds(number: float) -> timedelta:
    """A length of time."""
    return timedelta(seconds=number)


#: Values that JSON has no words for, but records have.
RAW = (bytes, bytearray, memoryview, datetime)
