-- Fits with their evidence (the newest twenty of each league, rejected ones too, and as many as of a chosen date) and the leaderboard of the published.
-- `warehouse` is attached.

CREATE TABLE fit AS
SELECT
    f.* EXCLUDE (is_dated, current_at_utc), f.design::JSON ->> '$.likelihood_name' AS likelihood, f.fit_id IN (SELECT fit_id FROM published) AS is_published
FROM warehouse.fit AS f
WHERE f.league IN (SELECT league FROM league)
QUALIFY f.fit_id IN (SELECT fit_id FROM published)
    OR row_number() OVER (PARTITION BY f.league, f.is_dated ORDER BY f.current_at_utc DESC) <= 20
ORDER BY f.league, f.fitted_at_utc DESC;
COMMENT ON TABLE fit IS 'One row a fit: one posterior for one league as of one date, with its verdict.';
COMMENT ON COLUMN fit.fit_id IS 'Hash of everything the fit depends on: the same inputs have the same id.';
COMMENT ON COLUMN fit.league IS 'League.';
COMMENT ON COLUMN fit.as_of IS 'Games before this day 00:00 UTC were used.';
COMMENT ON COLUMN fit.fitted_at_utc IS 'When the fit was started, UTC.';
COMMENT ON COLUMN fit.engine IS 'How it was computed: joint (deterministic, one dense factor) or nuts (PyMC sampled by nutpie).';
COMMENT ON COLUMN fit.engine_reason IS 'Why this engine: asked for, or what of the model or of another engine''s checks decided it; NULL before engines were chosen.';
COMMENT ON COLUMN fit.verdict IS 'accepted or rejected; only accepted fits reach a leaderboard.';
COMMENT ON COLUMN fit.reasons IS 'Why it was rejected, in words; empty where accepted.';
COMMENT ON COLUMN fit.override_reason IS 'Reason given by a person for accepting a fit the rules would have rejected.';
COMMENT ON COLUMN fit.outcome IS 'Outcome family.';
COMMENT ON COLUMN fit.likelihood IS 'Which of the outcome''s likelihoods, for example poisson.';
COMMENT ON COLUMN fit.unit IS 'Unit of the ratings.';
COMMENT ON COLUMN fit.games IS 'Games used.';
COMMENT ON COLUMN fit.competitors IS 'Competitors rated.';
COMMENT ON COLUMN fit.first_game_on IS 'Day of the first game used.';
COMMENT ON COLUMN fit.last_game_on IS 'Day of the last game used.';
COMMENT ON COLUMN fit.draws IS 'Posterior draws behind the summaries.';
COMMENT ON COLUMN fit.seed IS 'Seed of all randomness.';
COMMENT ON COLUMN fit.seconds IS 'Wall time of fitting and judging, seconds.';
COMMENT ON COLUMN fit.started_from IS 'The earlier accepted fit whose posterior means the sampler started around; NULL where it started from the prior.';
COMMENT ON COLUMN fit.design IS 'The model as JSON: blocks, priors, fixed effects.';
COMMENT ON COLUMN fit.games_fingerprint IS 'Hash of the games used.';
COMMENT ON COLUMN fit.code_hash IS 'Hash of the modelling code.';
COMMENT ON COLUMN fit.versions IS 'Versions of Python and the modelling libraries, as JSON.';
COMMENT ON COLUMN fit.is_published IS 'True where the leaderboard shows this fit.';

CREATE TABLE fit_check AS
SELECT c.* FROM warehouse.fit_check AS c WHERE c.fit_id IN (SELECT fit_id FROM fit) ORDER BY ALL;
COMMENT ON TABLE fit_check IS 'One row a check of a fit.';
COMMENT ON COLUMN fit_check.league IS 'League.';
COMMENT ON COLUMN fit_check.fit_id IS 'The fit.';
COMMENT ON COLUMN fit_check.check_name IS 'What was checked.';
COMMENT ON COLUMN fit_check.subject IS 'Of what: a parameter, the worst rating, or the whole fit.';
COMMENT ON COLUMN fit_check.value IS 'Value found.';
COMMENT ON COLUMN fit_check.bound IS 'Value it is held to; NULL where there is none.';
COMMENT ON COLUMN fit_check.status IS 'pass, warn (shown) or fail (the fit is rejected).';
COMMENT ON COLUMN fit_check.message IS 'What it means, in words.';

