-- Ratings over time
-- A rating of an earlier day a row, from the first day on.
-- $league: key of a league
-- $basis = as_published | smoothed | backfilled: as readers saw it then, as all results tell it now, or found later from results of then
SELECT as_of, kind, rank, rank_low, rank_high, name, competitor_id, status, rating, sd, q5, q95, unit, games, fit_id
FROM rating_history
WHERE league = $league AND basis = $basis
ORDER BY as_of, kind, rank NULLS LAST, competitor_id
