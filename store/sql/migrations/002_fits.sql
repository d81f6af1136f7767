-- What the models say: fits with their evidence, and the ratings of each.

CREATE TABLE fit (
    fit_id VARCHAR PRIMARY KEY,
    league VARCHAR NOT NULL,
    as_of DATE NOT NULL,
    is_dated BOOLEAN NOT NULL,
    fitted_at_utc TIMESTAMP NOT NULL,
    current_at_utc TIMESTAMP NOT NULL,
    engine VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL CHECK (verdict IN ('accepted', 'rejected')),
    reasons VARCHAR[] NOT NULL,
    override_reason VARCHAR,
    outcome VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    games INTEGER NOT NULL,
    competitors INTEGER NOT NULL,
    first_game_on DATE NOT NULL,
    last_game_on DATE NOT NULL,
    draws INTEGER NOT NULL,
    seed BIGINT NOT NULL,
    seconds DOUBLE NOT NULL,
    design VARCHAR NOT NULL,
    games_fingerprint VARCHAR NOT NULL,
    code_hash VARCHAR NOT NULL,
    versions VARCHAR NOT NULL
);
COMMENT ON TABLE fit IS 'One row a fit: one posterior for one league as of one date, with its verdict. Fits are only ever added.';
COMMENT ON COLUMN fit.fit_id IS 'Hash of design, as-of date, modelling code, library versions, games, seed and engine: the same inputs have the same id.';
COMMENT ON COLUMN fit.league IS 'League fitted.';
COMMENT ON COLUMN fit.as_of IS 'Games before this day 00:00 UTC were used.';
COMMENT ON COLUMN fit.is_dated IS 'True where a person chose the as-of date; such fits are kept but never become the leaderboard.';
COMMENT ON COLUMN fit.fitted_at_utc IS 'When the fit was started, UTC.';
COMMENT ON COLUMN fit.current_at_utc IS 'When its inputs were last found to be today''s: at the fit, and whenever a due fit found nothing new. The newest of these is the league''s fit.';
COMMENT ON COLUMN fit.engine IS 'How it was computed, for example nuts (PyMC sampled by nutpie).';
COMMENT ON COLUMN fit.verdict IS 'accepted or rejected; only accepted fits reach a leaderboard.';
COMMENT ON COLUMN fit.reasons IS 'Why it was rejected, in words; empty where accepted.';
COMMENT ON COLUMN fit.override_reason IS 'Reason given by a person for accepting a fit the rules would have rejected.';
COMMENT ON COLUMN fit.outcome IS 'Outcome family of the model.';
COMMENT ON COLUMN fit.unit IS 'Unit of the ratings, for example log goals.';
COMMENT ON COLUMN fit.games IS 'Games used.';
COMMENT ON COLUMN fit.competitors IS 'Competitors rated.';
COMMENT ON COLUMN fit.first_game_on IS 'Day of the first game used.';
COMMENT ON COLUMN fit.last_game_on IS 'Day of the last game used.';
COMMENT ON COLUMN fit.draws IS 'Posterior draws behind the summaries (all chains).';
COMMENT ON COLUMN fit.seed IS 'Seed of all randomness.';
COMMENT ON COLUMN fit.seconds IS 'Wall time of fitting and judging, seconds.';
COMMENT ON COLUMN fit.design IS 'The model as JSON: blocks, priors, fixed effects.';
COMMENT ON COLUMN fit.games_fingerprint IS 'Hash of the games used.';
COMMENT ON COLUMN fit.code_hash IS 'Hash of the modelling code.';
COMMENT ON COLUMN fit.versions IS 'Versions of Python and the modelling libraries, as JSON.';

CREATE TABLE fit_check (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    check_name VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    value DOUBLE,
    bound DOUBLE,
    status VARCHAR NOT NULL CHECK (status IN ('pass', 'warn', 'fail')),
    message VARCHAR NOT NULL,
    PRIMARY KEY (fit_id, check_name, subject)
);
COMMENT ON TABLE fit_check IS 'One row a check of a fit: convergence, held-out forecasts, connection.';
COMMENT ON COLUMN fit_check.league IS 'League of the fit.';
COMMENT ON COLUMN fit_check.fit_id IS 'The fit.';
COMMENT ON COLUMN fit_check.check_name IS 'What was checked, for example r_hat.';
COMMENT ON COLUMN fit_check.subject IS 'Of what: a parameter, the worst rating, or the whole fit.';
COMMENT ON COLUMN fit_check.value IS 'Value found.';
COMMENT ON COLUMN fit_check.bound IS 'Value it is held to; NULL where there is none.';
COMMENT ON COLUMN fit_check.status IS 'pass, warn (shown) or fail (the fit is rejected).';
COMMENT ON COLUMN fit_check.message IS 'What it means, in words.';

