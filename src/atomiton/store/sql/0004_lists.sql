-- Every index that holds a run is a page more to be written when it begins and when it ends, and
-- nearly every run runs and completes. So those that run are found among those that are open, and
-- those that have completed in the table itself; all others are few, and have indexes of their own.

DROP INDEX runs_by_status;
DROP INDEX runs_by_owner;
CREATE INDEX runs_open ON runs (run, owner) WHERE ended_at IS NULL;
CREATE INDEX runs_rare ON runs (status, run) WHERE status NOT IN ('running', 'completed');
CREATE INDEX runs_by_both ON runs (blueprint, status, run)
    WHERE status NOT IN ('running', 'completed');
