-- Models that were compared, the newest ten comparisons of each league; how far fits lean on their priors.
-- `warehouse` is attached.

CREATE TABLE comparison AS
SELECT c.*
FROM warehouse.comparison AS c
WHERE c.league IN (SELECT league FROM league)
QUALIFY dense_rank() OVER (PARTITION BY c.league ORDER BY c.made_at_utc DESC, c.comparison_id) <= 10
ORDER BY c.league, c.made_at_utc DESC, c.comparison_id, c.method, c.is_own DESC, c.variant;
COMMENT ON TABLE comparison IS 'One row a model of a league by a method: how well it forecasts the league''s games, against the league''s own model of the same games. Key: comparison_id, variant, method.';
COMMENT ON COLUMN comparison.elpd_se IS 'Standard error of elpd.';
COMMENT ON COLUMN comparison.refitted IS 'Games of high k-hat that were forecast by fits without them instead.';

CREATE TABLE influential_game AS
SELECT i.*
FROM warehouse.influential_game AS i
WHERE i.comparison_id IN (SELECT comparison_id FROM comparison) AND i.league IN (SELECT league FROM league WHERE is_shared)
ORDER BY i.league, i.comparison_id, i.variant, i.k_hat DESC NULLS FIRST;
COMMENT ON TABLE influential_game IS 'One row a game that weighs much on a model that was compared, or that it hardly expected: the ten whose leave-one-out weights are the most uneven and all (up to a hundred) of high k-hat, and the ten of the lowest log density. Key: comparison_id, variant, game_id.';
COMMENT ON COLUMN influential_game.played_on IS 'Day of the game.';

CREATE TABLE prior_sensitivity AS
SELECT s.* EXCLUDE (prior, likelihood, diagnosis), coalesce(h.title, c.name, s.quantity) AS name, s.prior, s.likelihood, s.diagnosis
FROM warehouse.prior_sensitivity AS s
LEFT JOIN warehouse.hyperparameter AS h
    ON s.kind = 'parameter' AND (h.league, h.fit_id, h.parameter) = (s.league, s.fit_id, s.quantity)
LEFT JOIN warehouse.competitor AS c ON s.kind <> 'parameter' AND (c.league, c.competitor_id) = (s.league, s.quantity)
WHERE s.fit_id IN (SELECT fit_id FROM fit)
ORDER BY ALL;
COMMENT ON TABLE prior_sensitivity IS 'One row a parameter of a fit, or a ranked competitor: how far it leans on the priors of scales, fixed effects and the likelihood''s own parameters (power-scaling); none of fits by the chain engine. Key: fit_id, kind, quantity.';
COMMENT ON COLUMN prior_sensitivity.likelihood IS 'How far the posterior moves where the likelihood is raised to a power, as prior. Chance alone makes of 1,000 draws 0.01 for each nat of the sd of the whole log likelihood.';
COMMENT ON COLUMN prior_sensitivity.name IS 'What the parameter is, or the competitor''s name.';
