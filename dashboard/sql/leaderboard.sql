-- The leaderboard of one kind in one league, best first. In simulated leagues the truth stands beside the estimate,
-- as a contrast to the same reference: the mean of the ranked.
SELECT
    b.rank, b.rank_low, b.rank_high, coalesce(b.name, b.competitor_id) AS name, b.competitor_id, b.rating, b.sd, b.q5,
    b.q25, b.q75, b.q95, b.unpooled, b.unpooled_se, b.unpooled_reason,
    t.value - avg(t.value) FILTER (b.status = 'ranked') OVER () AS truth,
    b.games, b.shrinkage, b.shrinkage_by_distance, b.p_best, b.p_top3, b.p_top10, b.attack, b.defence, b.expected_margin, b.last_played,
    b.status, b.pool
FROM leaderboard AS b
LEFT JOIN truth AS t ON (t.league, t.competitor_id, t.component) = (b.league, b.competitor_id, 'total')
WHERE b.league = $league AND b.kind = $kind
ORDER BY b.rank NULLS LAST, b.rating DESC, b.competitor_id
