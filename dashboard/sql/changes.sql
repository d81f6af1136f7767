-- Everybody ranked now or on an earlier day: both ranks and ratings, and the probability that he is truly on that side of
-- his earlier rank (p_moved), from the ranks in today's joint draws; who left the ranking since or came to it moves nobody
-- (kept_rank). Those who moved most surely come first.
WITH earlier AS (
    FROM rating_history
    WHERE league = $league AND as_of = $since::DATE AND basis = $basis AND rank IS NOT NULL
),
now AS (
    FROM leaderboard WHERE league = $league AND rank IS NOT NULL
),
joined AS (
    SELECT
        coalesce(n.kind, e.kind) AS kind, coalesce(n.competitor_id, e.competitor_id) AS competitor_id,
        coalesce(n.name, e.name, n.competitor_id, e.competitor_id) AS name, n.rank, e.rank AS earlier_rank, n.rating,
        e.rating AS earlier_rating, n.games - e.games AS new_games,
        CASE WHEN n.rank IS NOT NULL THEN kept_rank(n.kind, e.rank, n.rank) END AS kept
    FROM now AS n FULL JOIN earlier AS e ON (e.kind, e.competitor_id) = (n.kind, n.competitor_id)
)
SELECT
    j.* EXCLUDE (kept), j.kept - j.rank AS moved, j.rating - j.earlier_rating AS gained,
    CASE WHEN j.rank < j.kept THEN list_count([nullif(r < j.kept, false) FOR r IN d.ranks]) / len(d.ranks)
        WHEN j.rank > j.kept THEN list_count([nullif(r > j.kept, false) FOR r IN d.ranks]) / len(d.ranks)
    END AS p_moved
FROM joined AS j
LEFT JOIN rating_draw AS d ON (d.league, d.kind, d.competitor_id, d.component) = ($league, j.kind, j.competitor_id, 'total')
    AND j.rank <> j.kept
ORDER BY p_moved DESC NULLS LAST, abs(gained) DESC NULLS LAST, name
