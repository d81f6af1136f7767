-- What changed?
-- Everybody ranked then and now: both ranks, and the probability that he is truly above (p_up) or below (p_down) the earlier one; note says where nothing is known of then.
-- $league: key of a league
-- $since (day) = last week: a day, such as 2026-01-31, or last week: a week before the newest ratings
-- $basis = any | as_published | backfilled | smoothed: as readers saw it then or found later from results of then (any: what there is of the two), or as all results tell it now
FROM movement($league, since_date := nullif($since, 'last week')::DATE, basis_name := nullif($basis, 'any'))
