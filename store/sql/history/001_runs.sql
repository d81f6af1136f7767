-- Runs, their steps, and incidents. Homes from before versions were counted have these tables already.

CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    leagues TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    message TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS step (
    run_id TEXT NOT NULL REFERENCES run,
    number INTEGER NOT NULL,
    league TEXT,
    command TEXT NOT NULL,
    started_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'skipped')),
    exit_code INTEGER,
    message TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, number)
);
CREATE TABLE IF NOT EXISTS incident (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('failed', 'rejected', 'stale')),
    league TEXT NOT NULL,
    message TEXT NOT NULL,
    began_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    told_at_utc TEXT,
    told_over_at_utc TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS standing ON incident (kind, league) WHERE ended_at_utc IS NULL;
