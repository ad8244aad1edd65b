-- What stands beside the runs: who waits for a place, what triggers have done, secrets (sealed).
-- Times are seconds since 1970, UTC.

-- A run that was queued; admitted_at says that it may begin, done that it has ended since.
CREATE TABLE queue (
    run text COLLATE "C" PRIMARY KEY,
    blueprint text COLLATE "C" NOT NULL,
    lane text COLLATE "C" NOT NULL,
    priority bigint NOT NULL,
    ready_at double precision NOT NULL,
    queued_at double precision NOT NULL,
    admitted_at double precision,
    done integer NOT NULL DEFAULT 0,
    replayed_by text
);

CREATE INDEX queue_waiting ON queue (priority DESC, queued_at, run) WHERE admitted_at IS NULL;
CREATE INDEX queue_running ON queue (blueprint, lane, run)
    WHERE admitted_at IS NOT NULL AND done = 0;
CREATE INDEX queue_admitted ON queue (admitted_at, blueprint) WHERE admitted_at IS NOT NULL;

CREATE TABLE triggers (
    id text COLLATE "C" PRIMARY KEY,
    paused integer NOT NULL DEFAULT 0,
    handled_at double precision,
    fired_at double precision,
    fired bigint NOT NULL DEFAULT 0,
    run text,
    problem text
);

CREATE TABLE secrets (
    name text COLLATE "C" PRIMARY KEY,
    sealed bytea NOT NULL,
    updated_at double precision NOT NULL
);
