-- Walk-forward backtests: forecasts of games from the results before them, by our model and by what it must beat.

CREATE TABLE backtest (
    league VARCHAR NOT NULL,
    backtest_id VARCHAR NOT NULL,
    from_on DATE NOT NULL,
    to_on DATE NOT NULL,
    every_days INTEGER NOT NULL,
    engine VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    code_hash VARCHAR NOT NULL,
    forecaster VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    settings VARCHAR NOT NULL,
    slice_kind VARCHAR NOT NULL CHECK (slice_kind IN ('all', 'season', 'competition')),
    slice VARCHAR NOT NULL,
    games INTEGER NOT NULL,
    log_loss DOUBLE NOT NULL,
    brier DOUBLE NOT NULL,
    rps DOUBLE,
    margin_error DOUBLE,
    calibration_intercept DOUBLE,
    calibration_slope DOUBLE,
    coverage_50 DOUBLE,
    coverage_90 DOUBLE,
    sharpness DOUBLE NOT NULL,
    interval_width DOUBLE,
    model_log_loss DOUBLE,
    difference DOUBLE,
    difference_low DOUBLE,
    difference_high DOUBLE,
    message VARCHAR NOT NULL,
    PRIMARY KEY (league, backtest_id, forecaster, slice_kind, slice)
);
COMMENT ON TABLE backtest IS 'One row a forecaster and slice of a walk-forward backtest: every game was forecast from the results of earlier days alone. Slices: all games, each season and each competition of thirty games or more.';
COMMENT ON COLUMN backtest.league IS 'League.';
COMMENT ON COLUMN backtest.backtest_id IS 'The backtest: its days, interval and engine as asked for. The same one made again replaces its rows.';
COMMENT ON COLUMN backtest.from_on IS 'First day of the games forecast.';
COMMENT ON COLUMN backtest.to_on IS 'Last day of them.';
COMMENT ON COLUMN backtest.every_days IS 'Days between cuts: at each the model was fitted to the games before it. With engine filter, days between learning its parameters; results teach it daily.';
COMMENT ON COLUMN backtest.engine IS 'How our model was computed: joint or nuts (refitted at each cut), or filter (one pass over the days).';
COMMENT ON COLUMN backtest.made_at_utc IS 'When the backtest was started, UTC.';
COMMENT ON COLUMN backtest.code_hash IS 'Hash of the modelling code.';
COMMENT ON COLUMN backtest.forecaster IS 'Who forecast: model is ours, unpooled the same without pooling; others are baselines, closing_odds the betting market''s, a peer''s name its published forecasts.';
COMMENT ON COLUMN backtest.title IS 'The forecaster in words.';
COMMENT ON COLUMN backtest.settings IS 'What was tuned on the past, at the last cut, in words; empty where nothing was.';
COMMENT ON COLUMN backtest.slice_kind IS 'all, season or competition.';
COMMENT ON COLUMN backtest.slice IS 'Which season or competition; all.';
COMMENT ON COLUMN backtest.games IS 'Games of the slice that the forecaster forecast and that have a result.';
COMMENT ON COLUMN backtest.log_loss IS 'Mean of minus the log of the chance given to what happened: win, draw or loss, the winner of a race. A draw where there are none counts as half a win and half a loss. Lower is better, as of all losses.';
COMMENT ON COLUMN backtest.brier IS 'Mean squared distance of the chances from what happened: of win alone where there are no draws (0 to 1), else summed over win, draw and loss or a race''s entrants (0 to 2).';
COMMENT ON COLUMN backtest.rps IS 'Mean ranked probability score, of results with draws: they are ordered; NULL else.';
COMMENT ON COLUMN backtest.margin_error IS 'Mean absolute distance of the margin from the expected one, in points; NULL where none was expected.';
COMMENT ON COLUMN backtest.calibration_intercept IS 'Intercept of the logistic regression of home wins (without a home side, of the first side''s; in a race of each entrant''s) on the logits of their chances; 0 is right, above it they were too low.';
COMMENT ON COLUMN backtest.calibration_slope IS 'Its slope: 1 is right, below it chances were too far from a half.';
COMMENT ON COLUMN backtest.coverage_50 IS 'Share of margins in the middle half of their forecast, ties at random; NULL where margins are not forecast.';
COMMENT ON COLUMN backtest.coverage_90 IS 'Share of margins in the middle 90 % of their forecast.';
COMMENT ON COLUMN backtest.sharpness IS 'Mean entropy of the chances: the log loss it expected of itself. Lower is sharper.';
COMMENT ON COLUMN backtest.interval_width IS 'Mean width of the 90 % intervals of the margin, in points.';
COMMENT ON COLUMN backtest.model_log_loss IS 'Log loss of our model on the same games; NULL where it forecast none of them.';
COMMENT ON COLUMN backtest.difference IS 'log_loss less model_log_loss: above 0 our model was better.';
COMMENT ON COLUMN backtest.difference_low IS 'Low end of the difference''s 95 % interval by a paired bootstrap of weeks of play; NULL below five weeks.';
COMMENT ON COLUMN backtest.difference_high IS 'High end.';
COMMENT ON COLUMN backtest.message IS 'The comparison in words.';

