-- Walk-forward backtests of the leagues, and of the newest of each its forecasts. `warehouse` is attached.

CREATE TABLE backtest AS
SELECT * FROM warehouse.backtest
WHERE league IN (SELECT league FROM league)
ORDER BY league, backtest_id, slice_kind, slice, log_loss;
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

CREATE TABLE backtest_forecast AS
SELECT * FROM warehouse.backtest_forecast
WHERE league IN (SELECT league FROM league)
    AND (league, backtest_id) IN (
        SELECT (league, arg_max(backtest_id, made_at_utc)) FROM warehouse.backtest GROUP BY league
    )
ORDER BY league, backtest_id, played_on, game_id, forecaster;
COMMENT ON TABLE backtest_forecast IS 'One row a game and forecaster of a league''s newest backtest.';
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
