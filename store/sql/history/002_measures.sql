-- What a step took: how often it was tried, the rows it went through, and its peak memory.

ALTER TABLE step ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE step ADD COLUMN "rows" INTEGER;
ALTER TABLE step ADD COLUMN peak_bytes INTEGER;
CREATE INDEX step_of_league ON step (league, command, started_at_utc);
CREATE INDEX run_by_start ON run (started_at_utc);
