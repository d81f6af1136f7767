-- What was forecast of games to come, and of seasons: with the fit that it was made from, and when.

CREATE TABLE forecast (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    played_on DATE NOT NULL,
    season VARCHAR NOT NULL,
    first VARCHAR NOT NULL,
    second VARCHAR NOT NULL,
    first_name VARCHAR NOT NULL,
    second_name VARCHAR NOT NULL,
    is_first_home BOOLEAN NOT NULL,
    win DOUBLE NOT NULL,
    draw DOUBLE NOT NULL,
    loss DOUBLE NOT NULL,
    win_low DOUBLE NOT NULL,
    win_high DOUBLE NOT NULL,
    loss_low DOUBLE NOT NULL,
    loss_high DOUBLE NOT NULL,
    expected_first DOUBLE,
    expected_second DOUBLE,
    expected_margin DOUBLE,
    margin_rating_sd DOUBLE,
    margin_noise_sd DOUBLE,
    margin_q5 DOUBLE,
    margin_q25 DOUBLE,
    margin_q75 DOUBLE,
    margin_q95 DOUBLE,
    likely_scores STRUCT(first INTEGER, second INTEGER, chance DOUBLE)[],
    "over" STRUCT(line DOUBLE, chance DOUBLE)[],
    score_chances FLOAT[][]
);
COMMENT ON TABLE forecast IS 'One row a forecast of a game of two sides. Of each game the newest is kept, and the last that was made before its day.';
COMMENT ON COLUMN forecast.league IS 'League.';
COMMENT ON COLUMN forecast.fit_id IS 'The fit whose joint draws it was made from.';
COMMENT ON COLUMN forecast.game_id IS 'The game; fixture:... where it came from a file of fixtures.';
COMMENT ON COLUMN forecast.made_at_utc IS 'When it was made, UTC.';
COMMENT ON COLUMN forecast.as_of IS 'It knows the results of games before this day.';
COMMENT ON COLUMN forecast.played_on IS 'Day the game was to be played when it was made.';
COMMENT ON COLUMN forecast.season IS 'Season.';
COMMENT ON COLUMN forecast.first IS 'competitor_id of the home side, or on neutral ground of the first one; players of a side are joined by +.';
COMMENT ON COLUMN forecast.second IS 'The same of the other side.';
COMMENT ON COLUMN forecast.first_name IS 'Its name.';
COMMENT ON COLUMN forecast.second_name IS 'Its name.';
COMMENT ON COLUMN forecast.is_first_home IS 'True where the first is at home.';
COMMENT ON COLUMN forecast.win IS 'Chance that the first wins.';
COMMENT ON COLUMN forecast.draw IS 'Chance of a draw; 0 where there are none.';
COMMENT ON COLUMN forecast.loss IS 'Chance that the second wins.';
COMMENT ON COLUMN forecast.win_low IS '5 % quantile of what the chance to win is: the ratings'' uncertainty alone.';
COMMENT ON COLUMN forecast.win_high IS '95 % quantile of it.';
COMMENT ON COLUMN forecast.loss_low IS '5 % quantile of what the chance to lose is.';
COMMENT ON COLUMN forecast.loss_high IS '95 % quantile of it.';
COMMENT ON COLUMN forecast.expected_first IS 'Expected score of the first; NULL where no scores are forecast.';
COMMENT ON COLUMN forecast.expected_second IS 'Expected score of the second.';
COMMENT ON COLUMN forecast.expected_margin IS 'Expected margin of the first, in points; NULL where there are none.';
COMMENT ON COLUMN forecast.margin_rating_sd IS 'How unsure the ratings leave that: its standard deviation over draws.';
COMMENT ON COLUMN forecast.margin_noise_sd IS 'How far games go beside it: standard deviation of the margin given the ratings.';
COMMENT ON COLUMN forecast.margin_q5 IS '5 % quantile of the margin, both together.';
COMMENT ON COLUMN forecast.margin_q25 IS '25 % quantile of it.';
COMMENT ON COLUMN forecast.margin_q75 IS '75 % quantile of it.';
COMMENT ON COLUMN forecast.margin_q95 IS '95 % quantile of it.';
COMMENT ON COLUMN forecast.likely_scores IS 'The five likeliest scores, where scores are counts.';
COMMENT ON COLUMN forecast."over" IS 'Chances that both scores together are over lines about their middle.';
COMMENT ON COLUMN forecast.score_chances IS 'Chance of each score: element i + 1 of element j + 1 is that of j to i; at least 0.999 of all.';

