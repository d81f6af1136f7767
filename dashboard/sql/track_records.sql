-- Games that were forecast before their day and are over, the newest first.
SELECT
    played_on, season, first, second, win, draw, loss, first_score, second_score, result, log_loss, expected_log_loss,
    expected_margin, margin, is_in_50, is_in_90, made_at_utc
FROM track_record
WHERE league = $league
ORDER BY played_on DESC, game_id
LIMIT 2000
