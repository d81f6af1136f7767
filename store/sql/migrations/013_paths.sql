-- How ratings went, as all results tell it: of days of the past, what a fit whose ratings walk says of then.

CREATE TABLE rating_path (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    as_of DATE NOT NULL,
    "rank" INTEGER NOT NULL,
    rank_low INTEGER NOT NULL,
    rank_high INTEGER NOT NULL,
    games INTEGER NOT NULL,
    mean FLOAT NOT NULL,
    sd FLOAT NOT NULL,
    q5 FLOAT NOT NULL,
    q25 FLOAT NOT NULL,
    q50 FLOAT NOT NULL,
    q75 FLOAT NOT NULL,
    q95 FLOAT NOT NULL
);
COMMENT ON TABLE rating_path IS 'One row a competitor and day of the past on which it would have been ranked: its state then, given all results of the fit, later ones too. Of fits whose ratings walk, as long as their draws are kept; the as-of date itself is in rating and standing.';
COMMENT ON COLUMN rating_path.league IS 'League of the fit.';
COMMENT ON COLUMN rating_path.fit_id IS 'The fit.';
COMMENT ON COLUMN rating_path.kind IS 'team or player.';
COMMENT ON COLUMN rating_path.competitor_id IS 'The competitor.';
COMMENT ON COLUMN rating_path.as_of IS 'The day: the end of a month with games, of a large league of a quarter or of one or more years. Who is ranked is told by the games before it.';
COMMENT ON COLUMN rating_path."rank" IS 'Rank by mean among those ranked that day.';
COMMENT ON COLUMN rating_path.rank_low IS 'Best rank of the 90 % interval, from joint draws.';
COMMENT ON COLUMN rating_path.rank_high IS 'Worst rank of the 90 % interval.';
COMMENT ON COLUMN rating_path.games IS 'Contests it had played before that day.';
COMMENT ON COLUMN rating_path.mean IS 'Posterior mean of its state that day less the mean of those ranked that day, in the unit of the fit. Between two states of its walk the earlier one holds.';
COMMENT ON COLUMN rating_path.sd IS 'Posterior standard deviation of that; idle days between two states add nothing to it.';
COMMENT ON COLUMN rating_path.q5 IS 'Posterior 5 % quantile of that.';
COMMENT ON COLUMN rating_path.q25 IS 'Posterior 25 % quantile.';
COMMENT ON COLUMN rating_path.q50 IS 'Posterior median.';
COMMENT ON COLUMN rating_path.q75 IS 'Posterior 75 % quantile.';
COMMENT ON COLUMN rating_path.q95 IS 'Posterior 95 % quantile.';
