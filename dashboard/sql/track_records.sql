-- Games that were forecast before their day and are over, the newest 2,000 first; of_all: how many there are. Ids are of who
-- has a page: the rated.
WITH rated AS (
    SELECT competitor_id FROM leaderboard WHERE league = $league
)
SELECT
    played_on, season, first, second, CASE WHEN first_id IN (FROM rated) THEN first_id END AS first_id,
    CASE WHEN second_id IN (FROM rated) THEN second_id END AS second_id, win, draw, loss, first_score, second_score, result, log_loss, expected_log_loss,
    expected_margin, margin, is_in_50, is_in_90, made_at_utc,
    count(*) OVER () AS of_all
FROM track_record
WHERE league = $league
ORDER BY played_on DESC, game_id
LIMIT 2000
