-- The steps of one run, in order.
SELECT
    number, league, command, started_at_utc, state, exit_code, attempts, "rows", peak_bytes, message,
    epoch(ended_at_utc - started_at_utc) AS seconds
FROM step WHERE run_id = $run
ORDER BY number
