-- The leaderboard of a league
-- Everybody rated, ranked or not, with the uncertainty of the rating and of the rank (90 % intervals).
-- $league: key of a league
-- $kind = any | team | player: matters where teams and players are rated
SELECT
    rank, rank_low, rank_high, name, competitor_id, kind, status, rating, sd, q5, q95, unit, expected_margin, attack, defence,
    p_best, p_top3, p_top10, unpooled, shrinkage, games, last_played, pool, as_of, fit_id
FROM leaderboard
WHERE league = $league AND $kind IN ('any', kind)
ORDER BY kind DESC, rank NULLS LAST, rating DESC, competitor_id
