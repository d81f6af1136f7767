-- The best thirty of one kind in 200 joint draws: element k of each list is one possible truth that goes together. Of those
-- with $least games or more, and where $group is not empty of its members by their last season.
WITH member AS (
    SELECT competitor_id, grouping || ': ' || arg_max("group", season) AS named
    FROM membership
    WHERE league = $league
    GROUP BY competitor_id, grouping
),
best AS MATERIALIZED (
    SELECT league, competitor_id, coalesce(name, competitor_id) AS name, rank
    FROM leaderboard
    WHERE league = $league AND kind = $kind AND rank IS NOT NULL AND games >= $least::INTEGER
        AND ($group = '' OR competitor_id IN (SELECT competitor_id FROM member WHERE named = $group))
    ORDER BY rank
    LIMIT 30
)
SELECT
    b.competitor_id, b.name, b.rank, list_transform(d.draws[:200], lambda x: round(x::DOUBLE, 3)) AS draws,
    d.ranks[:200] AS ranks
FROM best AS b
JOIN rating_draw AS d ON d.league = b.league AND d.competitor_id = b.competitor_id AND d.ranks IS NOT NULL
ORDER BY b.rank
