-- The last load of each file of one league: what was fetched, and what it brought.
SELECT slice, source, fetched_at_utc, loaded_at_utc, rows_read, rows_rejected, games_new, games_changed, games_gone, sha256
FROM load WHERE league = $league
QUALIFY row_number() OVER (PARTITION BY slice ORDER BY loaded_at_utc DESC) = 1
ORDER BY loaded_at_utc DESC, slice
LIMIT 200
