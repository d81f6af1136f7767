-- The ratings of one competitor over time with their 90 % intervals: what was published then, what was fitted later to the
-- results before a day, and what all results say today.
SELECT as_of, basis, rating, sd, q5, q95, rank, rank_low, rank_high, status, games, fit_id
FROM rating_history
WHERE league = $league AND competitor_id = $competitor
ORDER BY as_of, basis
