-- Run history, mirrored from runs.sqlite. The relations run_rows and step_rows are registered. What a command said may name
-- folders of this machine, or passwords in URLs: neither is for readers.

CREATE TEMP MACRO for_readers(said) AS regexp_replace(
    regexp_replace(said, '(^|[\s"''(=])/(?:[^/\s"'':,()]+/)+', '\1', 'g'), '://[^/@\s]*@', '://', 'g'
);

CREATE TABLE run AS
SELECT
    run_id, kind, leagues, started_at_utc::TIMESTAMP AS started_at_utc, ended_at_utc::TIMESTAMP AS ended_at_utc,
    state, for_readers(message) AS message
FROM run_rows ORDER BY started_at_utc DESC;
COMMENT ON TABLE run IS 'One row a run: one night, its pulls between nights, or one started by hand. The run that published this edition is still running in it. Key: run_id.';
COMMENT ON COLUMN run.run_id IS 'Key of the run.';
COMMENT ON COLUMN run.kind IS 'What started it: schedule, pull (between nights) or manual.';
COMMENT ON COLUMN run.leagues IS 'Leagues it was for, as JSON.';
COMMENT ON COLUMN run.started_at_utc IS 'Start, UTC.';
COMMENT ON COLUMN run.ended_at_utc IS 'End, UTC; NULL while running.';
COMMENT ON COLUMN run.state IS 'running, done or failed.';
COMMENT ON COLUMN run.message IS 'One line about it.';

CREATE TABLE step AS
SELECT
    run_id, number::INTEGER AS number, league, command, started_at_utc::TIMESTAMP AS started_at_utc,
    ended_at_utc::TIMESTAMP AS ended_at_utc, state, exit_code::INTEGER AS exit_code, attempts::INTEGER AS attempts,
    "rows"::BIGINT AS "rows", peak_bytes::BIGINT AS peak_bytes, for_readers(message) AS message
FROM step_rows ORDER BY started_at_utc DESC, number::INTEGER DESC;
COMMENT ON TABLE step IS 'One row a step: one command of a run. Key: run_id, number.';
COMMENT ON COLUMN step.run_id IS 'The run.';
COMMENT ON COLUMN step.number IS 'Number of the step in its run, from 1.';
COMMENT ON COLUMN step.league IS 'League it was for; NULL for publish.';
COMMENT ON COLUMN step.command IS 'The command.';
COMMENT ON COLUMN step.started_at_utc IS 'Start, UTC.';
COMMENT ON COLUMN step.ended_at_utc IS 'End, UTC; NULL while running.';
COMMENT ON COLUMN step.state IS 'running, done, failed or skipped.';
COMMENT ON COLUMN step.exit_code IS 'Exit code; NULL while running or skipped.';
COMMENT ON COLUMN step.attempts IS 'How often it was tried: again where another process held a file or a server did not answer.';
COMMENT ON COLUMN step."rows" IS 'Rows it went through: rows read by pull, findings of check, games of fit; NULL where it said none.';
COMMENT ON COLUMN step.peak_bytes IS 'Peak memory of the largest of its processes, in bytes.';
COMMENT ON COLUMN step.message IS 'The last line the command said.';
