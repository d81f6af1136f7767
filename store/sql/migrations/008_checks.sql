-- What stands beside the checks: the quantities that converged least, where results lie among their forecasts, counts,
-- calibration, and what is left of results by group.

CREATE TABLE diagnosis (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    place INTEGER NOT NULL,
    quantity VARCHAR NOT NULL,
    family VARCHAR NOT NULL,
    r_hat DOUBLE NOT NULL,
    ess_bulk DOUBLE NOT NULL,
    ess_tail DOUBLE NOT NULL,
    PRIMARY KEY (fit_id, place)
);
COMMENT ON TABLE diagnosis IS 'One row a quantity: of a fit by chains the ten that agree least, of all there are: parameters, ratings and every other effect. Fits without chains have none; of parameters see hyperparameter too.';
COMMENT ON COLUMN diagnosis.league IS 'League of the fit.';
COMMENT ON COLUMN diagnosis.fit_id IS 'The fit.';
COMMENT ON COLUMN diagnosis.place IS '1 is the worst: by R-hat to three decimals, then by the fewest effective draws.';
COMMENT ON COLUMN diagnosis.quantity IS 'What it is, in words.';
COMMENT ON COLUMN diagnosis.family IS 'parameter (a scale, a fixed effect, a parameter of the likelihood), rating (a published one) or effect (any other: a group''s mean, a past state); only the first two can reject a fit.';
COMMENT ON COLUMN diagnosis.r_hat IS 'R-hat, rank-normalised and split: 1 where the chains agree.';
COMMENT ON COLUMN diagnosis.ess_bulk IS 'Effective number of draws for its mean.';
COMMENT ON COLUMN diagnosis.ess_tail IS 'Effective number of draws for its 90 % interval.';

CREATE TABLE pit (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    bin INTEGER NOT NULL,
    results INTEGER NOT NULL,
    observed DOUBLE NOT NULL,
    expected DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    PRIMARY KEY (fit_id, kind, bin)
);
COMMENT ON TABLE pit IS 'One row a bin of a histogram: where results lie among what was forecast of them (probability integral transform). Flat where forecasts are right, hollow where they are too sure, heaped where too wide.';
COMMENT ON COLUMN pit.league IS 'League of the fit.';
COMMENT ON COLUMN pit.fit_id IS 'The fit.';
COMMENT ON COLUMN pit.kind IS 'held_out (the last games, forecast by a fit of those before), loo (each game by the fit without it, by importance weights; at most 1,000 games) or in_sample (by the fit itself, which has seen them: flatter than it ought to be).';
COMMENT ON COLUMN pit.bin IS 'Number of the bin, from 1, from results lower than forecast to higher.';
COMMENT ON COLUMN pit.results IS 'Results in all bins together.';
COMMENT ON COLUMN pit.observed IS 'Share of the results in the bin.';
COMMENT ON COLUMN pit.expected IS 'Share where forecasts are right.';
COMMENT ON COLUMN pit.low IS 'All bins together lie between low and high in 95 % of leagues whose forecasts are right.';
COMMENT ON COLUMN pit.high IS 'See low.';

CREATE TABLE rootogram (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    count INTEGER NOT NULL,
    is_or_more BOOLEAN NOT NULL,
    observed DOUBLE NOT NULL,
    expected DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    PRIMARY KEY (fit_id, count)
);
COMMENT ON TABLE rootogram IS 'One row a count: how many sides scored it, and how many would in leagues that the model makes (Kleiber and Zeileis, 2016). Only of outcomes that count.';
COMMENT ON COLUMN rootogram.league IS 'League of the fit.';
COMMENT ON COLUMN rootogram.fit_id IS 'The fit.';
COMMENT ON COLUMN rootogram.count IS 'The score of a side.';
COMMENT ON COLUMN rootogram.is_or_more IS 'True of the last row, which holds all higher scores too.';
COMMENT ON COLUMN rootogram.observed IS 'Sides that scored it.';
COMMENT ON COLUMN rootogram.expected IS 'Mean over replicated leagues.';
COMMENT ON COLUMN rootogram.low IS '5 % quantile over replicated leagues.';
COMMENT ON COLUMN rootogram.high IS '95 % quantile over replicated leagues.';

CREATE TABLE calibration (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    bin INTEGER NOT NULL,
    games INTEGER NOT NULL,
    forecast DOUBLE NOT NULL,
    observed DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    PRIMARY KEY (fit_id, event, bin)
);
COMMENT ON TABLE calibration IS 'One row a bin of forecasts of games that the fit had not seen, of much the same chance: how often the event came.';
COMMENT ON COLUMN calibration.league IS 'League of the fit.';
COMMENT ON COLUMN calibration.fit_id IS 'The fit.';
COMMENT ON COLUMN calibration.event IS 'win (of the home side; on neutral ground of the side that stands first, which is by lot), draw, or loss; in a race, win of an entrant.';
COMMENT ON COLUMN calibration.bin IS 'Number of the bin, from the lowest chance; bins have as many games each as can be.';
COMMENT ON COLUMN calibration.games IS 'Forecasts in the bin.';
COMMENT ON COLUMN calibration.forecast IS 'Their mean chance.';
COMMENT ON COLUMN calibration.observed IS 'Share of them in which the event came.';
COMMENT ON COLUMN calibration.low IS '5 % quantile of that share in leagues drawn from the forecasts.';
COMMENT ON COLUMN calibration.high IS '95 % quantile of it.';

CREATE TABLE residual (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    dimension VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    measure VARCHAR NOT NULL,
    games INTEGER NOT NULL,
    observed DOUBLE NOT NULL,
    expected DOUBLE NOT NULL,
    mean DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    z DOUBLE NOT NULL,
    status VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    PRIMARY KEY (fit_id, dimension, level, measure)
);
COMMENT ON TABLE residual IS 'One row a group of games: by how much its results were above what the fit makes of them, on average. Of competitors the twenty that stand out most; the fit has seen these games, so that what stands out is real, and more may hide.';
COMMENT ON COLUMN residual.league IS 'League of the fit.';
COMMENT ON COLUMN residual.fit_id IS 'The fit.';
COMMENT ON COLUMN residual.dimension IS 'By what games are grouped: team, player, season, month, or an attribute of games.';
COMMENT ON COLUMN residual.level IS 'The group: a competitor''s name, a season, a value of the attribute.';
COMMENT ON COLUMN residual.measure IS 'Of what: own (a competitor''s margin or points, in a race its share of the field beaten), home (the home side''s), favourite (that of the side with the larger linear predictor), or total (both sides'' scores together).';
COMMENT ON COLUMN residual.games IS 'Games of the group; in a race, starts.';
COMMENT ON COLUMN residual.observed IS 'Mean a game in the results.';
COMMENT ON COLUMN residual.expected IS 'Mean a game in leagues that the model makes.';
COMMENT ON COLUMN residual.mean IS 'Observed less expected: above 0 it did better, or was more, than the model says.';
COMMENT ON COLUMN residual.low IS 'Lower end of the 90 % interval of that: what chance alone leaves open.';
COMMENT ON COLUMN residual.high IS 'Upper end.';
COMMENT ON COLUMN residual.z IS 'The mean in standard deviations of what chance alone would give.';
COMMENT ON COLUMN residual.status IS 'pass, or warn where it is farther from 0 than the farthest of all groups of its dimension would be in 95 % of leagues.';
COMMENT ON COLUMN residual.message IS 'What it means, in words.';
