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
COMMENT ON TABLE fit IS 'One row a fit: one posterior for one league as of one date, with its verdict. Key: fit_id.';
COMMENT ON COLUMN fit.likelihood IS 'Which of the outcome''s likelihoods, for example poisson.';
COMMENT ON COLUMN fit.is_published IS 'True where the leaderboard shows this fit.';

CREATE TABLE fit_check AS
SELECT c.* FROM warehouse.fit_check AS c WHERE c.fit_id IN (SELECT fit_id FROM fit) ORDER BY ALL;
COMMENT ON TABLE fit_check IS 'One row a check of a fit. Key: fit_id, check_name, subject.';

CREATE TABLE audit AS
SELECT a.* FROM warehouse.audit AS a WHERE a.fit_id IN (SELECT fit_id FROM fit) ORDER BY a.league, a.audited_at_utc DESC;
COMMENT ON TABLE audit IS 'One row a fit by a fast engine that was audited: the same model of the same games was also fitted by nuts, and the answers compared. Key: fit_id.';
COMMENT ON COLUMN audit.mean_difference_p99 IS '99th percentile of |difference| between the means of published ratings, the intercept and fixed effects, in posterior sds by nuts.';
COMMENT ON COLUMN audit.sd_ratio_low IS 'Smallest ratio of posterior sds of a published rating, the intercept or a fixed effect, audited engine over nuts.';
COMMENT ON COLUMN audit.sd_ratio_high IS 'Largest ratio of posterior sds of a published rating, the intercept or a fixed effect, audited engine over nuts.';
COMMENT ON COLUMN audit.parameter_sd_ratio_low IS 'Smallest ratio of posterior sds of a scale (as logarithm) or another parameter of the likelihood, audited engine over nuts.';
COMMENT ON COLUMN audit.parameter_sd_ratio_high IS 'Largest ratio of posterior sds of a scale (as logarithm) or another parameter of the likelihood, audited engine over nuts.';

CREATE TABLE predictive_check AS
SELECT c.* FROM warehouse.predictive_check AS c WHERE c.fit_id IN (SELECT fit_id FROM fit) ORDER BY ALL;
COMMENT ON TABLE predictive_check IS 'One row a posterior predictive check: a statistic of the real results against replicated results. Key: fit_id, statistic.';
COMMENT ON COLUMN predictive_check.observed IS 'Value of the statistic in the real results.';

CREATE TABLE pooling AS
SELECT p.* FROM warehouse.pooling AS p WHERE p.fit_id IN (SELECT fit_id FROM fit) ORDER BY ALL;
COMMENT ON TABLE pooling IS 'One row a way of pooling: how well one frozen fit of the first 90 % of games forecast the last 10 %. Key: fit_id, pooling.';
COMMENT ON COLUMN pooling.log_loss_se IS 'Standard error of log_loss.';

CREATE TABLE hyperparameter AS
SELECT h.* FROM warehouse.hyperparameter AS h WHERE h.fit_id IN (SELECT fit_id FROM fit) ORDER BY ALL;
COMMENT ON TABLE hyperparameter IS 'One row a scale or fixed effect of a fit, with its prior and posterior. Key: fit_id, parameter.';
COMMENT ON COLUMN hyperparameter.prior IS 'Prior distribution of the parameter, as describe prints it.';

CREATE TABLE leaderboard AS
SELECT
    s.league, s.kind, s.competitor_id, c.name, s.rank, s.rank_low, s.rank_high, s.status,
    r.mean AS rating, r.sd, r.q5, r.q25, r.q50, r.q75, r.q95, f.unit, s.expected_margin,
    a.mean AS attack, a.sd AS attack_sd, d.mean AS defence, d.sd AS defence_sd,
    s.p_best, s.p_top3, s.p_top10, s.tier,
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
COMMENT ON TABLE leaderboard IS 'One row a rated competitor of a league, from the last accepted fit. Ratings are contrasts to the mean of the ranked competitors of the same kind; uncertainty is posterior. Key: league, kind, competitor_id.';
COMMENT ON COLUMN leaderboard.last_played IS 'Day of the last game the competitor played among those used.';
COMMENT ON COLUMN leaderboard.rating IS 'Posterior mean rating, in `unit`.';
COMMENT ON COLUMN leaderboard.unit IS 'Unit of ratings, attack and defence.';
COMMENT ON COLUMN leaderboard.attack IS 'Posterior mean of the attack rating; NULL where the outcome has none.';
COMMENT ON COLUMN leaderboard.attack_sd IS 'Posterior standard deviation of the attack rating.';
COMMENT ON COLUMN leaderboard.defence IS 'Posterior mean of the defence rating; positive is good; NULL where the outcome has none.';
COMMENT ON COLUMN leaderboard.defence_sd IS 'Posterior standard deviation of the defence rating.';
COMMENT ON COLUMN leaderboard.unpooled IS 'Rating from the competitor''s own results alone; NULL where it is not finite.';
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
COMMENT ON TABLE slope IS 'One row a competitor at one value of what its rating varies by (a surface, a season): its whole rating there, against the mean of the ranked who have that value. Key: league, kind, competitor_id, varies_by, value.';
COMMENT ON COLUMN slope.varies_by IS 'What ratings vary by: home, season, or an attribute of games.';
COMMENT ON COLUMN slope.value IS 'The value of it that the row is of, for example Clay.';
COMMENT ON COLUMN slope.rating IS 'Posterior mean rating there, in `unit`.';
COMMENT ON COLUMN slope.unit IS 'Unit of ratings.';
COMMENT ON COLUMN slope.fit_id IS 'The fit the row comes from.';

CREATE TABLE borrowing AS
SELECT
    b.league, b.kind, b.competitor_id, c.name, b.own, b.teammates, b.opponents, b."group", b.prior, b.fit_id
FROM warehouse.borrowing AS b
JOIN published AS p USING (league, fit_id)
LEFT JOIN warehouse.competitor AS c ON (c.league, c.competitor_id) = (b.league, b.competitor_id)
ORDER BY b.league, b.kind, b.own DESC;
COMMENT ON TABLE borrowing IS 'One row a rated competitor: where the information of its rating came from, as shares that sum to one, in the linearised posterior. Key: league, kind, competitor_id.';
