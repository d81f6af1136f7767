-- What a step took: how often it was tried, the rows it went through, and its peak memory. Incidents of a home that
-- cannot be used.

ALTER TABLE step ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE step ADD COLUMN "rows" INTEGER;
ALTER TABLE step ADD COLUMN peak_bytes INTEGER;
CREATE INDEX step_of_league ON step (league, command, started_at_utc);
CREATE INDEX run_by_start ON run (started_at_utc);

ALTER TABLE incident RENAME TO old_incident;
DROP INDEX standing;
CREATE TABLE incident (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('failed', 'rejected', 'stale', 'unusable')),
    league TEXT NOT NULL,
    message TEXT NOT NULL,
    began_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    told_at_utc TEXT,
    told_over_at_utc TEXT
);
INSERT INTO incident SELECT * FROM old_incident;
DROP TABLE old_incident;
CREATE UNIQUE INDEX standing ON incident (kind, league) WHERE ended_at_utc IS NULL;
