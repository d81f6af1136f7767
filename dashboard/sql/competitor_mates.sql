-- The players who were most often on a side with one player.
WITH own AS MATERIALIZED (
    SELECT game_id, side FROM competitor_game WHERE league = $league AND competitor_id = $competitor AND kind = 'player'
)
SELECT
    p.competitor_id, any_value(p.name) AS name, count(DISTINCT g.contest_id) AS games, any_value(b.rank) AS rank,
    any_value(b.rating) AS rating
FROM own
JOIN competitor_game AS p ON p.league = $league AND p.game_id = own.game_id AND p.side = own.side
JOIN game AS g ON g.league = $league AND g.game_id = own.game_id
LEFT JOIN leaderboard AS b ON (b.league, b.kind, b.competitor_id) = ($league, 'player', p.competitor_id)
WHERE p.kind = 'player' AND p.competitor_id <> $competitor
GROUP BY p.competitor_id
ORDER BY games DESC, name
LIMIT 12
