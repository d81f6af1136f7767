-- The estimates of one kind's rated competitors, best first: pooled, and from own results alone; in simulated leagues the
-- truth beside them, as a contrast to the same reference: the mean of the ranked.
SELECT
    coalesce(b.name, b.competitor_id) AS name, b.competitor_id, b.rating, b.sd, b.q5, b.q95, b.unpooled,
    t.value - avg(t.value) FILTER (b.status = 'ranked') OVER () AS truth, b.games, b.shrinkage, b.shrinkage_by_distance
FROM leaderboard AS b
LEFT JOIN truth AS t ON (t.league, t.competitor_id, t.component) = (b.league, b.competitor_id, 'total')
WHERE b.league = $league AND b.kind = $kind
ORDER BY b.rating DESC, b.competitor_id