CREATE TABLE audit AS
SELECT a.* FROM warehouse.audit AS a WHERE a.fit_id IN (SELECT fit_id FROM fit) ORDER BY a.league, a.audited_at_utc DESC;
COMMENT ON TABLE audit IS 'One row a fit by a fast engine that was audited: the same model of the same games was also fitted by nuts, and the answers compared.';
COMMENT ON COLUMN audit.league IS 'League of the fit.';
COMMENT ON COLUMN audit.fit_id IS 'The fit: the one whose answer was compared or, where nuts disagreed and engines were chosen by auto, the one that nuts made instead.';
COMMENT ON COLUMN audit.audited_at_utc IS 'When the fit was started, UTC.';
COMMENT ON COLUMN audit.engine IS 'The engine that was audited.';
COMMENT ON COLUMN audit.verdict IS 'agrees, disagrees (beyond the bounds: what this engine found is not published) or unsettled (nuts did not converge, so nothing can be said).';
COMMENT ON COLUMN audit.message IS 'What it means, in words.';
COMMENT ON COLUMN audit.is_whole IS 'True where the whole league was compared; false where a sub-league of its most-played competitors stood for it, the whole being too large for nuts.';
COMMENT ON COLUMN audit.games IS 'Games of what was compared.';
COMMENT ON COLUMN audit.effects IS 'Effects and states of what was compared.';
COMMENT ON COLUMN audit.seconds IS 'Wall time of the audit.';
COMMENT ON COLUMN audit.mean_difference IS 'Largest |difference| between the means of a published rating, the intercept or a fixed effect, in posterior sds by nuts; NULL, as all that follow, where unsettled.';
COMMENT ON COLUMN audit.mean_difference_p99 IS 'Its 99th percentile.';
COMMENT ON COLUMN audit.sd_ratio_low IS 'Smallest ratio of their sds, audited engine over nuts.';
COMMENT ON COLUMN audit.sd_ratio_high IS 'Largest ratio of their sds.';
COMMENT ON COLUMN audit.parameter_difference IS 'Largest |difference| between the means of a scale (as logarithm) or another parameter of the likelihood, in posterior sds by nuts.';
COMMENT ON COLUMN audit.parameter_sd_ratio_low IS 'Smallest ratio of their sds.';
COMMENT ON COLUMN audit.parameter_sd_ratio_high IS 'Largest ratio of their sds.';
COMMENT ON COLUMN audit.chance_difference IS 'Largest |difference| of P(a > b) over pairs of the first 60 ranked.';
COMMENT ON COLUMN audit.rank_correlation IS 'Spearman''s correlation of the mean ratings of the ranked; the least over kinds.';
COMMENT ON COLUMN audit.floor_mean_difference IS 'mean_difference of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_mean_difference_p99 IS 'mean_difference_p99 of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_sd_ratio_low IS 'sd_ratio_low of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_sd_ratio_high IS 'sd_ratio_high of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_parameter_difference IS 'parameter_difference of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_parameter_sd_ratio_low IS 'parameter_sd_ratio_low of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_parameter_sd_ratio_high IS 'parameter_sd_ratio_high of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_chance_difference IS 'chance_difference of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_rank_correlation IS 'rank_correlation of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';

CREATE TABLE predictive_check AS
SELECT c.* FROM warehouse.predictive_check AS c WHERE c.fit_id IN (SELECT fit_id FROM fit) ORDER BY ALL;
COMMENT ON TABLE predictive_check IS 'One row a posterior predictive check: a statistic of the real results against replicated results.';
COMMENT ON COLUMN predictive_check.league IS 'League.';
COMMENT ON COLUMN predictive_check.fit_id IS 'The fit.';
COMMENT ON COLUMN predictive_check.statistic IS 'Key of the statistic.';
COMMENT ON COLUMN predictive_check.title IS 'The statistic in words.';
COMMENT ON COLUMN predictive_check.observed IS 'Its value in the real results.';
COMMENT ON COLUMN predictive_check.replicated_mean IS 'Mean over replicated results.';
COMMENT ON COLUMN predictive_check.replicated_sd IS 'Standard deviation over replicated results.';
COMMENT ON COLUMN predictive_check.q5 IS '5 % quantile over replicated results.';
COMMENT ON COLUMN predictive_check.q95 IS '95 % quantile over replicated results.';
COMMENT ON COLUMN predictive_check.p_value IS 'Bayesian p-value: share of replications at or above the observed value, ties counted half.';
COMMENT ON COLUMN predictive_check.practical_size IS 'Smallest discrepancy that matters in practice; NULL where none is written.';
COMMENT ON COLUMN predictive_check.is_hard IS 'True where failing rejects the fit.';
COMMENT ON COLUMN predictive_check.status IS 'pass, warn (shown) or fail (the fit is rejected).';
COMMENT ON COLUMN predictive_check.message IS 'What it means, in words.';

