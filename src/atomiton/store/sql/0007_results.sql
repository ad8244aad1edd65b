-- Kept results of nodes, by what they were called on. Times are seconds since 1970, UTC.
CREATE TABLE results (
    key BLOB PRIMARY KEY,
    type TEXT NOT NULL,
    output BLOB NOT NULL,
    run TEXT NOT NULL,
    node TEXT NOT NULL,
    kept_at REAL NOT NULL,
    until REAL NOT NULL
) WITHOUT ROWID;

CREATE INDEX results_until ON results (until);
