-- A parked run waits, and nobody drives it: wake_at is when it goes on by itself, a very late moment
-- when it waits only for somebody.

ALTER TABLE runs ADD COLUMN wake_at REAL;

DROP INDEX runs_unowned;
CREATE INDEX runs_unowned ON runs (run)
    WHERE owner IS NULL AND ended_at IS NULL AND wake_at IS NULL;
CREATE INDEX runs_parked ON runs (wake_at) WHERE wake_at IS NOT NULL;
