-- How many sides scored each count, and would in leagues that one fit makes.
SELECT count, is_or_more, observed, expected, low, high
FROM rootogram
WHERE league = $league AND fit_id = $fit_id
ORDER BY count
