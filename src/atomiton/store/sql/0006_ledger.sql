-- What stands beside the runs: who waits for a place, what triggers have done, secrets (sealed).
-- Times are seconds since 1970, UTC.

-- A run that was queued; admitted_at says that it may begin, done that it has ended since.
CREATE TABLE queue (
    run TEXT PRIMARY KEY,
    blueprint TEXT NOT NULL,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    ready_at REAL NOT NULL,
    queued_at REAL NOT NULL,
    admitted_at REAL,
    done INTEGER NOT NULL DEFAULT 0,
    replayed_by TEXT
) WITHOUT ROWID;

CREATE INDEX queue_waiting ON queue (priority DESC, queued_at, run) WHERE admitted_at IS NULL;
CREATE INDEX queue_running ON queue (blueprint, lane, run)
    WHERE admitted_at IS NOT NULL AND done = 0;
CREATE INDEX queue_admitted ON queue (admitted_at, blueprint) WHERE admitted_at IS NOT NULL;

CREATE TABLE triggers (
    id TEXT PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0,
    handled_at REAL,
    fired_at REAL,
    fired INTEGER NOT NULL DEFAULT 0,
    run TEXT,
    problem TEXT
) WITHOUT ROWID;

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    updated_at REAL NOT NULL
) WITHOUT ROWID;
