-- A game after today (UTC) that has a result already: its date is wrong, or its score is. Only where the day is known;
-- one day is allowed, for it may be tomorrow already where the game was played.
SELECT g.game_id AS subject, 'It has a result, but its day is ' || g.played_on || '.' AS message
FROM game AS g
JOIN side AS s USING (league, game_id)
WHERE league = $league AND g.played_on_precision = 'day' AND g.played_on > $today::DATE + 1
    AND (s.score IS NOT NULL OR s.won IS NOT NULL OR s.finish IS NOT NULL)
GROUP BY g.game_id, g.played_on
ORDER BY ALL
