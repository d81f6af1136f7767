-- What changed?
-- Everybody ranked then and now: both ranks, and the probability that he is truly above (p_up) or below (p_down) the earlier one.
-- $league: key of a league
-- $since = last week: a day, such as 2026-01-31, or last week: a week before the newest ratings
-- $basis = as_published | smoothed | backfilled: as readers saw it then, as all results tell it now, or found later from results of then
FROM movement($league, since_date := nullif($since, 'last week')::DATE, basis_name := $basis)
