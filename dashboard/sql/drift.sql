-- What one fit leaves of results, season by season, or month by month where there are few seasons.
SELECT dimension, level, measure, games, mean, low, high
FROM residual
WHERE league = $league AND fit_id = $fit_id AND dimension IN ('season', 'month')
ORDER BY measure, level
