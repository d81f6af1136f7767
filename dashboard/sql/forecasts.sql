-- Games to come with their newest forecasts, the next 500 of them first; of_all counts them. Ids are of who has a page: the
-- rated.
WITH rated AS (
    SELECT competitor_id FROM leaderboard WHERE league = $league
)
SELECT
    f.game_id, f.played_on, f.first, f.second, CASE WHEN f.first_id IN (FROM rated) THEN f.first_id END AS first_id,
    CASE WHEN f.second_id IN (FROM rated) THEN f.second_id END AS second_id, f.is_first_home, f.win, f.draw, f.loss, f.win_low, f.win_high,
    f.expected_first, f.expected_second, f.expected_margin, f.margin_q5, f.margin_q95, f.margin_rating_sd,
    f.margin_noise_sd, f.likely_scores, f.as_of, f.made_at_utc, count(*) OVER () AS of_all
FROM forecast AS f
LEFT JOIN game AS g USING (league, game_id)
WHERE f.league = $league AND f.played_on >= f.as_of
    AND (g.status = 'scheduled' OR (g.status IS NULL AND f.played_on >= (SELECT published_at_utc::DATE FROM edition)))
ORDER BY f.played_on, f.game_id
LIMIT 500
