-- The best of a league
-- The first of the ranked, each with the interval of its rank and its chance of being the best.
-- $league: key of a league
-- $n (count) = 10: how many
-- $kind = any | team | player: matters where teams and players are rated
SELECT rank, rank_low, rank_high, name, kind, rating, q5, q95, unit, p_best, games
FROM leaderboard
WHERE league = $league AND $kind IN ('any', kind) AND rank <= $n::UINTEGER
ORDER BY kind DESC, rank
