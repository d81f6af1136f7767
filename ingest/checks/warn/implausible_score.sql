-- A score below zero, or above five times the score that 99 % of the league's sides stay under: a typing slip, mostly.
-- The second only where there are 200 sides with a score to judge by.
WITH scored AS (SELECT game_id, team, score FROM side WHERE league = $league AND score IS NOT NULL),
bound AS (SELECT if(count(*) >= 200, 5 * greatest(quantile_disc(score, 0.99), 1), NULL) AS score FROM scored)
SELECT
    s.game_id AS subject,
    coalesce(c.name, 'A side') || ' has a score of ' || s.score::DECIMAL(18, 1) || '.' AS message
FROM scored AS s
CROSS JOIN bound AS b
LEFT JOIN competitor AS c ON c.league = $league AND c.competitor_id = s.team
WHERE s.score < 0 OR s.score > b.score
ORDER BY s.score DESC, s.game_id
