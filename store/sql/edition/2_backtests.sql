-- Walk-forward backtests of the leagues, and of the newest of each its forecasts. `warehouse` is attached.

CREATE TABLE backtest AS
SELECT * FROM warehouse.backtest
WHERE league IN (SELECT league FROM league)
ORDER BY league, backtest_id, slice_kind, slice, log_loss;
COMMENT ON TABLE backtest IS 'One row a forecaster and slice of a walk-forward backtest: every game was forecast from the results of earlier days alone. Slices: all games, each season and each competition of thirty games or more. Key: league, backtest_id, forecaster, slice_kind, slice.';
COMMENT ON COLUMN backtest.to_on IS 'Last day of the games forecast.';
COMMENT ON COLUMN backtest.calibration_slope IS 'Slope of the regression of calibration_intercept: 1 is right, below it chances were too far from a half.';
COMMENT ON COLUMN backtest.difference_high IS 'High end of the difference''s 95 % interval by a paired bootstrap of weeks of play; NULL below five weeks.';

CREATE TABLE backtest_forecast AS
SELECT * FROM warehouse.backtest_forecast
WHERE league IN (SELECT league FROM league WHERE is_shared)
    AND (league, backtest_id) IN (
        SELECT (league, arg_max(backtest_id, made_at_utc)) FROM warehouse.backtest GROUP BY league
    )
ORDER BY league, backtest_id, played_on, game_id, forecaster;
COMMENT ON TABLE backtest_forecast IS 'One row a game and forecaster of a league''s newest backtest. Key: league, backtest_id, forecaster, game_id.';
COMMENT ON COLUMN backtest_forecast.margin_q25 IS '25 % quantile of the margin.';
COMMENT ON COLUMN backtest_forecast.margin_q75 IS '75 % quantile of the margin.';
COMMENT ON COLUMN backtest_forecast.margin_q95 IS '95 % quantile of the margin.';
