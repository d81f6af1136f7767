-- The loads of one league that brought or changed results, the newest first.
SELECT slice, loaded_at_utc, rows_read, rows_rejected, games_new, games_changed, games_gone
FROM load WHERE league = $league AND (games_new > 0 OR games_changed > 0 OR games_gone > 0)
ORDER BY loaded_at_utc DESC
LIMIT 20
