-- Where results of one fit's games lie among what was forecast of them, by kind of histogram.
SELECT kind, bin, results, observed, expected, low, high
FROM pit
WHERE league = $league AND fit_id = $fit_id
ORDER BY kind, bin
