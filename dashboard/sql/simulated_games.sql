-- Coming games of a league whose result may be said, and how many seasons tell of it.
SELECT game_id, "table", first, second, len(results) AS seasons
FROM simulated_game
WHERE league = $league
ORDER BY "table", game_id
