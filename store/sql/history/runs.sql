-- Runs, the last first: of one key, from a time on, of one league; each where it is given.
SELECT run_id, kind, leagues, started_at_utc, ended_at_utc, state, message FROM run
WHERE (? IS NULL OR run_id = ?) AND (? IS NULL OR started_at_utc >= ?)
    AND (? IS NULL OR ? IN (SELECT value FROM json_each(leagues)))
ORDER BY rowid DESC LIMIT ?
