-- What was not guarded against damage yet: the parts of a run that never change, and messages.
-- Rows of before have none; what cannot be checked is not called damaged.

ALTER TABLE runs ADD COLUMN checksum INTEGER;
ALTER TABLE messages ADD COLUMN checksum INTEGER;

-- Who still needs a large content is asked when runs are deleted.
CREATE INDEX records_by_blob ON records (blob) WHERE blob IS NOT NULL;
