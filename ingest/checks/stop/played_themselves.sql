-- A game of two sides with the same team, or the same player, on both: a placeholder or a slip of the source.
-- Races are left out: team-mates share a constructor there, and drivers used to share cars.
WITH two_sided AS (
    SELECT game_id FROM side WHERE league = $league GROUP BY game_id HAVING count(*) = 2
),
entrant AS (
    SELECT game_id, side, team AS competitor_id FROM side WHERE league = $league AND team IS NOT NULL
    UNION
    SELECT game_id, side, player FROM appearance WHERE league = $league
)
SELECT e.game_id AS subject, coalesce(any_value(c.name), e.competitor_id) || ' is on both sides.' AS message
FROM entrant AS e
SEMI JOIN two_sided USING (game_id)
LEFT JOIN competitor AS c ON c.league = $league AND c.competitor_id = e.competitor_id
GROUP BY e.game_id, e.competitor_id
HAVING count(*) > 1
ORDER BY ALL
