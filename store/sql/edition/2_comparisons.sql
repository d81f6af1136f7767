-- Models that were compared, the newest ten comparisons of each league; how far fits lean on their priors.
-- `warehouse` is attached.

CREATE TABLE comparison AS
SELECT c.*
FROM warehouse.comparison AS c
WHERE c.league IN (SELECT league FROM league)
QUALIFY dense_rank() OVER (PARTITION BY c.league ORDER BY c.made_at_utc DESC, c.comparison_id) <= 10
ORDER BY c.league, c.made_at_utc DESC, c.comparison_id, c.method, c.is_own DESC, c.variant;
COMMENT ON TABLE comparison IS 'One row a model of a league by a method: how well it forecasts the league''s games, against the league''s own model of the same games.';
COMMENT ON COLUMN comparison.league IS 'League.';
COMMENT ON COLUMN comparison.comparison_id IS 'The comparison: hash of the models, the games, the code and the engine asked for. All its rows are of the same games.';
COMMENT ON COLUMN comparison.variant IS 'The model, by what distinguishes it, in words.';
COMMENT ON COLUMN comparison.settings IS 'What differs from the league''s stanza, as it was asked for; empty of the league''s own model.';
COMMENT ON COLUMN comparison.is_own IS 'True of the league''s own model, the one that is fitted every night.';
COMMENT ON COLUMN comparison.method IS 'loo (each game forecast from all the others, by Pareto-smoothed importance sampling), waic (an approximation of the same) or lfo (blocks of games forecast from earlier games alone, where ratings walk).';
COMMENT ON COLUMN comparison.engine IS 'How the model was computed: joint, chain or nuts.';
COMMENT ON COLUMN comparison.games IS 'Games forecast.';
COMMENT ON COLUMN comparison.elpd IS 'Sum over them of the log density that was forecast for what happened, in nats; higher is better.';
COMMENT ON COLUMN comparison.elpd_se IS 'Its standard error.';
COMMENT ON COLUMN comparison.p_eff IS 'Effective number of parameters; NULL where games were forecast from earlier ones.';
COMMENT ON COLUMN comparison.worst_k IS 'Largest k-hat of the games'' importance weights; NULL of other methods than loo, or where weights told nothing of a game.';
COMMENT ON COLUMN comparison.high_k IS 'Games whose k-hat is above 0.7; NULL of other methods than loo.';
COMMENT ON COLUMN comparison.refitted IS 'Those of them that were forecast by fits without them instead.';
COMMENT ON COLUMN comparison.doubtful IS 'Games whose estimate is not to be relied on: of loo those of high k-hat without such a fit, of waic those where the variance of the log likelihood is above 0.4.';
COMMENT ON COLUMN comparison.difference IS 'Its elpd less that of the league''s own model: above 0 it forecasts better; NULL of that itself.';
COMMENT ON COLUMN comparison.difference_se IS 'Standard error of the paired difference.';
COMMENT ON COLUMN comparison.p_better IS 'Probability that it forecasts better than the league''s own, by a normal approximation; NULL where that is not to be trusted: a difference below 4, fewer than 100 games, or doubtful games that decide.';
COMMENT ON COLUMN comparison.verdict IS 'better, probably better, alike (cannot be told apart), probably worse, worse, or open (doubtful games decide); NULL of the league''s own.';
COMMENT ON COLUMN comparison.sentence IS 'What it means, in words; of the league''s own model which of all is best.';
COMMENT ON COLUMN comparison.as_of IS 'Games before this day 00:00 UTC were used.';
COMMENT ON COLUMN comparison.made_at_utc IS 'When it was made, UTC.';

CREATE TABLE influential_game AS
SELECT i.*
FROM warehouse.influential_game AS i
WHERE i.comparison_id IN (SELECT comparison_id FROM comparison)
ORDER BY i.league, i.comparison_id, i.variant, i.k_hat DESC NULLS FIRST;
COMMENT ON TABLE influential_game IS 'One row a game that weighs much on a model that was compared, or that it hardly expected: the ten whose leave-one-out weights are the most uneven and all (up to a hundred) of high k-hat, and the ten of the lowest log density.';
COMMENT ON COLUMN influential_game.league IS 'League.';
COMMENT ON COLUMN influential_game.comparison_id IS 'The comparison.';
COMMENT ON COLUMN influential_game.variant IS 'The model.';
COMMENT ON COLUMN influential_game.game_id IS 'The game.';
COMMENT ON COLUMN influential_game.played_on IS 'Its day.';
COMMENT ON COLUMN influential_game.sides IS 'Who played, in the stored order.';
COMMENT ON COLUMN influential_game.result IS 'How it ended: the score in that order, or who won.';
COMMENT ON COLUMN influential_game.elpd IS 'Log density that the model forecast for what happened from the other games, in nats.';
COMMENT ON COLUMN influential_game.k_hat IS 'How uneven the game''s importance weights are; NULL where they tell nothing, and where games were forecast from earlier ones.';
COMMENT ON COLUMN influential_game.is_high IS 'True where k-hat is above 0.7: leaving the game out changes the model more than weights can tell.';
COMMENT ON COLUMN influential_game.is_refitted IS 'True where elpd is of a fit without the game.';

CREATE TABLE prior_sensitivity AS
SELECT s.* EXCLUDE (prior, likelihood, diagnosis), coalesce(h.title, c.name, s.quantity) AS name, s.prior, s.likelihood, s.diagnosis
FROM warehouse.prior_sensitivity AS s
LEFT JOIN warehouse.hyperparameter AS h
    ON s.kind = 'parameter' AND (h.league, h.fit_id, h.parameter) = (s.league, s.fit_id, s.quantity)
LEFT JOIN warehouse.competitor AS c ON s.kind <> 'parameter' AND (c.league, c.competitor_id) = (s.league, s.quantity)
WHERE s.fit_id IN (SELECT fit_id FROM fit)
ORDER BY ALL;
COMMENT ON TABLE prior_sensitivity IS 'One row a parameter of a fit, or a ranked competitor: how far it leans on the priors of scales, fixed effects and the likelihood''s own parameters (power-scaling); none of fits by the chain engine.';
COMMENT ON COLUMN prior_sensitivity.league IS 'League.';
COMMENT ON COLUMN prior_sensitivity.fit_id IS 'The fit.';
COMMENT ON COLUMN prior_sensitivity.kind IS 'parameter, or the kind of competitor whose rating it is.';
COMMENT ON COLUMN prior_sensitivity.quantity IS 'Key of the parameter (as in hyperparameter), or the competitor.';
COMMENT ON COLUMN prior_sensitivity.name IS 'What the parameter is, or the competitor''s name.';
COMMENT ON COLUMN prior_sensitivity.prior IS 'How far its posterior moves where the priors of all parameters are raised to a power: cumulative Jensen-Shannon distance for a doubling; above 0.05 it leans on them.';
COMMENT ON COLUMN prior_sensitivity.likelihood IS 'The same where the likelihood is. Chance alone makes of 1,000 draws 0.01 for each nat of the sd of the whole log likelihood.';
COMMENT ON COLUMN prior_sensitivity.diagnosis IS 'What the two say, in words: rests on the results, rests on the results and on the prior, or leans on the prior.';
