-- Can the ratings be trusted?
-- Every check of the published fit with its bound and what it means.
-- $league: key of a league
SELECT c.check_name, c.subject, c.status, c.value, c.bound, c.message
FROM fit_check AS c JOIN league AS l USING (league, fit_id)
WHERE league = $league
ORDER BY c.status = 'pass', c.check_name, c.subject
