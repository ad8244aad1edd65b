-- Lists of a blueprint's runs of one status. Not those that run or have completed: nearly every run
-- does both, and would pay for it twice; they are few, or nearly all.

CREATE INDEX runs_by_both ON runs (blueprint, status, run)
    WHERE status IN ('queued', 'waiting', 'paused', 'failed', 'cancelled');
