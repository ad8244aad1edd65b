"""What triggers have done: each function is one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from atomiton.ports.triggers import Fired
from atomiton.store.ledger.base import Steps

_READ = "SELECT id, paused, handled_at, fired_at, fired, run, problem FROM triggers"
_PAUSE = """
INSERT INTO triggers (id, paused) VALUES (?1, ?2)
ON CONFLICT (id) DO UPDATE SET paused = excluded.paused
"""
_HANDLED = """
INSERT INTO triggers (id, handled_at) VALUES (?1, ?2)
ON CONFLICT (id) DO UPDATE SET handled_at = excluded.handled_at
WHERE triggers.handled_at IS NULL OR triggers.handled_at < excluded.handled_at
"""
_FIRED = """
INSERT INTO triggers (id, fired_at, fired, run) VALUES (?1, ?2, 1, ?3)
ON CONFLICT (id) DO UPDATE SET fired_at = excluded.fired_at, fired = triggers.fired + 1,
    run = excluded.run, problem = NULL
WHERE triggers.run IS NULL OR triggers.run <> excluded.run
"""
_FAILED = """
INSERT INTO triggers (id, problem) VALUES (?1, ?2)
ON CONFLICT (id) DO UPDATE SET problem = excluded.problem
"""
_RENAME = """
UPDATE triggers SET id = ?2 WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM triggers WHERE id = ?2)
"""


def states() -> Steps[dict[str, Fired]]:
    """What is on record of triggers, by the names of the records."""
    rows = yield _READ, ()
    return {row[0]: Fired(bool(row[1]), *row[2:]) for row in rows}


def pause(trigger: str, paused: bool) -> Steps[None]:  # noqa: FBT001 - what is set
    """Let a trigger start nothing, or something again."""
    yield _PAUSE, (trigger, int(paused))


def handled(trigger: str, moment: float) -> Steps[None]:
    """Note up to which moment a schedule was looked after; it never goes back."""
    yield _HANDLED, (trigger, moment)


def fired(trigger: str, moment: float, run: str) -> Steps[None]:
    """Note that a trigger has started a run; once for each run."""
    yield _FIRED, (trigger, moment, run)


def failed(trigger: str, problem: str | None) -> Steps[None]:
    """Note why a run could not be started; None that nothing is wrong any more."""
    yield _FAILED, (trigger, problem)


def rename(names: Iterable[tuple[str, str]]) -> Steps[None]:
    """Give records new names, where there is none of that name."""
    for old, new in names:
        yield _RENAME, (old, new)
