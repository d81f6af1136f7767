-- The groups of games of one fit that stand out most from what it makes of them.
SELECT dimension, level, measure, games, observed, expected, mean, low, high, z, status, message
FROM residual
WHERE league = $league AND fit_id = $fit_id
ORDER BY status = 'pass', abs(z) DESC, dimension, level, measure
LIMIT 20
