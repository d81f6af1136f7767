-- Forecasts that others published, kept to be laid beside ours: never results, and no games of a league.

CREATE TABLE peer_forecast (
    league VARCHAR NOT NULL,
    forecast_id VARCHAR NOT NULL,
    peer VARCHAR NOT NULL,
    competition VARCHAR NOT NULL,
    season VARCHAR NOT NULL,
    played_on DATE NOT NULL,
    number SMALLINT NOT NULL CHECK (number >= 0),
    first_name VARCHAR NOT NULL,
    second_name VARCHAR NOT NULL,
    first_probability DOUBLE NOT NULL CHECK (first_probability BETWEEN 0 AND 1),
    draw_probability DOUBLE CHECK (draw_probability BETWEEN 0 AND 1),
    second_probability DOUBLE NOT NULL CHECK (second_probability BETWEEN 0 AND 1),
    first_expected_score DOUBLE,
    second_expected_score DOUBLE,
    result VARCHAR CHECK (result IN ('first', 'draw', 'second')),
    slice VARCHAR NOT NULL,
    PRIMARY KEY (league, forecast_id)
);
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
COMMENT ON COLUMN peer_forecast.slice IS 'The named slice of the league that this row was loaded with.';

CREATE TABLE peer_outlook (
    league VARCHAR NOT NULL,
    forecast_id VARCHAR NOT NULL,
    peer VARCHAR NOT NULL,
    competition VARCHAR NOT NULL,
    season VARCHAR NOT NULL,
    forecast_on DATE NOT NULL,
    name VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    probability DOUBLE NOT NULL CHECK (probability BETWEEN 0 AND 1),
    is_reached BOOLEAN,
    slice VARCHAR NOT NULL,
    PRIMARY KEY (league, forecast_id, stage)
);
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
COMMENT ON COLUMN peer_outlook.slice IS 'The named slice of the league that this row was loaded with.';

CREATE VIEW peer_forecast_game AS
WITH known AS (
    SELECT league, competitor_id, name, NULL::DATE AS valid_from, NULL::DATE AS valid_to FROM competitor
    UNION
    SELECT league, competitor_id, alias, valid_from, valid_to FROM alias
),
entrant AS (
    SELECT league, game_id, side, team AS competitor_id FROM side WHERE team IS NOT NULL
    UNION ALL
    SELECT a.league, a.game_id, a.side, a.player
    FROM appearance AS a JOIN side AS s USING (league, game_id, side) WHERE s.team IS NULL
),
met AS (
    SELECT
        p.league AS forecast_league, p.forecast_id, p.number, g.league, g.game_id, a.side AS first_side,
        b.side AS second_side,
        row_number() OVER (PARTITION BY p.league, p.forecast_id, g.league ORDER BY g.sequence, g.game_id) AS meeting
    FROM peer_forecast AS p
    JOIN known AS f ON f.name = p.first_name
        AND p.played_on BETWEEN coalesce(f.valid_from, p.played_on) AND coalesce(f.valid_to, p.played_on)
    JOIN known AS s ON s.league = f.league AND s.name = p.second_name
        AND p.played_on BETWEEN coalesce(s.valid_from, p.played_on) AND coalesce(s.valid_to, p.played_on)
    JOIN game AS g ON g.league = f.league AND g.played_on = p.played_on AND g.contest_id = g.game_id
    JOIN entrant AS a ON a.league = g.league AND a.game_id = g.game_id AND a.competitor_id = f.competitor_id
    JOIN entrant AS b ON b.league = g.league AND b.game_id = g.game_id AND b.competitor_id = s.competitor_id
        AND b.side <> a.side
)
SELECT forecast_league, forecast_id, league, game_id, first_side, second_side
FROM met
WHERE meeting = greatest(number, 1);
COMMENT ON VIEW peer_forecast_game IS 'One row a peer''s forecast and a game of a league that it is of: the same day, and both names known there as names or aliases. A forecast that no league knows is not here.';
COMMENT ON COLUMN peer_forecast_game.forecast_league IS 'League (stanza) of the forecast.';
COMMENT ON COLUMN peer_forecast_game.forecast_id IS 'The forecast.';
COMMENT ON COLUMN peer_forecast_game.league IS 'League of the game.';
COMMENT ON COLUMN peer_forecast_game.game_id IS 'The game.';
COMMENT ON COLUMN peer_forecast_game.first_side IS 'Which side of the game the forecast''s first side is.';
COMMENT ON COLUMN peer_forecast_game.second_side IS 'Which side the second is.';
