-- Blueprints that people keep under an id. What a run is pinned to is in blueprints, by its hash.

CREATE TABLE library (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    created_at REAL NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE editions (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    etag TEXT NOT NULL,
    saved_at REAL NOT NULL,
    by TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (id, version)
);