CREATE TABLE backtest_forecast (
    league VARCHAR NOT NULL,
    backtest_id VARCHAR NOT NULL,
    forecaster VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    played_on DATE NOT NULL,
    season VARCHAR NOT NULL,
    competition VARCHAR,
    cut_on DATE NOT NULL,
    win DOUBLE,
    draw DOUBLE,
    loss DOUBLE,
    expected_margin DOUBLE,
    margin_q5 DOUBLE,
    margin_q25 DOUBLE,
    margin_q75 DOUBLE,
    margin_q95 DOUBLE,
    margin_rank DOUBLE,
    margin_error DOUBLE,
    log_loss DOUBLE NOT NULL,
    brier DOUBLE NOT NULL,
    rps DOUBLE,
    entropy DOUBLE NOT NULL
);
COMMENT ON TABLE backtest_forecast IS 'One row a game and forecaster of a backtest.';
COMMENT ON COLUMN backtest_forecast.league IS 'League.';
COMMENT ON COLUMN backtest_forecast.backtest_id IS 'The backtest.';
COMMENT ON COLUMN backtest_forecast.forecaster IS 'Who forecast it.';
COMMENT ON COLUMN backtest_forecast.game_id IS 'The game.';
COMMENT ON COLUMN backtest_forecast.played_on IS 'Day of the game.';
COMMENT ON COLUMN backtest_forecast.season IS 'Season of the game.';
COMMENT ON COLUMN backtest_forecast.competition IS 'Its division, competition, tournament or series: the first of these that the league''s games have; NULL where they have none.';
COMMENT ON COLUMN backtest_forecast.cut_on IS 'Results before this day were known; with engine filter and to the baselines beside it, results before the game''s own day.';
COMMENT ON COLUMN backtest_forecast.win IS 'Chance that side 1 wins; NULL of races.';
COMMENT ON COLUMN backtest_forecast.draw IS 'Chance of a draw.';
COMMENT ON COLUMN backtest_forecast.loss IS 'Chance that side 2 wins.';
COMMENT ON COLUMN backtest_forecast.expected_margin IS 'Expected margin of side 1, in points; NULL where none was expected.';
COMMENT ON COLUMN backtest_forecast.margin_q5 IS '5 % quantile of the margin.';
COMMENT ON COLUMN backtest_forecast.margin_q25 IS '25 % quantile.';
COMMENT ON COLUMN backtest_forecast.margin_q75 IS '75 % quantile.';
COMMENT ON COLUMN backtest_forecast.margin_q95 IS '95 % quantile.';
COMMENT ON COLUMN backtest_forecast.margin_rank IS 'Where the margin came among those forecast, 0 to 1, ties at random: uniform where the forecasts are right.';
COMMENT ON COLUMN backtest_forecast.margin_error IS 'Distance of the margin from the expected one.';
COMMENT ON COLUMN backtest_forecast.log_loss IS 'Minus the log of the chance given to what happened; of a race, to its winner.';
COMMENT ON COLUMN backtest_forecast.brier IS 'Squared distance of the chances from what happened.';
COMMENT ON COLUMN backtest_forecast.rps IS 'Ranked probability score, of results with draws.';
COMMENT ON COLUMN backtest_forecast.entropy IS 'Entropy of the chances.';
