-- What others forecast, beside our ratings: comparison data, never results. `warehouse` is attached; the table league is
-- there.

CREATE TABLE peer_forecast AS
SELECT * EXCLUDE (slice) FROM warehouse.peer_forecast
WHERE league IN (SELECT league FROM league WHERE is_shared)
ORDER BY ALL;
COMMENT ON TABLE peer_forecast IS 'One row a game that somebody else forecast. Names are the peer''s own; peer_forecast_game links them to games. Key: league, forecast_id.';
COMMENT ON COLUMN peer_forecast.second_name IS 'The side the peer writes second.';

CREATE TABLE peer_outlook AS
SELECT * EXCLUDE (slice) FROM warehouse.peer_outlook
WHERE league IN (SELECT league FROM league WHERE is_shared)
ORDER BY ALL;
COMMENT ON TABLE peer_outlook IS 'One row a stage of a competition that a competitor may reach, as somebody else saw his chances on one day. Key: league, forecast_id, stage.';

CREATE TABLE peer_forecast_game AS
SELECT * FROM warehouse.peer_forecast_game
WHERE league IN (SELECT league FROM league WHERE is_shared) AND forecast_league IN (SELECT league FROM league WHERE is_shared)
ORDER BY ALL;
COMMENT ON TABLE peer_forecast_game IS 'One row a peer''s forecast and a game of a league that it is of: the same day, and both names known there as names or aliases. A forecast that no league knows is not here. Key: forecast_league, forecast_id, league, game_id.';
COMMENT ON COLUMN peer_forecast_game.second_side IS 'Which side of the game the forecast''s second side is.';
