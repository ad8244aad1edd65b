"""Crash a blueprint at every step, in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from atomiton.blueprint.model import Blueprint
from atomiton.conductor.library import Source
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError
from atomiton.events import RunEvent
from atomiton.nodes.guard import Capabilities
from atomiton.testing.answering import check_answers
from atomiton.testing.conductor import ReplacingLibrary
from atomiton.testing.crash_journal import Place
from atomiton.testing.lives import Setting, Story, Teller
from atomiton.testing.observing import ObservedRegistry, World

__all__ = ["CrashFailure", "CrashReport", "crash_at_every_step"]

#: How many failures a message shows.
SHOWN = 20
Same = Callable[[object, object], bool]


class CrashReport(msgspec.Struct, frozen=True):
    """What was tried, and that all of it went well.

    Attributes:
        status: How the run ends, with and without crashes.
        writes: How often a process that does not die writes to the journal.
        crashes: How many places were tried, one run each (or one for each pair of places).
        decisions: In how many of them the run stopped to be decided about, as it must: an attempt
            that must not be repeated unasked had acted, and nobody saw its end.
        acts: How often nodes acted, in all of them together.
    """

    status: str
    writes: int
    crashes: int
    decisions: int
    acts: int

    def __str__(self) -> str:
        """Say it in a line."""
        stopped = f", {self.decisions} stopped for a decision" if self.decisions else ""
        return (
            f"{self.status} after each of {self.crashes} crashes at {self.writes} writes{stopped}"
        )


class CrashFailure(AssertionError):
    """A run did not survive some crashes as it must.

    Attributes:
        failures: One sentence for each, with the place of the crash.
    """

    def __init__(self, blueprint: str, crashes: int, failures: Sequence[str]) -> None:
        self.failures = list(failures)
        lines = [f"{blueprint}: {len(failures)} failures in {crashes} crashes"]
        lines += [f"  {failure}" for failure in failures[:SHOWN]]
        if len(failures) > SHOWN:
            lines.append(f"  and {len(failures) - SHOWN} more")
        super().__init__("\n".join(lines))


def crash_at_every_step(
    blueprint: Source,
    inputs: Mapping[str, object] | None = None,
    *,
    nodes: Sequence[object] = (),
    replace: Mapping[str, object] | Callable[[], Mapping[str, object]] | None = None,
    answers: Mapping[str, object] | None = None,
    capabilities: Capabilities | Callable[[], Capabilities] | None = None,
    secrets: Mapping[str, str] | None = None,
    same: Same | None = None,
    deaths: int = 1,
) -> CrashReport:
    """Run a blueprint durably, and again for each place at which its process can die.

    The process dies before and after every write to its journal, without tidying up; where
    something was stored but was not certain to be on disk, also with that lost. Another process
    goes on from what is stored, by the real driver, in virtual time. It must end as the run without
    a crash; nothing whose result is stored may act again; a node with the effect ``once`` may act
    once. Nodes that run in worker processes run in threads here.

    Args:
        blueprint: A ``Blueprint``, or the path of a file.
        inputs: By name, as the blueprint declares them.
        nodes: Node functions, or files of them, beside the library's.
        replace: Stand-ins, as for ``run``; a function makes new ones for each run.
        answers: What somebody answers who is asked, by path of the node that waits: what a signal
            carries; for an approval its fields, True for one without, False to deny.
            An answer that was not stored is given again to the next process.
        capabilities: What nodes reach the world with. Fakes are reset before each run; a function
            makes new ones for each run.
        secrets: Values by name.
        same: Whether two outputs are the same; by default whether they are equal. The first is
            that of the run without a crash.
        deaths: How many processes die in one run at most; with 2 every place of recovery is tried
            for every place of the first death, which takes as many runs as there are pairs.

    Returns:
        What was tried.

    Raises:
        CrashFailure: Something did not go well; it names every place.
        AtomitonError: The blueprint cannot be tried: nothing of it is stored, or it waits for
            something that never comes even without a crash.

    Example:
        >>> from atomiton.blueprint.document import read_document
        >>> two = read_document({"atomiton": 1, "id": "two", "nodes": {
        ...     "a": {"uses": "data.value", "with": {"value": 1}},
        ...     "b": {"uses": "flow.log", "with": {"message": "${{ a }}"}},
        ... }})
        >>> str(crash_at_every_step(two))
        'completed after each of 10 crashes at 4 writes'
    """
    loaded = _loaded(blueprint, nodes, replace)
    check_answers(answers or {}, loaded)
    setting = Setting(
        blueprint,
        dict(inputs or {}),
        nodes,
        replace if callable(replace) else lambda: replace or {},
        _maker(capabilities),
        secrets,
        answers or {},
    )
    campaign = _Campaign(setting, same or _equal, power=loaded.durability == "sync")
    campaign.go_on((), campaign.first.writes, deaths)
    if campaign.failures:
        raise CrashFailure(loaded.id, campaign.crashes, campaign.failures)
    return CrashReport(
        campaign.result.status,
        campaign.first.writes,
        campaign.crashes,
        campaign.decisions,
        campaign.acts,
    )


def _loaded(source: Source, nodes: Sequence[object], replace: object) -> Blueprint:
    """Read a blueprint; what is wrong with it is told with its place."""
    library = ReplacingLibrary(
        ObservedRegistry.telling(World()),
        Capabilities(),
        nodes,
        (replace() if callable(replace) else replace) or {},  # type: ignore[arg-type]
    )
    blueprint = library.load(source)
    if blueprint.durability == "none":
        message = "with 'durability: none' nothing of a run is stored: no crash can be survived"
        raise AtomitonError(message, code="NOT_SUPPORTED")
    return blueprint


def _maker(
    given: Capabilities | Callable[[], Capabilities] | None,
) -> Callable[[], Capabilities]:
    if given is None:
        return Capabilities
    return (lambda: given) if isinstance(given, Capabilities) else given


def _equal(one: object, other: object) -> bool:
    return one == other


class _Campaign:
    """All runs of one blueprint."""

    def __init__(self, setting: Setting, same: Same, *, power: bool) -> None:
        self.setting = setting
        self.power = power
        self.same = same
        self.failures: list[str] = []
        self.crashes = self.decisions = self.acts = 0
        self.first = self._story(())
        if self.first.waiting is not None:
            message = f"the run does not end even without a crash: {self.first.waiting}"
            raise AtomitonError(message, code="TIMEOUT")
        self.failures += [f"without a crash: {what}" for what in self.first.repeated]
        assert self.first.result is not None
        self.result: RunResult = self.first.result

    def go_on(self, before: tuple[Place, ...], writes: int, deaths: int) -> None:
        """Try every place of the process that comes after those that died at some places."""
        if deaths < 1:
            return
        for number in range(writes):
            for stored in (False, True):
                story = self._try((*before, Place(number, stored)), deaths)
                # Under other durabilities a power failure may take back what nobody was promised.
                if self.power and story.uncertain:
                    self._try((*before, Place(number, stored, lost=True)), deaths)

    def _try(self, places: tuple[Place, ...], deaths: int) -> Story:
        story = self._story(places)
        if len(story.lasts) < len(places):
            return story  # it ended before it could die there: another run has seen that place
        self.crashes += 1
        self.decisions += story.decision
        self.failures += [f"{self._place(story)}: {what}" for what in self._wrong(story)]
        if not story.decision:
            self.go_on(places, story.writes, deaths - 1)
        return story

    def _story(self, places: tuple[Place, ...]) -> Story:
        story = Teller(self.setting).tell(places)
        self.acts += story.acts
        return story

    def _wrong(self, story: Story) -> list[str]:
        wrong = list(story.repeated)
        if story.decision:
            return wrong
        if story.waiting is not None:
            return [*wrong, f"the run is stuck: {story.waiting}"]
        result, wanted = story.result, self.result
        assert result is not None
        if result.status != wanted.status:
            why = f" ({result.error.code}: {result.error.message})" if result.error else ""
            return [*wrong, f"it ended {result.status}{why} instead of {wanted.status}"]
        if result.status != "completed":
            # Who else was still at work when a node failed depends on the order of events.
            code, right = (it.error.code if it.error else None for it in (result, wanted))
            return wrong if code == right else [*wrong, f"its error is {code} instead of {right}"]
        if not self.same(wanted.output, result.output):
            wrong.append(f"it gave {_short(result.output)} instead of {_short(wanted.output)}")
        for path, node in wanted.nodes.items():
            other = result.nodes.get(path)
            if other is None or other.status != node.status:
                status = "not there" if other is None else other.status
                wrong.append(f"'{path}' is {status} instead of {node.status}")
        return wrong

    def _place(self, story: Story) -> str:
        """Where the processes died, in words."""
        said: list[str] = []
        for place, (first, last) in zip(story.places, story.lasts, strict=True):
            facts = [_fact(event) for event in self.first.events[first - 1 : last]]
            what = f" ({', '.join(facts)})" if facts and not said else ""
            when = "after" if place.stored else "before"
            lost = ", with what was not on disk lost" if place.lost else ""
            said.append(f"crash {when} write {place.write + 1}{what}{lost}")
        return ", then ".join(said)


def _fact(event: RunEvent) -> str:
    return event.kind if event.node is None else f"{event.kind} of '{event.node}'"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
