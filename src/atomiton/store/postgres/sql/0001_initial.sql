-- Times of runs are seconds since 1970, UTC. Ids sort by their bytes, as everywhere else.
-- The schema of this store is first on the search path.

CREATE TABLE meta (
    name text PRIMARY KEY,
    value bigint NOT NULL
);

-- Processes that may own runs. Whoever holds the advisory lock of that number lives; whoever's row
-- is gone may not write any more. batch numbers what the owner has committed.
CREATE TABLE owners (
    owner text COLLATE "C" PRIMARY KEY,
    lock bigint NOT NULL UNIQUE,
    locked_at timestamptz NOT NULL,
    batch bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

-- One row a run: what a list shows of it. Everything that changes is derived from its records.
CREATE TABLE runs (
    run text COLLATE "C" PRIMARY KEY,
    blueprint text COLLATE "C" NOT NULL,
    version text NOT NULL,
    blueprint_hash text NOT NULL,
    status text NOT NULL,
    created_at double precision NOT NULL,
    ended_at double precision,
    key text,
    reason text,
    owner text COLLATE "C",
    error_code text,
    error_message text,
    wake_at double precision
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX runs_by_key ON runs (blueprint, key) WHERE key IS NOT NULL;
CREATE INDEX runs_by_status ON runs (status, run);
CREATE INDEX runs_by_blueprint ON runs (blueprint, run);
CREATE INDEX runs_unfinished ON runs (run) WHERE ended_at IS NULL AND wake_at IS NULL;
CREATE INDEX runs_by_owner ON runs (owner) WHERE owner IS NOT NULL;
CREATE INDEX runs_parked ON runs (wake_at) WHERE wake_at IS NOT NULL;

-- The facts. The content is data, followed by what blob names; the checksum covers the run, the
-- number, data and the name.
CREATE TABLE records (
    run text COLLATE "C" NOT NULL,
    seq integer NOT NULL,
    checksum bigint NOT NULL,
    data bytea,
    blob bytea,
    PRIMARY KEY (run, seq)
);

-- Large contents, each stored once under its SHA-256.
CREATE TABLE blobs (
    hash bytea PRIMARY KEY,
    size bigint NOT NULL,
    data bytea NOT NULL
);

CREATE TABLE blueprints (
    hash text PRIMARY KEY,
    document bytea NOT NULL
);

CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run text COLLATE "C" NOT NULL,
    data bytea NOT NULL
);

CREATE INDEX messages_by_run ON messages (run, id);
