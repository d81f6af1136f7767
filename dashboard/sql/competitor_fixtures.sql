-- The next games of one competitor with their newest forecasts, the chances his; of races the chance to come first.
SELECT
    f.game_id, f.played_on,
    CASE WHEN f.first_id = $competitor THEN f.second ELSE f.first END AS opponent,
    CASE WHEN f.first_id = $competitor THEN f.second_id ELSE f.first_id END AS opponent_id,
    CASE WHEN NOT f.is_first_home THEN 0 WHEN f.first_id = $competitor THEN 1 ELSE -1 END AS place,
    CASE WHEN f.first_id = $competitor THEN f.win ELSE f.loss END AS win, f.draw,
    CASE WHEN f.first_id = $competitor THEN f.loss ELSE f.win END AS loss,
    CASE WHEN f.first_id = $competitor THEN f.win_low ELSE f.loss_low END AS win_low,
    CASE WHEN f.first_id = $competitor THEN f.win_high ELSE f.loss_high END AS win_high,
    CASE WHEN f.first_id = $competitor THEN 1 ELSE -1 END * f.expected_margin AS expected_margin,
    NULL AS expected_place, f.as_of, f.made_at_utc
FROM forecast AS f
LEFT JOIN game AS g USING (league, game_id)
WHERE f.league = $league AND $competitor IN (f.first_id, f.second_id) AND f.played_on >= f.as_of
    AND coalesce(g.status, 'scheduled') = 'scheduled'
UNION ALL
SELECT
    p.game_id, p.played_on, coalesce(g.attributes['race'], g.round, p.game_id), NULL, 0, p.win, NULL, NULL, NULL, NULL, NULL,
    p.expected_place, p.as_of, p.made_at_utc
FROM forecast_place AS p
LEFT JOIN game AS g USING (league, game_id)
WHERE p.league = $league AND p.entrant_id = $competitor AND p.played_on >= p.as_of
    AND coalesce(g.status, 'scheduled') = 'scheduled'
ORDER BY played_on, game_id
LIMIT 30
