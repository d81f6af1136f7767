-- What others forecast, beside our ratings: comparison data, never results. `warehouse` is attached; the table league is
-- there.

CREATE TABLE peer_forecast AS
SELECT * EXCLUDE (slice) FROM warehouse.peer_forecast
WHERE league IN (SELECT league FROM league)
ORDER BY ALL;
COMMENT ON TABLE peer_forecast IS 'One row a game that somebody else forecast. Names are the peer''s own; peer_forecast_game links them to games.';
COMMENT ON COLUMN peer_forecast.league IS 'The league (stanza) the forecasts came with: a pool of forecasts, without games of its own.';
COMMENT ON COLUMN peer_forecast.forecast_id IS 'Key of the forecast: competition, day, both names and number; never its result.';
COMMENT ON COLUMN peer_forecast.peer IS 'Who forecast it.';
COMMENT ON COLUMN peer_forecast.competition IS 'Competition, as the peer names it.';
COMMENT ON COLUMN peer_forecast.season IS 'Season, as the peer labels it.';
COMMENT ON COLUMN peer_forecast.played_on IS 'Day of the game.';
COMMENT ON COLUMN peer_forecast.number IS 'Which game of a double-header, 1 or 2; 0 where the pair meets once that day.';
COMMENT ON COLUMN peer_forecast.first_name IS 'The side the peer writes first, usually the nominal home side.';
COMMENT ON COLUMN peer_forecast.second_name IS 'The other side.';
COMMENT ON COLUMN peer_forecast.first_probability IS 'Probability that the first side wins.';
COMMENT ON COLUMN peer_forecast.draw_probability IS 'Probability of a draw; NULL where the peer allows for none.';
COMMENT ON COLUMN peer_forecast.second_probability IS 'Probability that the second side wins.';
COMMENT ON COLUMN peer_forecast.first_expected_score IS 'Score the peer expects of the first side; NULL where it gives none.';
COMMENT ON COLUMN peer_forecast.second_expected_score IS 'Score the peer expects of the second side.';
COMMENT ON COLUMN peer_forecast.result IS 'What came of it by the peer''s own file: first, draw or second; NULL where it does not say yet.';

CREATE TABLE peer_outlook AS
SELECT * EXCLUDE (slice) FROM warehouse.peer_outlook
WHERE league IN (SELECT league FROM league)
ORDER BY ALL;
COMMENT ON TABLE peer_outlook IS 'One row a stage of a competition that a competitor may reach, as somebody else saw his chances on one day.';
COMMENT ON COLUMN peer_outlook.league IS 'The league (stanza) the forecasts came with.';
COMMENT ON COLUMN peer_outlook.forecast_id IS 'Key of the source''s row: competition, season, day and name; with the stage the key of this row.';
COMMENT ON COLUMN peer_outlook.peer IS 'Who forecast it.';
COMMENT ON COLUMN peer_outlook.competition IS 'Competition, as the peer names it.';
COMMENT ON COLUMN peer_outlook.season IS 'Season, as the peer labels it.';
COMMENT ON COLUMN peer_outlook.forecast_on IS 'Day of the forecast.';
COMMENT ON COLUMN peer_outlook.name IS 'The competitor, as the peer writes it.';
COMMENT ON COLUMN peer_outlook.stage IS 'The stage, as the peer names it.';
COMMENT ON COLUMN peer_outlook.probability IS 'Probability to reach it.';
COMMENT ON COLUMN peer_outlook.is_reached IS 'Whether it was reached; NULL where the peer''s file does not say yet.';

CREATE TABLE peer_forecast_game AS
SELECT * FROM warehouse.peer_forecast_game
WHERE league IN (SELECT league FROM league) AND forecast_league IN (SELECT league FROM league)
ORDER BY ALL;
COMMENT ON TABLE peer_forecast_game IS 'One row a peer''s forecast and a game of a league that it is of: the same day, and both names known there as names or aliases. A forecast that no league knows is not here.';
COMMENT ON COLUMN peer_forecast_game.forecast_league IS 'League (stanza) of the forecast.';
COMMENT ON COLUMN peer_forecast_game.forecast_id IS 'The forecast.';
COMMENT ON COLUMN peer_forecast_game.league IS 'League of the game.';
COMMENT ON COLUMN peer_forecast_game.game_id IS 'The game.';
COMMENT ON COLUMN peer_forecast_game.first_side IS 'Which side of the game the forecast''s first side is.';
COMMENT ON COLUMN peer_forecast_game.second_side IS 'Which side the second is.';
