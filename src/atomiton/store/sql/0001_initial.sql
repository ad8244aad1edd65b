-- Times are seconds since 1970, UTC. Only what lists and claims look up is indexed.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

-- One row a run: what a list shows of it. Everything that changes is derived from its records.
CREATE TABLE runs (
    run TEXT PRIMARY KEY,
    blueprint TEXT NOT NULL,
    version TEXT NOT NULL,
    blueprint_hash TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    ended_at REAL,
    key TEXT,
    reason TEXT,
    owner TEXT,
    error_code TEXT,
    error_message TEXT
) WITHOUT ROWID;

CREATE UNIQUE INDEX runs_by_key ON runs (blueprint, key) WHERE key IS NOT NULL;
CREATE INDEX runs_by_status ON runs (status, run);
CREATE INDEX runs_by_blueprint ON runs (blueprint, run);
CREATE INDEX runs_by_owner ON runs (owner, run) WHERE owner IS NOT NULL;
CREATE INDEX runs_unowned ON runs (run) WHERE owner IS NULL AND ended_at IS NULL;

-- The facts. The content is data, followed by what blob names; the checksum covers the run, the
-- number, data and the name.
CREATE TABLE records (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB,
    blob BLOB,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;

-- Large contents, each stored once under its SHA-256.
CREATE TABLE blobs (
    hash BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);

CREATE TABLE blueprints (
    hash TEXT PRIMARY KEY,
    document BLOB NOT NULL
);

-- Processes that may own runs; whether one lives is told by the lock on its file, not by this row.
CREATE TABLE owners (
    owner TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    data BLOB NOT NULL
);

CREATE INDEX messages_by_run ON messages (run, id);