CREATE TABLE predictive_check (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    statistic VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    observed DOUBLE NOT NULL,
    replicated_mean DOUBLE NOT NULL,
    replicated_sd DOUBLE NOT NULL,
    q5 DOUBLE NOT NULL,
    q95 DOUBLE NOT NULL,
    p_value DOUBLE NOT NULL,
    practical_size DOUBLE,
    is_hard BOOLEAN NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('pass', 'warn', 'fail')),
    message VARCHAR NOT NULL,
    PRIMARY KEY (fit_id, statistic)
);
COMMENT ON TABLE predictive_check IS 'One row a posterior predictive check: a statistic of the real results against the same statistic of replicated results.';
COMMENT ON COLUMN predictive_check.league IS 'League of the fit.';
COMMENT ON COLUMN predictive_check.fit_id IS 'The fit.';
COMMENT ON COLUMN predictive_check.statistic IS 'Key of the statistic.';
COMMENT ON COLUMN predictive_check.title IS 'The statistic in words.';
COMMENT ON COLUMN predictive_check.observed IS 'Its value in the real results.';
COMMENT ON COLUMN predictive_check.replicated_mean IS 'Mean over replicated results.';
COMMENT ON COLUMN predictive_check.replicated_sd IS 'Standard deviation over replicated results.';
COMMENT ON COLUMN predictive_check.q5 IS '5 % quantile over replicated results.';
COMMENT ON COLUMN predictive_check.q95 IS '95 % quantile over replicated results.';
COMMENT ON COLUMN predictive_check.p_value IS 'Bayesian p-value: share of replications at or above the observed value, ties counted half.';
COMMENT ON COLUMN predictive_check.practical_size IS 'Smallest discrepancy that matters in practice, in the statistic''s own terms; NULL where none is written.';
COMMENT ON COLUMN predictive_check.is_hard IS 'True where failing rejects the fit.';
COMMENT ON COLUMN predictive_check.status IS 'pass, warn (shown) or fail (the fit is rejected).';
COMMENT ON COLUMN predictive_check.message IS 'What it means, in words.';

CREATE TABLE pooling (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    pooling VARCHAR NOT NULL CHECK (pooling IN ('partial', 'none', 'complete', 'baseline')),
    held_out_games INTEGER NOT NULL,
    log_loss DOUBLE NOT NULL,
    log_loss_se DOUBLE NOT NULL,
    difference DOUBLE NOT NULL,
    difference_se DOUBLE NOT NULL,
    PRIMARY KEY (fit_id, pooling)
);
COMMENT ON TABLE pooling IS 'One row a way of pooling: how well one frozen fit of the first 90 % of games forecast the last 10 %.';
COMMENT ON COLUMN pooling.league IS 'League of the fit.';
COMMENT ON COLUMN pooling.fit_id IS 'The fit.';
COMMENT ON COLUMN pooling.pooling IS 'partial (the published model), none (each competitor alone), complete (all alike), or baseline (shares of past results).';
COMMENT ON COLUMN pooling.held_out_games IS 'Games forecast; the same for each way.';
COMMENT ON COLUMN pooling.log_loss IS 'Mean log loss of win, draw and loss over those games; lower is better.';
COMMENT ON COLUMN pooling.log_loss_se IS 'Its standard error.';
COMMENT ON COLUMN pooling.difference IS 'Log loss less that of partial pooling on the same games; above 0: partial pooling forecasts better.';
COMMENT ON COLUMN pooling.difference_se IS 'Standard error of the paired difference.';

CREATE TABLE hyperparameter (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    parameter VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    prior VARCHAR NOT NULL,
    mean DOUBLE NOT NULL,
    sd DOUBLE NOT NULL,
    q5 DOUBLE NOT NULL,
    q25 DOUBLE NOT NULL,
    q50 DOUBLE NOT NULL,
    q75 DOUBLE NOT NULL,
    q95 DOUBLE NOT NULL,
    r_hat DOUBLE,
    ess_bulk DOUBLE,
    ess_tail DOUBLE,
    PRIMARY KEY (fit_id, parameter)
);
COMMENT ON TABLE hyperparameter IS 'One row a scale or fixed effect of a fit, with its prior and posterior.';
COMMENT ON COLUMN hyperparameter.league IS 'League of the fit.';
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

