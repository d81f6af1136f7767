-- How likely each of the best thirty of one kind is to be truly at each rank, from the ranks in each joint draw: of those
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
),
drawn AS (
    SELECT b.name, b.competitor_id, b.rank, unnest(d.ranks) AS at_rank, len(d.ranks) AS draws
    FROM best AS b JOIN rating_draw AS d ON d.league = b.league AND d.competitor_id = b.competitor_id AND d.ranks IS NOT NULL
)
SELECT competitor_id, name, rank, at_rank, count(*) / any_value(draws) AS chance
FROM drawn
GROUP BY competitor_id, name, rank, at_rank
ORDER BY rank, at_rank
