-- A played game whose winner has the lower score, or finished behind another: one of the two is wrong. A winner of a
-- level game is fine (a shoot-out), and so is a retirement or an award, where the score stopped before the end.
WITH best AS (
    SELECT game_id, max(score) AS score, min(finish) AS finish
    FROM side WHERE league = $league GROUP BY game_id
)
SELECT
    s.game_id AS subject,
    coalesce(c.name, 'Side ' || s.side) || ' is given as the winner with '
    || if(s.score < b.score, 'the lower score, ' || s.score::DECIMAL(18, 1) || '.', 'finish ' || s.finish || '.') AS message
FROM side AS s
JOIN best AS b USING (game_id)
JOIN game AS g ON g.league = s.league AND g.game_id = s.game_id AND g.status = 'played'
LEFT JOIN competitor AS c ON c.league = s.league AND c.competitor_id = s.team
WHERE s.league = $league AND s.won AND (s.score < b.score OR s.finish > b.finish)
ORDER BY ALL
