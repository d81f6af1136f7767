-- The checks of one fit, what failed first.
SELECT check_name, subject, value, bound, status, message
FROM fit_check
WHERE league = $league AND fit_id = $fit_id
ORDER BY list_position(['fail', 'warn', 'pass'], status), check_name, subject
