"""Who may begin: each function is one transaction on the queue.

A queued run is on record, begins paused and is parked. Admitting it marks it here and makes it due
in the same commit: any living process then takes it up, and no two do.
"""

from __future__ import annotations

from collections import Counter

from atomiton.ports.admission import ALONE, Admission, DeadLetter, Queued
from atomiton.store.ledger.base import Row, Steps

#: How many that wait are looked at in one go.
_PAGE = 500
_STANDING = """
SELECT run, blueprint, priority, lane, ready_at, queued_at, admitted_at FROM queue WHERE run = ?1
"""
_INSERT = """
INSERT INTO queue (run, blueprint, lane, priority, ready_at, queued_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
"""
_SWEEP = """
UPDATE queue SET done = 1 WHERE admitted_at IS NOT NULL AND done = 0
AND run IN (SELECT q.run FROM queue AS q JOIN runs AS r ON r.run = q.run
            WHERE q.admitted_at IS NOT NULL AND q.done = 0 AND r.ended_at IS NOT NULL)
"""
_DROP_ENDED = """
DELETE FROM queue WHERE admitted_at IS NULL
AND run IN (SELECT q.run FROM queue AS q JOIN runs AS r ON r.run = q.run
            WHERE q.admitted_at IS NULL AND r.ended_at IS NOT NULL)
"""
_UNDER_WAY = """
SELECT blueprint, lane, count(*) FROM queue WHERE admitted_at IS NOT NULL AND done = 0
GROUP BY blueprint, lane
"""
_LATELY = """
SELECT count(*) FROM queue WHERE admitted_at IS NOT NULL AND admitted_at > ?1 AND blueprint = ?2
"""
_WAITING = """
SELECT q.run, q.blueprint, q.priority, q.lane, q.ready_at, q.queued_at
FROM queue AS q JOIN runs AS r ON r.run = q.run
WHERE q.admitted_at IS NULL AND q.ready_at <= ?1 AND r.ended_at IS NULL
ORDER BY q.priority DESC, q.queued_at, q.run LIMIT ?2 OFFSET ?3
"""
_ADMIT = "UPDATE queue SET admitted_at = ?2 WHERE run = ?1"
_DUE = """
UPDATE runs SET wake_at = 0
WHERE wake_at > 0 AND owner IS NULL AND ended_at IS NULL AND status IN ('queued', 'paused')
AND run IN (SELECT run FROM queue WHERE admitted_at IS NOT NULL AND done = 0)
"""
_AHEAD = """
SELECT count(*) FROM queue AS q JOIN queue AS me ON me.run = ?1
WHERE q.admitted_at IS NULL AND q.ready_at <= ?2 AND (q.priority > me.priority
    OR (q.priority = me.priority AND (q.queued_at < me.queued_at
        OR (q.queued_at = me.queued_at AND q.run < me.run))))
"""
_NAMES = """
SELECT run FROM queue WHERE admitted_at IS NOT NULL AND done = 0 AND (?1 = '' OR blueprint = ?1)
AND (?2 = '' OR lane = ?2) ORDER BY run LIMIT 3
"""
_DEAD = """
SELECT q.run, q.blueprint, r.ended_at, r.error_code, r.error_message
FROM queue AS q JOIN runs AS r ON r.run = q.run
WHERE r.status = 'failed' AND q.replayed_by IS NULL AND q.run < ?1
AND (?2 = '' OR q.blueprint = ?2) AND (?3 = '' OR r.error_code = ?3) ORDER BY q.run DESC LIMIT ?4
"""


def enter(queued: Queued) -> Steps[None]:
    """Put a run at the end of those of its priority."""
    what = (queued.run, queued.blueprint, queued.lane, queued.priority)
    yield _INSERT, (*what, queued.ready_at, queued.queued_at)


def leave(run: str) -> Steps[None]:
    """Take a run out of the queue that was never made."""
    yield "DELETE FROM queue WHERE run = ?1", (run,)


def standing(run: str) -> Steps[tuple[Queued, bool] | None]:
    """What is known of a run, and whether it was admitted; None if it was never queued."""
    rows = yield _STANDING, (run,)
    if not rows:
        return None
    return Queued(*rows[0][:6]), rows[0][6] is not None


def release(run: str, now: float) -> Steps[None]:
    """Let a run begin although it is not its turn: somebody wants it."""
    yield _ADMIT, (run, now)