CREATE TABLE pooling AS
SELECT p.* FROM warehouse.pooling AS p WHERE p.fit_id IN (SELECT fit_id FROM fit) ORDER BY ALL;
COMMENT ON TABLE pooling IS 'One row a way of pooling: how well one frozen fit of the first 90 % of games forecast the last 10 %.';
COMMENT ON COLUMN pooling.league IS 'League.';
COMMENT ON COLUMN pooling.fit_id IS 'The fit.';
COMMENT ON COLUMN pooling.pooling IS 'partial (scales learned; published unless the stanza asks otherwise), none (each competitor alone), complete (all alike), or baseline (shares of past results).';
COMMENT ON COLUMN pooling.held_out_games IS 'Games forecast; the same for each way.';
COMMENT ON COLUMN pooling.log_loss IS 'Mean log loss of win, draw and loss over those games; lower is better.';
COMMENT ON COLUMN pooling.log_loss_se IS 'Its standard error.';
COMMENT ON COLUMN pooling.difference IS 'Log loss less that of the published model on the same games; above 0: the published one forecasts better.';
COMMENT ON COLUMN pooling.difference_se IS 'Standard error of the paired difference.';

CREATE TABLE hyperparameter AS
SELECT h.* FROM warehouse.hyperparameter AS h WHERE h.fit_id IN (SELECT fit_id FROM fit) ORDER BY ALL;
COMMENT ON TABLE hyperparameter IS 'One row a scale or fixed effect of a fit, with its prior and posterior.';
COMMENT ON COLUMN hyperparameter.league IS 'League.';
COMMENT ON COLUMN hyperparameter.fit_id IS 'The fit.';
COMMENT ON COLUMN hyperparameter.parameter IS 'Key of the parameter.';
COMMENT ON COLUMN hyperparameter.title IS 'What it is, in words.';
COMMENT ON COLUMN hyperparameter.prior IS 'Its prior.';
COMMENT ON COLUMN hyperparameter.mean IS 'Posterior mean, in units of the linear predictor.';
COMMENT ON COLUMN hyperparameter.sd IS 'Posterior standard deviation.';
COMMENT ON COLUMN hyperparameter.q5 IS 'Posterior 5 % quantile.';
COMMENT ON COLUMN hyperparameter.q25 IS 'Posterior 25 % quantile.';
COMMENT ON COLUMN hyperparameter.q50 IS 'Posterior median.';
COMMENT ON COLUMN hyperparameter.q75 IS 'Posterior 75 % quantile.';
COMMENT ON COLUMN hyperparameter.q95 IS 'Posterior 95 % quantile.';
COMMENT ON COLUMN hyperparameter.r_hat IS 'R-hat (rank-normalised split); NULL for engines without chains.';
COMMENT ON COLUMN hyperparameter.ess_bulk IS 'Bulk effective sample size.';
COMMENT ON COLUMN hyperparameter.ess_tail IS 'Tail effective sample size.';

CREATE TABLE leaderboard AS
SELECT
    s.league, s.kind, s.competitor_id, c.name, s.rank, s.rank_low, s.rank_high, s.status,
    r.mean AS rating, r.sd, r.q5, r.q25, r.q50, r.q75, r.q95, f.unit, s.expected_margin,
    a.mean AS attack, a.sd AS attack_sd, d.mean AS defence, d.sd AS defence_sd,
    s.p_best, s.p_top3, s.p_top10,
    r.unpooled, r.unpooled_se, r.unpooled_reason, r.shrinkage, r.shrinkage_by_distance,
    s.games, s.last_played, s.pool, f.as_of, s.fit_id
