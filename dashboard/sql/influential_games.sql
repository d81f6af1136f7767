-- The games of high k-hat in one comparison, the highest first, and the models that they weigh on.
SELECT
    game_id, any_value(played_on) AS played_on, any_value(sides) AS sides, any_value(result) AS result,
    max(k_hat) AS k_hat, min(elpd) AS elpd, string_agg(variant, ', ' ORDER BY variant) AS variants
FROM influential_game
WHERE league = $league AND comparison_id = $comparison_id AND is_high
GROUP BY game_id
ORDER BY k_hat DESC NULLS FIRST, game_id
LIMIT 20
