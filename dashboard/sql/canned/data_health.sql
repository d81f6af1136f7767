-- What is wrong with the results
-- Findings of the data checks and rows that were kept out of the ratings.
-- $league: key of a league
SELECT what, severity, rule, subject, message, at_utc FROM data_health WHERE league = $league ORDER BY at_utc DESC, rule, subject
