-- The scales and fixed effects of one fit, prior and posterior.
SELECT parameter, title, prior, mean, sd, q5, q25, q50, q75, q95, r_hat, ess_bulk, ess_tail
FROM hyperparameter
WHERE league = $league AND fit_id = $fit_id
ORDER BY parameter
