-- The leaderboard of one kind in one league, best first. In simulated leagues the truth stands beside the estimate,
-- as a contrast to the same reference: the mean of the ranked. p_top is of truly being among the best $k. Movement is
-- against the last ratings that were published a week or more before: p_moved is of being truly on the side of the earlier
-- rank that the present one is on, and who left the ranking since or came to it moves nobody (kept_rank). history is of the last 30 days that all results tell of now, or where ratings do not
-- walk, of which ratings are kept. Shown are those with $least games or more, and where $group is not empty its members by
-- their last season; ranks stay those of all.
WITH member AS (
    SELECT competitor_id, grouping || ': ' || arg_max("group", season) AS named
    FROM membership
    WHERE league = $league
    GROUP BY competitor_id, grouping
),
earlier AS (
    SELECT b.kind, b.competitor_id, kept_rank(b.kind, h.rank, b.rank) AS rank
    FROM leaderboard AS b
    LEFT JOIN rating_history AS h ON (h.league, h.kind, h.competitor_id) = (b.league, b.kind, b.competitor_id)
        AND h.basis = 'as_published' AND h.as_of = (
            SELECT max(p.as_of) FROM rating_history AS p JOIN league AS l USING (league)
            WHERE p.league = $league AND p.basis = 'as_published' AND p.as_of <= l.as_of - 7
        )
    WHERE b.league = $league AND b.kind = $kind AND b.rank IS NOT NULL
),
path AS (
    SELECT competitor_id, list(rating ORDER BY as_of) AS history
    FROM (
        SELECT competitor_id, as_of, arg_max(round(rating, 4), basis) AS rating
        FROM rating_history
        WHERE league = $league AND kind = $kind AND (basis = 'smoothed') = (
            SELECT count(DISTINCT h.as_of) > 1 FROM rating_history AS h
            WHERE h.league = $league AND h.kind = $kind AND h.basis = 'smoothed'
        )
        GROUP BY competitor_id, as_of
        QUALIFY dense_rank() OVER (ORDER BY as_of DESC) <= 30
    )
    GROUP BY competitor_id
    HAVING count(*) > 1
)
SELECT
    b.rank, b.rank_low, b.rank_high, coalesce(b.name, b.competitor_id) AS name, b.competitor_id, b.rating, b.sd, b.q5,
    b.q25, b.q75, b.q95, b.unpooled, b.unpooled_se, b.unpooled_reason,
    t.value - avg(t.value) FILTER (b.status = 'ranked') OVER () AS truth,
    b.games, b.shrinkage, b.shrinkage_by_distance, b.p_best, b.p_top3, b.p_top10, b.tier,
    CASE WHEN $k::INTEGER > 0 THEN list_count([nullif(r <= $k::INTEGER, false) FOR r IN d.ranks]) / len(d.ranks) END AS p_top,
    e.rank - b.rank AS moved,
    CASE WHEN e.rank > b.rank THEN list_count([nullif(r < e.rank, false) FOR r IN d.ranks]) / len(d.ranks)
        WHEN e.rank < b.rank THEN list_count([nullif(r > e.rank, false) FOR r IN d.ranks]) / len(d.ranks) END AS p_moved,
    p.history, s.opponents_rating, w.record_strength, b.attack, b.defence, b.expected_margin, b.last_played, b.status, b.pool
FROM leaderboard AS b
LEFT JOIN truth AS t ON (t.league, t.competitor_id, t.component) = (b.league, b.competitor_id, 'total')
LEFT JOIN earlier AS e ON (e.kind, e.competitor_id) = (b.kind, b.competitor_id)
LEFT JOIN path AS p ON p.competitor_id = b.competitor_id
LEFT JOIN schedule AS s ON (s.league, s.kind, s.competitor_id) = (b.league, b.kind, b.competitor_id)
LEFT JOIN record AS w ON (w.league, w.kind, w.competitor_id) = (b.league, b.kind, b.competitor_id)
LEFT JOIN rating_draw AS d ON (d.league, d.kind, d.competitor_id, d.component) = (b.league, b.kind, b.competitor_id, 'total')
    AND ($k::INTEGER > 0 OR e.rank <> b.rank)
WHERE b.league = $league AND b.kind = $kind
QUALIFY b.games >= $least::INTEGER AND ($group = '' OR b.competitor_id IN (SELECT competitor_id FROM member WHERE named = $group))
ORDER BY b.rank NULLS LAST, b.rating DESC, b.competitor_id
