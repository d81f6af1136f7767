BEGIN TRANSACTION;
CREATE TABLE incident (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('failed', 'rejected', 'stale', 'unusable')),
    league TEXT NOT NULL,
    message TEXT NOT NULL,
    began_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    ended_message TEXT NOT NULL DEFAULT '', latest_message TEXT NOT NULL DEFAULT '');
CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    leagues TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    message TEXT NOT NULL DEFAULT ''
);
INSERT INTO "run" VALUES('20261123-232307-d1f032','manual','["club"]',26076,'2026-11-23 23:23:07.026','2026-11-23 23:24:25.655','done','done');
CREATE TABLE step (
    run_id TEXT NOT NULL REFERENCES run,
    number INTEGER NOT NULL,
    league TEXT,
    command TEXT NOT NULL,
    started_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'skipped')),
    exit_code INTEGER,
    message TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 1, "rows" INTEGER, peak_bytes INTEGER,
    PRIMARY KEY (run_id, number)
);
INSERT INTO "step" VALUES('20261123-232307-d1f032',1,'club','pull','2026-11-23 23:23:07.212','2026-11-23 23:23:13.875','done',0,'150 games new, 0 changed, 0 gone, 0 unchanged; 0 rows rejected.','{"at_utc": "2026-11-23T23:23:13.247+00:00", "level": "INFO", "logger": "jobs.console", "message": "pull club: 150 rows", "rows": 150}
club: 150 games new, 0 changed, 0 gone, 0 unchanged; 0 rows rejected.
',1,150,234340352);
INSERT INTO "step" VALUES('20261123-232307-d1f032',2,'club','check','2026-11-23 23:23:13.919','2026-11-23 23:23:18.695','done',0,'nothing stops it; no warnings','{"at_utc": "2026-11-23T23:23:17.949+00:00", "level": "INFO", "logger": "jobs.console", "message": "check club: 0 rows", "rows": 0}
club: nothing stops it; no warnings
',1,0,203706368);
INSERT INTO "step" VALUES('20261123-232307-d1f032',3,'club','fit --due --audit','2026-11-23 23:23:18.715','2026-11-23 23:24:14.065','done',0,'accepted, 150 games, 20 teams, as of 2026-02-20 (joint, 31 s; agrees with nuts: means within 0.02 sd, P(a > b) within 0.026)','{"at_utc": "2026-11-23T23:23:36.844+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: games and model (0 % done)"}
{"at_utc": "2026-11-23T23:23:40.832+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: fitting (18 % done)"}
{"at_utc": "2026-11-23T23:23:42.453+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: audit: compiling (50 % done)"}
{"at_utc": "2026-11-23T23:24:03.940+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: audit: sampling (51 % done)"}
{"at_utc": "2026-11-23T23:24:06.329+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: held-out forecasts (58 % done)"}
{"at_utc": "2026-11-23T23:24:06.476+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: without pooling (65 % done)"}
{"at_utc": "2026-11-23T23:24:06.789+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: predictive checks (75 % done)"}
{"at_utc": "2026-11-23T23:24:07.468+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: tables (85 % done)"}
{"at_utc": "2026-11-23T23:24:07.642+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: recording (98 % done)"}
{"at_utc": "2026-11-23T23:24:08.355+00:00", "level": "INFO", "logger": "jobs.console", "message": "fit club: 150 rows", "rows": 150}
club: accepted, 150 games, 20 teams, as of 2026-02-20 (joint, 31 s; agrees with nuts: means within 0.02 sd, P(a > b) within 0.026)
',1,150,628490240);
INSERT INTO "step" VALUES('20261123-232307-d1f032',4,'club','forecast --due','2026-11-23 23:24:14.113','2026-11-23 23:24:17.139','done',0,'no games to come are listed','club: no games to come are listed
',1,NULL,121241600);
INSERT INTO "step" VALUES('20261123-232307-d1f032',5,NULL,'publish --due','2026-11-23 23:24:17.664','2026-11-23 23:24:25.523','done',0,'Published ratings-20261123-232420-173','Published ratings-20261123-232420-173
',1,NULL,211910656);
CREATE TABLE telling (
    number INTEGER NOT NULL REFERENCES incident,
    channel TEXT NOT NULL,
    is_over INTEGER NOT NULL,
    at_utc TEXT NOT NULL,
    PRIMARY KEY (number, channel, is_over)
);
CREATE INDEX step_of_league ON step (league, command, started_at_utc);
CREATE INDEX run_by_start ON run (started_at_utc);
CREATE UNIQUE INDEX standing ON incident (kind, league) WHERE ended_at_utc IS NULL;
COMMIT;
PRAGMA user_version = 5;