FROM warehouse.standing AS s
JOIN published AS p USING (league, fit_id)
JOIN warehouse.fit AS f USING (fit_id)
JOIN warehouse.rating AS r
    ON (r.fit_id, r.kind, r.competitor_id, r.component) = (s.fit_id, s.kind, s.competitor_id, 'total')
LEFT JOIN warehouse.rating AS a
    ON (a.fit_id, a.kind, a.competitor_id, a.component) = (s.fit_id, s.kind, s.competitor_id, 'attack')
LEFT JOIN warehouse.rating AS d
    ON (d.fit_id, d.kind, d.competitor_id, d.component) = (s.fit_id, s.kind, s.competitor_id, 'defence')
LEFT JOIN warehouse.competitor AS c ON (c.league, c.competitor_id) = (s.league, s.competitor_id)
ORDER BY s.league, s.kind, s.rank NULLS LAST, r.mean DESC;
COMMENT ON TABLE leaderboard IS 'One row a rated competitor of a league, from the last accepted fit. Ratings are contrasts to the mean of the ranked competitors of the same kind; uncertainty is posterior.';
COMMENT ON COLUMN leaderboard.league IS 'League.';
COMMENT ON COLUMN leaderboard.kind IS 'team or player; kinds are ranked apart.';
COMMENT ON COLUMN leaderboard.competitor_id IS 'The competitor.';
COMMENT ON COLUMN leaderboard.name IS 'Name shown to people.';
COMMENT ON COLUMN leaderboard.rank IS 'Rank by mean rating among the ranked of the largest pool, from 1; NULL for others.';
COMMENT ON COLUMN leaderboard.rank_low IS 'Best rank of the 90 % interval.';
COMMENT ON COLUMN leaderboard.rank_high IS 'Worst rank of the 90 % interval.';
COMMENT ON COLUMN leaderboard.status IS 'ranked, inactive (has not played lately) or provisional (too few games).';
COMMENT ON COLUMN leaderboard.rating IS 'Posterior mean rating, in `unit`.';
COMMENT ON COLUMN leaderboard.sd IS 'Posterior standard deviation of the rating.';
COMMENT ON COLUMN leaderboard.q5 IS '5 % quantile of the rating.';
COMMENT ON COLUMN leaderboard.q25 IS '25 % quantile of the rating.';
COMMENT ON COLUMN leaderboard.q50 IS 'Median of the rating.';
COMMENT ON COLUMN leaderboard.q75 IS '75 % quantile of the rating.';
COMMENT ON COLUMN leaderboard.q95 IS '95 % quantile of the rating.';
COMMENT ON COLUMN leaderboard.unit IS 'Unit of ratings, attack and defence.';
COMMENT ON COLUMN leaderboard.expected_margin IS 'Against an average ranked competitor on neutral ground: the expected margin (goals, points) where the outcome is a score or a margin; else the chance to win above one half, in a race to finish ahead, half a draw counted.';
COMMENT ON COLUMN leaderboard.attack IS 'Posterior mean of the attack rating; NULL where the outcome has none.';
COMMENT ON COLUMN leaderboard.attack_sd IS 'Its posterior standard deviation.';
COMMENT ON COLUMN leaderboard.defence IS 'Posterior mean of the defence rating; positive is good.';
COMMENT ON COLUMN leaderboard.defence_sd IS 'Its posterior standard deviation.';
COMMENT ON COLUMN leaderboard.p_best IS 'Probability of being the best of the ranked.';
COMMENT ON COLUMN leaderboard.p_top3 IS 'Probability of being among the best three of the ranked.';
COMMENT ON COLUMN leaderboard.p_top10 IS 'Probability of being among the best ten of the ranked.';
COMMENT ON COLUMN leaderboard.unpooled IS 'Rating from the competitor''s own results alone; NULL where it is not finite.';
COMMENT ON COLUMN leaderboard.unpooled_se IS 'Standard error of the unpooled rating.';
COMMENT ON COLUMN leaderboard.unpooled_reason IS 'Why there is no unpooled rating; NULL where there is one.';
COMMENT ON COLUMN leaderboard.shrinkage IS 'Posterior variance over prior variance of the rating: 1 where the results have said nothing yet, towards 0 as they pile up.';
COMMENT ON COLUMN leaderboard.shrinkage_by_distance IS 'How far the estimate was pulled to its group, 1 - (pooled - mean) / (unpooled - mean); NULL where the unpooled rating is within a standard error of the mean.';
COMMENT ON COLUMN leaderboard.games IS 'Contests played in the games used.';
COMMENT ON COLUMN leaderboard.last_played IS 'Day of the last of them.';
COMMENT ON COLUMN leaderboard.pool IS 'Connected component of the games, 1 the largest.';
COMMENT ON COLUMN leaderboard.as_of IS 'As-of date of the fit.';
COMMENT ON COLUMN leaderboard.fit_id IS 'The fit the row comes from.';

