-- The games that weigh most on the models of one comparison, those of high k-hat first, then those expected least.
SELECT
    game_id, any_value(played_on) AS played_on, any_value(sides) AS sides, any_value(result) AS result,
    max(k_hat) AS k_hat, bool_or(is_high) AS is_high, min(elpd) AS elpd, string_agg(variant, ', ' ORDER BY variant) AS variants
FROM influential_game
WHERE league = $league AND comparison_id = $comparison_id
GROUP BY game_id
ORDER BY is_high DESC, elpd, game_id
LIMIT 20
