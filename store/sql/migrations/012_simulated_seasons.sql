-- The simulated seasons of a league's newest outlook, one array element a season: what if a coming game ends so? The
-- season without a player. And cups.

CREATE TABLE simulated_table (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    season VARCHAR NOT NULL,
    "table" VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    points FLOAT[] NOT NULL,
    places USMALLINT[] NOT NULL,
    prizes STRUCT(prize VARCHAR, first USMALLINT, last USMALLINT)[] NOT NULL
);
COMMENT ON TABLE simulated_table IS 'One row a competitor in a table of a season that is not over: its end in each of 4,000 simulated seasons. Element k of all arrays of a league is one season. Only the newest outlook''s are kept.';
COMMENT ON COLUMN simulated_table.league IS 'League.';
COMMENT ON COLUMN simulated_table.fit_id IS 'The fit whose joint draws they were made from.';
COMMENT ON COLUMN simulated_table.made_at_utc IS 'When they were made, UTC.';
COMMENT ON COLUMN simulated_table.as_of IS 'They know the results of games before this day.';
COMMENT ON COLUMN simulated_table.season IS 'Season.';
COMMENT ON COLUMN simulated_table."table" IS 'The table, a division or the like; empty where a season has one.';
COMMENT ON COLUMN simulated_table.competitor_id IS 'The competitor.';
COMMENT ON COLUMN simulated_table.points IS 'Its points at the end of each simulated season.';
COMMENT ON COLUMN simulated_table.places IS 'Its place at the end of each.';
COMMENT ON COLUMN simulated_table.prizes IS 'What places of the table mean: the first and the last of them.';

CREATE TABLE simulated_game (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    season VARCHAR NOT NULL,
    "table" VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    first VARCHAR NOT NULL,
    second VARCHAR NOT NULL,
    worth DOUBLE[] NOT NULL,
    results UTINYINT[] NOT NULL,
    wins USMALLINT[] NOT NULL,
    losses USMALLINT[] NOT NULL
);
COMMENT ON TABLE simulated_game IS 'One row a coming game of a table, of the next 30: its result and its chances in every simulated season. Element k is the season of element k in simulated_table.';
COMMENT ON COLUMN simulated_game.league IS 'League.';
COMMENT ON COLUMN simulated_game.fit_id IS 'The fit whose joint draws they were made from.';
COMMENT ON COLUMN simulated_game.made_at_utc IS 'When they were made, UTC.';
COMMENT ON COLUMN simulated_game.as_of IS 'They know the results of games before this day.';
COMMENT ON COLUMN simulated_game.season IS 'Season.';
COMMENT ON COLUMN simulated_game."table" IS 'The table.';
COMMENT ON COLUMN simulated_game.game_id IS 'The game to come.';
COMMENT ON COLUMN simulated_game.first IS 'competitor_id of the home side, or on neutral ground of the first one.';
COMMENT ON COLUMN simulated_game.second IS 'The same of the other side.';
COMMENT ON COLUMN simulated_game.results IS '0 where the first side wins, 1 for a draw, 2 where the second wins.';
COMMENT ON COLUMN simulated_game.worth IS 'Points for a win, a draw and a loss.';
COMMENT ON COLUMN simulated_game.wins IS 'The chance that the first wins by each season''s ratings, in ten-thousandths.';
COMMENT ON COLUMN simulated_game.losses IS 'The chance that the second wins, in ten-thousandths; the rest is that of a draw.';

CREATE TABLE outlook_without (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    season VARCHAR NOT NULL,
    player VARCHAR NOT NULL,
    "table" VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    expected_points DOUBLE NOT NULL,
    points_q5 DOUBLE NOT NULL,
    points_q25 DOUBLE NOT NULL,
    points_q75 DOUBLE NOT NULL,
    points_q95 DOUBLE NOT NULL,
    expected_place DOUBLE NOT NULL,
    chances STRUCT(prize VARCHAR, chance DOUBLE)[] NOT NULL
);
COMMENT ON TABLE outlook_without IS 'One row a player in the line-ups of the games to come and a competitor in a table: how the season ends without the player. Only the newest outlook''s are kept.';
COMMENT ON COLUMN outlook_without.league IS 'League.';
COMMENT ON COLUMN outlook_without.fit_id IS 'The fit whose joint draws it was made from.';
COMMENT ON COLUMN outlook_without.made_at_utc IS 'When it was made, UTC.';
COMMENT ON COLUMN outlook_without.as_of IS 'It knows the results of games before this day.';
COMMENT ON COLUMN outlook_without.season IS 'Season.';
COMMENT ON COLUMN outlook_without.player IS 'competitor_id of the player who is missing.';
COMMENT ON COLUMN outlook_without."table" IS 'The table.';
COMMENT ON COLUMN outlook_without.competitor_id IS 'The competitor in the table.';
COMMENT ON COLUMN outlook_without.expected_points IS 'Its expected points at the end.';
COMMENT ON COLUMN outlook_without.points_q5 IS '5 % quantile of its points at the end.';
COMMENT ON COLUMN outlook_without.points_q25 IS '25 % quantile of them.';
COMMENT ON COLUMN outlook_without.points_q75 IS '75 % quantile of them.';
COMMENT ON COLUMN outlook_without.points_q95 IS '95 % quantile of them.';
COMMENT ON COLUMN outlook_without.expected_place IS 'Its expected place at the end.';
COMMENT ON COLUMN outlook_without.chances IS 'Chances of what the league''s places mean.';

CREATE TABLE cup_outlook (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    cup VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    stage INTEGER NOT NULL,
    round VARCHAR NOT NULL,
    chance DOUBLE NOT NULL
);
COMMENT ON TABLE cup_outlook IS 'One row an entrant of a cup and a round: the chance to reach it. The same cup as of the same day is replaced.';
COMMENT ON COLUMN cup_outlook.league IS 'League.';
COMMENT ON COLUMN cup_outlook.fit_id IS 'The fit whose joint draws it was made from.';
COMMENT ON COLUMN cup_outlook.made_at_utc IS 'When it was made, UTC.';
COMMENT ON COLUMN cup_outlook.as_of IS 'The fit knows the results of games before this day; of the cup itself nothing is played.';
COMMENT ON COLUMN cup_outlook.cup IS 'The cup: the name of its file.';
COMMENT ON COLUMN cup_outlook.competitor_id IS 'The entrant.';
COMMENT ON COLUMN cup_outlook.stage IS 'Number of the round, 1 being the first of the draw.';
COMMENT ON COLUMN cup_outlook.round IS 'The round by those left in it: last 16, last 2; winner.';
COMMENT ON COLUMN cup_outlook.chance IS 'Chance to reach it.';