CREATE TABLE forecast_place (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    played_on DATE NOT NULL,
    season VARCHAR NOT NULL,
    entrant VARCHAR NOT NULL,
    entrant_name VARCHAR NOT NULL,
    team VARCHAR,
    win DOUBLE NOT NULL,
    top3 DOUBLE NOT NULL,
    top10 DOUBLE NOT NULL,
    expected_place DOUBLE NOT NULL,
    place_chances FLOAT[] NOT NULL
);
COMMENT ON TABLE forecast_place IS 'One row an entrant in a forecast of a race. Of each race the newest is kept, and the last that was made before its day.';
COMMENT ON COLUMN forecast_place.league IS 'League.';
COMMENT ON COLUMN forecast_place.fit_id IS 'The fit whose joint draws it was made from.';
COMMENT ON COLUMN forecast_place.game_id IS 'The race.';
COMMENT ON COLUMN forecast_place.made_at_utc IS 'When it was made, UTC.';
COMMENT ON COLUMN forecast_place.as_of IS 'It knows the results of races before this day.';
COMMENT ON COLUMN forecast_place.played_on IS 'Day the race was to be held when it was made.';
COMMENT ON COLUMN forecast_place.season IS 'Season.';
COMMENT ON COLUMN forecast_place.entrant IS 'competitor_id of the entrant: the driver, or the team where no drivers are known.';
COMMENT ON COLUMN forecast_place.entrant_name IS 'Its name.';
COMMENT ON COLUMN forecast_place.team IS 'competitor_id of its team.';
COMMENT ON COLUMN forecast_place.win IS 'Chance to come first among those who are classified.';
COMMENT ON COLUMN forecast_place.top3 IS 'Chance to come among the first three.';
COMMENT ON COLUMN forecast_place.top10 IS 'Chance to come among the first ten.';
COMMENT ON COLUMN forecast_place.expected_place IS 'Expected place.';
COMMENT ON COLUMN forecast_place.place_chances IS 'Chance of each place, the first being element 1.';

CREATE TABLE outlook (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    season VARCHAR NOT NULL,
    "table" VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    played INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    points DOUBLE NOT NULL,
    place INTEGER NOT NULL,
    expected_points DOUBLE NOT NULL,
    points_q5 DOUBLE NOT NULL,
    points_q25 DOUBLE NOT NULL,
    points_q75 DOUBLE NOT NULL,
    points_q95 DOUBLE NOT NULL,
    expected_place DOUBLE NOT NULL,
    place_chances FLOAT[] NOT NULL,
    chances STRUCT(prize VARCHAR, chance DOUBLE)[] NOT NULL
);
COMMENT ON TABLE outlook IS 'One row a competitor in a table of a season that is not over: how it ends. The same season as of the same day is replaced.';
COMMENT ON COLUMN outlook.league IS 'League.';
COMMENT ON COLUMN outlook.fit_id IS 'The fit whose joint draws it was made from.';
COMMENT ON COLUMN outlook.made_at_utc IS 'When it was made, UTC.';
COMMENT ON COLUMN outlook.as_of IS 'It knows the results of games before this day.';
COMMENT ON COLUMN outlook.season IS 'Season.';
COMMENT ON COLUMN outlook."table" IS 'The table, a division or the like; empty where a season has one.';
COMMENT ON COLUMN outlook.competitor_id IS 'The competitor.';
COMMENT ON COLUMN outlook.played IS 'Games it has played.';
COMMENT ON COLUMN outlook.remaining IS 'Games that it has still to play.';
COMMENT ON COLUMN outlook.points IS 'Points it has now.';
COMMENT ON COLUMN outlook.place IS 'Its place now.';
COMMENT ON COLUMN outlook.expected_points IS 'Expected points at the end.';
COMMENT ON COLUMN outlook.points_q5 IS '5 % quantile of its points at the end.';
COMMENT ON COLUMN outlook.points_q25 IS '25 % quantile of them.';
COMMENT ON COLUMN outlook.points_q75 IS '75 % quantile of them.';
COMMENT ON COLUMN outlook.points_q95 IS '95 % quantile of them.';
COMMENT ON COLUMN outlook.expected_place IS 'Expected place at the end.';
COMMENT ON COLUMN outlook.place_chances IS 'Chance of each place, the first being element 1.';
COMMENT ON COLUMN outlook.chances IS 'Chances of what the league''s places mean: champion, relegated and so on.';

CREATE TABLE leverage (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    season VARCHAR NOT NULL,
    "table" VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    prize VARCHAR NOT NULL,
    chance DOUBLE NOT NULL,
    if_first_wins DOUBLE,
    if_drawn DOUBLE,
    if_second_wins DOUBLE,
    swing DOUBLE NOT NULL
);
COMMENT ON TABLE leverage IS 'One row a coming game, a competitor and what its place may mean: how the chance of that hangs on the game. Of each game those it moves most.';
COMMENT ON COLUMN leverage.league IS 'League.';
COMMENT ON COLUMN leverage.fit_id IS 'The fit whose joint draws it was made from.';
COMMENT ON COLUMN leverage.made_at_utc IS 'When it was made, UTC.';
COMMENT ON COLUMN leverage.as_of IS 'It knows the results of games before this day.';
COMMENT ON COLUMN leverage.season IS 'Season.';
COMMENT ON COLUMN leverage."table" IS 'The table.';
COMMENT ON COLUMN leverage.game_id IS 'The game to come.';
COMMENT ON COLUMN leverage.competitor_id IS 'Whose chance it is.';
COMMENT ON COLUMN leverage.prize IS 'Of what: champion, relegated and so on.';
COMMENT ON COLUMN leverage.chance IS 'The chance whatever comes of the game.';
COMMENT ON COLUMN leverage.if_first_wins IS 'The chance where the game''s first (home) side wins; NULL where that never came about.';
COMMENT ON COLUMN leverage.if_drawn IS 'The chance where it is drawn.';
COMMENT ON COLUMN leverage.if_second_wins IS 'The chance where the second side wins.';
COMMENT ON COLUMN leverage.swing IS 'The highest of the three less the lowest.';
