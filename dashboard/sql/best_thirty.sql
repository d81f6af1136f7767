-- The best thirty of one kind with what their joint draws say: chance is of being truly at the rank at_rank, element by
-- element; draws and ranks are 200 of the draws, element k of each list one possible truth that goes together. Of those
-- with $least games or more, and where $group is not empty of its members by their last season.
WITH member AS (
    SELECT competitor_id, grouping || ': ' || arg_max("group", season) AS named
    FROM membership
    WHERE league = $league
    GROUP BY competitor_id, grouping
),
best AS MATERIALIZED (
    SELECT league, competitor_id, coalesce(name, competitor_id) AS name, rank, rating, sd
    FROM leaderboard
    WHERE league = $league AND kind = $kind AND rank IS NOT NULL AND games >= $least::INTEGER
        AND ($group = '' OR competitor_id IN (SELECT competitor_id FROM member WHERE named = $group))
    ORDER BY rank
    LIMIT 30
),
drawn AS (
    SELECT b.*, d.draws, d.ranks, list_aggregate(d.ranks, 'histogram') AS counts
    FROM best AS b JOIN rating_draw AS d ON d.league = b.league AND d.competitor_id = b.competitor_id AND d.ranks IS NOT NULL
)
SELECT
    competitor_id, name, rank, rating, sd, map_keys(counts) AS at_rank,
    [n / len(ranks) FOR n IN map_values(counts)] AS chance, list_transform(draws[:200], lambda x: round(x::DOUBLE, 3)) AS draws, ranks[:200] AS ranks
FROM drawn
ORDER BY rank