CREATE TABLE rating (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    component VARCHAR NOT NULL,
    mean DOUBLE NOT NULL,
    sd DOUBLE NOT NULL,
    q5 DOUBLE NOT NULL,
    q25 DOUBLE NOT NULL,
    q50 DOUBLE NOT NULL,
    q75 DOUBLE NOT NULL,
    q95 DOUBLE NOT NULL,
    unpooled DOUBLE,
    unpooled_se DOUBLE,
    unpooled_reason VARCHAR,
    shrinkage DOUBLE,
    shrinkage_by_distance DOUBLE,
    PRIMARY KEY (fit_id, kind, competitor_id, component)
);
COMMENT ON TABLE rating IS 'One row a component of a competitor''s rating in a fit: a contrast to the mean of the ranked competitors of its kind.';
COMMENT ON COLUMN rating.league IS 'League of the fit.';
COMMENT ON COLUMN rating.fit_id IS 'The fit.';
COMMENT ON COLUMN rating.kind IS 'team or player.';
COMMENT ON COLUMN rating.competitor_id IS 'The competitor.';
COMMENT ON COLUMN rating.component IS 'total, and attack and defence where the outcome has both; where ratings vary by something, the total at each value of it, for example surface:Clay. Positive is good in each.';
COMMENT ON COLUMN rating.mean IS 'Posterior mean, in the unit of the fit.';
COMMENT ON COLUMN rating.sd IS 'Posterior standard deviation of the contrast, from joint draws.';
COMMENT ON COLUMN rating.q5 IS 'Posterior 5 % quantile.';
COMMENT ON COLUMN rating.q25 IS 'Posterior 25 % quantile.';
COMMENT ON COLUMN rating.q50 IS 'Posterior median.';
COMMENT ON COLUMN rating.q75 IS 'Posterior 75 % quantile.';
COMMENT ON COLUMN rating.q95 IS 'Posterior 95 % quantile.';
COMMENT ON COLUMN rating.unpooled IS 'Estimate without pooling, the competitor''s own results alone; NULL where it is not finite.';
COMMENT ON COLUMN rating.unpooled_se IS 'Standard error of the unpooled estimate.';
COMMENT ON COLUMN rating.unpooled_reason IS 'Why there is no unpooled estimate; NULL where there is one.';
COMMENT ON COLUMN rating.shrinkage IS 'Posterior variance over prior variance of the contrast: 1 where the results have said nothing yet, towards 0 as they pile up; NULL where the component is the total at one value of something.';
COMMENT ON COLUMN rating.shrinkage_by_distance IS 'How far the estimate was pulled to its group, 1 - (pooled - mean) / (unpooled - mean); NULL where the unpooled estimate is within a standard error of the mean.';

CREATE TABLE standing (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('ranked', 'inactive', 'provisional')),
    pool INTEGER NOT NULL,
    rank INTEGER,
    rank_low INTEGER,
    rank_high INTEGER,
    p_best DOUBLE,
    p_top3 DOUBLE,
    p_top10 DOUBLE,
    games INTEGER NOT NULL,
    last_played DATE NOT NULL,
    expected_margin DOUBLE,
    PRIMARY KEY (fit_id, kind, competitor_id)
);
COMMENT ON TABLE standing IS 'One row a competitor''s place in a fit.';
COMMENT ON COLUMN standing.league IS 'League of the fit.';
COMMENT ON COLUMN standing.fit_id IS 'The fit.';
COMMENT ON COLUMN standing.kind IS 'team or player; kinds are ranked apart.';
COMMENT ON COLUMN standing.competitor_id IS 'The competitor.';
COMMENT ON COLUMN standing.status IS 'ranked, inactive (not played within active_days of the as-of date) or provisional (fewer than min_games contests).';
COMMENT ON COLUMN standing.pool IS 'Connected component of the games, 1 the largest; ratings of different pools cannot be compared.';
COMMENT ON COLUMN standing.rank IS 'Rank by mean rating among the ranked of the largest pool, from 1; NULL for others.';
COMMENT ON COLUMN standing.rank_low IS 'Best rank of the 90 % interval (5 % quantile over joint draws).';
COMMENT ON COLUMN standing.rank_high IS 'Worst rank of the 90 % interval (95 % quantile over joint draws).';
COMMENT ON COLUMN standing.p_best IS 'Probability of being the best of the ranked.';
COMMENT ON COLUMN standing.p_top3 IS 'Probability of being among the best three of the ranked.';
COMMENT ON COLUMN standing.p_top10 IS 'Probability of being among the best ten of the ranked.';
COMMENT ON COLUMN standing.games IS 'Contests played in the games used.';
COMMENT ON COLUMN standing.last_played IS 'Day of the last of them.';
COMMENT ON COLUMN standing.expected_margin IS 'Posterior mean, on neutral ground against the reference: the expected margin (goals, points) where the outcome is a score or a margin; else the chance to win above one half, in a race to finish ahead, half a draw counted.';

CREATE TABLE borrowing (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    own DOUBLE NOT NULL,
    teammates DOUBLE NOT NULL,
    opponents DOUBLE NOT NULL,
    "group" DOUBLE NOT NULL,
    prior DOUBLE NOT NULL,
    PRIMARY KEY (fit_id, kind, competitor_id)
);
COMMENT ON TABLE borrowing IS 'One row a competitor of a fit: where the information of its rating came from, as shares that sum to one, in the linearised posterior.';
COMMENT ON COLUMN borrowing.league IS 'League of the fit.';
COMMENT ON COLUMN borrowing.fit_id IS 'The fit.';
COMMENT ON COLUMN borrowing.kind IS 'team or player.';
COMMENT ON COLUMN borrowing.competitor_id IS 'The competitor.';
COMMENT ON COLUMN borrowing.own IS 'Share from its own games.';
COMMENT ON COLUMN borrowing.teammates IS 'Share from its teammates'' games without it.';
COMMENT ON COLUMN borrowing.opponents IS 'Share from the other games of its opponents, and of theirs in turn.';
COMMENT ON COLUMN borrowing."group" IS 'Share from the others of its group or population, through the prior they have in common.';
COMMENT ON COLUMN borrowing.prior IS 'Share from its own prior.';