CREATE TABLE slope AS
SELECT
    r.league, r.kind, r.competitor_id, c.name, split_part(r.component, ':', 1) AS varies_by,
    substr(r.component, instr(r.component, ':') + 1) AS value, r.mean AS rating, r.sd, r.q5, r.q25, r.q50, r.q75, r.q95,
    f.unit, r.fit_id
FROM warehouse.rating AS r
JOIN published AS p USING (league, fit_id)
JOIN warehouse.fit AS f USING (fit_id)
LEFT JOIN warehouse.competitor AS c ON (c.league, c.competitor_id) = (r.league, r.competitor_id)
WHERE contains(r.component, ':')
ORDER BY r.league, r.kind, varies_by, value, r.mean DESC;
COMMENT ON TABLE slope IS 'One row a competitor at one value of what its rating varies by (a surface, a season): its whole rating there, against the mean of the ranked who have that value.';
COMMENT ON COLUMN slope.league IS 'League.';
COMMENT ON COLUMN slope.kind IS 'team or player.';
COMMENT ON COLUMN slope.competitor_id IS 'The competitor.';
COMMENT ON COLUMN slope.name IS 'Name shown to people.';
COMMENT ON COLUMN slope.varies_by IS 'What ratings vary by: home, season, or an attribute of games.';
COMMENT ON COLUMN slope.value IS 'The value of it that the row is of, for example Clay.';
COMMENT ON COLUMN slope.rating IS 'Posterior mean rating there, in `unit`.';
COMMENT ON COLUMN slope.sd IS 'Its posterior standard deviation.';
COMMENT ON COLUMN slope.q5 IS '5 % quantile of it.';
COMMENT ON COLUMN slope.q25 IS '25 % quantile of it.';
COMMENT ON COLUMN slope.q50 IS 'Median of it.';
COMMENT ON COLUMN slope.q75 IS '75 % quantile of it.';
COMMENT ON COLUMN slope.q95 IS '95 % quantile of it.';
COMMENT ON COLUMN slope.unit IS 'Unit of ratings.';
COMMENT ON COLUMN slope.fit_id IS 'The fit the row comes from.';

CREATE TABLE borrowing AS
SELECT
    b.league, b.kind, b.competitor_id, c.name, b.own, b.teammates, b.opponents, b."group", b.prior, b.fit_id
FROM warehouse.borrowing AS b
JOIN published AS p USING (league, fit_id)
LEFT JOIN warehouse.competitor AS c ON (c.league, c.competitor_id) = (b.league, b.competitor_id)
ORDER BY b.league, b.kind, b.own DESC;
COMMENT ON TABLE borrowing IS 'One row a rated competitor: where the information of its rating came from, as shares that sum to one, in the linearised posterior.';
COMMENT ON COLUMN borrowing.league IS 'League.';
COMMENT ON COLUMN borrowing.kind IS 'team or player.';
COMMENT ON COLUMN borrowing.competitor_id IS 'The competitor.';
COMMENT ON COLUMN borrowing.name IS 'Name shown to people.';
COMMENT ON COLUMN borrowing.own IS 'Share from its own games.';
COMMENT ON COLUMN borrowing.teammates IS 'Share from its teammates'' games without it.';
COMMENT ON COLUMN borrowing.opponents IS 'Share from the other games of its opponents, and of theirs in turn.';
COMMENT ON COLUMN borrowing."group" IS 'Share from the others of its group or population, through the prior they have in common.';
COMMENT ON COLUMN borrowing.prior IS 'Share from its own prior.';
COMMENT ON COLUMN borrowing.fit_id IS 'The fit the row comes from.';
