-- The three newest comparisons of a league's models, the best first in each, with WAIC beside leave-one-out.
SELECT
    c.comparison_id, c.variant, c.settings, c.is_own, c.method, c.games, c.elpd, w.elpd AS waic, c.p_eff, c.high_k,
    c.doubtful, coalesce(c.difference, 0) AS difference, coalesce(c.difference_se, 0) AS difference_se, c.sentence,
    c.as_of, c.made_at_utc
FROM comparison AS c
LEFT JOIN comparison AS w ON (w.comparison_id, w.variant, w.method) = (c.comparison_id, c.variant, 'waic')
WHERE c.league = $league AND c.method <> 'waic'
QUALIFY dense_rank() OVER (ORDER BY c.made_at_utc DESC, c.comparison_id) <= 3
ORDER BY c.made_at_utc DESC, c.comparison_id, c.elpd DESC
