-- The ten quantities of one fit whose chains agree least.
SELECT place, quantity, family, r_hat, ess_bulk, ess_tail
FROM diagnosis
WHERE league = $league AND fit_id = $fit_id
ORDER BY place
