-- How likely each of the best thirty of one kind is to be truly at each rank, from the ranks in each joint draw.
WITH best AS MATERIALIZED (
    SELECT league, competitor_id, coalesce(name, competitor_id) AS name, rank
    FROM leaderboard WHERE league = $league AND kind = $kind AND rank <= 30
),
drawn AS (
    SELECT b.name, b.competitor_id, b.rank, unnest(d.ranks) AS at_rank, len(d.ranks) AS draws
    FROM best AS b JOIN rating_draw AS d ON d.league = b.league AND d.competitor_id = b.competitor_id AND d.ranks IS NOT NULL
)
SELECT competitor_id, name, rank, at_rank, count(*) / any_value(draws) AS chance
FROM drawn
GROUP BY competitor_id, name, rank, at_rank
ORDER BY rank, at_rank
