-- Blueprints as their authors keep them: every revision of every text. (The table blueprints holds
-- what runs are pinned to.) Times are seconds since 1970, UTC.

CREATE TABLE blueprint_heads (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    created_at REAL NOT NULL,
    deleted_at REAL,
    search TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE blueprint_revisions (
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    etag TEXT NOT NULL,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    description TEXT NOT NULL,
    tags TEXT NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (id, revision)
) WITHOUT ROWID;

-- Each text once, however often it is restored.
CREATE TABLE blueprint_texts (
    etag TEXT PRIMARY KEY,
    text TEXT NOT NULL
);
