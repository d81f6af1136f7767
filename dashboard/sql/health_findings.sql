-- What the data checks found in one league, what stops it first.
SELECT severity, rule, subject, message, at_utc
FROM data_health
WHERE league = $league AND what = 'finding'
ORDER BY severity = 'stop' DESC, rule, subject
LIMIT 500
