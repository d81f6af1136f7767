-- The last runs with how many of their steps failed: nights, pulls between them, and what was started by hand.
SELECT
    r.run_id, r.kind, r.started_at_utc, r.ended_at_utc, r.state, r.message, count(s.run_id) AS steps,
    count(*) FILTER (s.state = 'failed') AS failed, epoch(r.ended_at_utc - r.started_at_utc) AS seconds
FROM run AS r LEFT JOIN step AS s USING (run_id)
GROUP BY ALL
ORDER BY r.started_at_utc DESC
LIMIT 100
