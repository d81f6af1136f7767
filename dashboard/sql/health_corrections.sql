-- The games of one league that a source corrected or took back, the newest first.
SELECT d.loaded_at_utc, c.change, c.game_id, c.description
FROM game_change AS c JOIN load AS d USING (league, load_id)
WHERE c.league = $league
ORDER BY d.loaded_at_utc DESC, c.game_id
LIMIT 200
