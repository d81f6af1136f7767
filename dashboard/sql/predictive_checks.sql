-- The posterior predictive checks of one fit, those that can reject it first.
SELECT
    statistic, title, observed, replicated_mean, replicated_sd, q5, q95, p_value, practical_size, is_hard, status,
    message
FROM predictive_check
WHERE league = $league AND fit_id = $fit_id
ORDER BY NOT is_hard, list_position(['fail', 'warn', 'pass'], status), statistic
