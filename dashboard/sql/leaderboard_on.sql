-- The leaderboard of one kind as it was told of an earlier day: as published then, else as fitted later. Of $least games or
-- more, and where $group is not empty its members by their last season.
WITH member AS (
    SELECT competitor_id, grouping || ': ' || arg_max("group", season) AS named
    FROM membership
    WHERE league = $league
    GROUP BY competitor_id, grouping
)
SELECT
    rank, rank_low, rank_high, coalesce(name, competitor_id) AS name, competitor_id, rating, sd, q5, q25, q75, q95, games,
    status, basis
FROM rating_history
WHERE league = $league AND kind = $kind AND as_of = $on::DATE AND basis = $basis AND games >= $least::INTEGER
    AND ($group = '' OR competitor_id IN (SELECT competitor_id FROM member WHERE named = $group))
ORDER BY rank NULLS LAST, rating DESC, competitor_id
