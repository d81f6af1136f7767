-- Held-out forecasts of one fit by chance, and how often what they speak of came.
SELECT event, bin, games, forecast, observed, low, high
FROM calibration
WHERE league = $league AND fit_id = $fit_id
ORDER BY event DESC, bin
