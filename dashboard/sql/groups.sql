-- The groups of a kind's rated competitors by their last season, those that divide them: not one that all are in.
WITH member AS (
    SELECT m.competitor_id, m.grouping, arg_max(m."group", m.season) AS "group"
    FROM membership AS m
    JOIN leaderboard AS b ON (b.league, b.competitor_id) = (m.league, m.competitor_id) AND b.kind = $kind
    WHERE m.league = $league
    GROUP BY m.competitor_id, m.grouping
)
SELECT grouping, "group", count(*) AS competitors
FROM member
GROUP BY grouping, "group"
QUALIFY count(*) OVER (PARTITION BY grouping) > 1
ORDER BY grouping, "group"
LIMIT 200