def admit(bounds: Admission, now: float) -> Steps[list[str]]:
    """Let those begin whose turn it is; gives their ids in order."""
    yield _SWEEP, ()
    yield _DROP_ENDED, ()
    under_way = yield _UNDER_WAY, ()
    count = _Count(bounds, under_way)
    admitted: list[str] = []
    offset = 0
    while count.room():
        # Those that are admitted leave the list only once all were looked at.
        rows = yield _WAITING, (now, _PAGE, offset)
        offset += len(rows)
        for row in rows:
            queued = Queued(*row)
            rate = bounds.rate(queued.blueprint)
            if rate is not None and queued.blueprint not in count.lately:
                lately = yield _LATELY, (now - rate.seconds, queued.blueprint)
                count.lately[queued.blueprint] = int(lately[0][0])
            if count.obstacle(queued) is None:
                count.add(queued)
                admitted.append(queued.run)
        if len(rows) < _PAGE:
            break
    for run in admitted:
        yield _ADMIT, (run, now)
    # Also one that was parked in the moment in which it was admitted before.
    yield _DUE, ()
    return admitted


def why(bounds: Admission, run: str, now: float) -> Steps[str | None]:
    """What a run waits for in the queue, in words; None if it does not wait there."""
    found = yield from standing(run)
    if found is None or found[1]:
        return None
    queued = found[0]
    if queued.ready_at > now:
        return "waits in the queue for its time"
    yield _SWEEP, ()
    under_way = yield _UNDER_WAY, ()
    count = _Count(bounds, under_way)
    rate = bounds.rate(queued.blueprint)
    if rate is not None:
        lately = yield _LATELY, (now - rate.seconds, queued.blueprint)
        count.lately[queued.blueprint] = int(lately[0][0])
    obstacle = count.obstacle(queued)
    ahead = yield _AHEAD, (run, now)
    before = f"; {ahead[0][0]} before it" if ahead[0][0] else ""
    if obstacle is None:
        return f"waits in the queue for its turn{before}"
    what, blueprint, lane = obstacle
    names = yield _NAMES, (blueprint, lane)
    held = ", ".join(str(row[0]) for row in names)
    return f"waits in the queue: {what}" + (f" ({held})" if held else "") + before


def dead(blueprint: str, code: str, before: str, limit: int) -> Steps[list[DeadLetter]]:
    """Queued runs that have failed and were not replayed, newest first."""
    rows = yield _DEAD, (before or "\U0010ffff", blueprint, code, limit)
    return [DeadLetter(row[0], row[1], row[2], row[3] or "", row[4] or "") for row in rows]


def replayed(run: str, by: str) -> Steps[None]:
    """Note that a dead letter was replayed."""
    yield "UPDATE queue SET replayed_by = ?2 WHERE run = ?1", (run, by)


def sizes(now: float) -> Steps[tuple[int, int, int]]:
    """How many wait for their turn, for their time, and are under way."""
    yield _SWEEP, ()
    rows = yield (
        "SELECT count(*) FROM queue WHERE admitted_at IS NULL AND ready_at <= ?1",
        (now,),
    )
    later = yield "SELECT count(*) FROM queue WHERE admitted_at IS NULL AND ready_at > ?1", (now,)
    running = yield (
        "SELECT count(*) FROM queue WHERE admitted_at IS NOT NULL AND done = 0",
        (),
    )
    return int(rows[0][0]), int(later[0][0]), int(running[0][0])


class _Count:
    """How many runs are under way, against what there may be."""

    def __init__(self, bounds: Admission, under_way: list[Row]) -> None:
        self._bounds = bounds
        self._all = 0
        self._blueprints: Counter[str] = Counter()
        self._lanes: Counter[tuple[str, str]] = Counter()
        self.lately: dict[str, int] = {}
        for blueprint, lane, number in under_way:
            self._all += number
            self._blueprints[blueprint] += number
            self._lanes[blueprint, lane] += number

    def room(self) -> bool:
        """Whether one more run may begin at all."""
        return self._bounds.concurrency is None or self._all < self._bounds.concurrency

    def add(self, queued: Queued) -> None:
        """Count one more."""
        self._all += 1
        self._blueprints[queued.blueprint] += 1
        self._lanes[queued.blueprint, queued.lane] += 1
        if queued.blueprint in self.lately:
            self.lately[queued.blueprint] += 1

    def obstacle(self, queued: Queued) -> tuple[str, str, str] | None:
        """What keeps a run from beginning: in words, and whose runs it waits for."""
        bounds, blueprint, lane = self._bounds, queued.blueprint, queued.lane
        if not self.room():
            return f"{self._all} of {bounds.concurrency} runs are under way", "", ""
        most = bounds.of(blueprint)
        if most is not None and self._blueprints[blueprint] >= most:
            number = self._blueprints[blueprint]
            return f"{number} of {most} runs of '{blueprint}' are under way", blueprint, ""
        share = 1 if lane.startswith(ALONE) else bounds.lane
        if share is not None and lane and self._lanes[blueprint, lane] >= share:
            number = self._lanes[blueprint, lane]
            return f"{number} of {share} runs in the lane '{lane}'", blueprint, lane
        rate = bounds.rate(blueprint)
        if rate is not None and self.lately.get(blueprint, 0) >= rate.runs:
            return f"{rate.runs} runs of '{blueprint}' in {rate.seconds:g} s", blueprint, ""
        return None
