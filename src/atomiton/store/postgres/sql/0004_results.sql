-- Kept results of nodes, by what they were called on. Times are seconds since 1970, UTC.
CREATE TABLE results (
    key bytea PRIMARY KEY,
    type text COLLATE "C" NOT NULL,
    output bytea NOT NULL,
    run text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    kept_at double precision NOT NULL,
    until double precision NOT NULL
);

CREATE INDEX results_until ON results (until);
