-- One competitor: its line of the leaderboard, its schedule, and where the information of its rating came from.
SELECT
    b.competitor_id, coalesce(b.name, b.competitor_id) AS name, b.kind, b.rank, b.rank_low, b.rank_high, b.status, b.pool,
    b.rating, b.sd, b.q5, b.q95, b.unit, b.expected_margin, b.attack, b.attack_sd, b.defence, b.defence_sd, b.p_best,
    b.p_top3, b.p_top10, b.unpooled, b.unpooled_reason, b.shrinkage, b.games, b.last_played, s.opponents_rating,
    rank() OVER (PARTITION BY b.kind ORDER BY s.opponents_rating DESC NULLS LAST) AS schedule_rank,
    count(s.opponents_rating) OVER (PARTITION BY b.kind) AS schedules,
    r.record_strength, r.games AS record_games, w.own, w.teammates, w.opponents, w."group", w.prior
FROM leaderboard AS b
LEFT JOIN schedule AS s USING (league, kind, competitor_id)
LEFT JOIN record AS r USING (league, kind, competitor_id)
LEFT JOIN borrowing AS w USING (league, kind, competitor_id)
WHERE b.league = $league
QUALIFY b.competitor_id = $competitor OR b.name = $competitor
ORDER BY b.competitor_id = $competitor DESC
LIMIT 1
