-- Entrants of the races to come with their newest forecasts, race by race.
SELECT
    p.game_id, p.played_on, coalesce(g.attributes['race'], g.round, p.game_id) AS race, p.entrant, p.entrant_id, p.win, p.top3, p.top10,
    p.expected_place, p.as_of, p.made_at_utc
FROM forecast_place AS p
LEFT JOIN game AS g USING (league, game_id)
WHERE p.league = $league AND p.played_on >= p.as_of
    AND (g.status = 'scheduled' OR (g.status IS NULL AND p.played_on >= (SELECT published_at_utc::DATE FROM edition)))
ORDER BY p.played_on, p.game_id, p.expected_place
LIMIT 1000
