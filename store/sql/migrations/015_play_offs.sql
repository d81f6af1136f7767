-- What play-offs decide in the simulated seasons.

CREATE TABLE simulated_play_off (
    league VARCHAR NOT NULL,
    fit_id VARCHAR NOT NULL,
    made_at_utc TIMESTAMP NOT NULL,
    as_of DATE NOT NULL,
    season VARCHAR NOT NULL,
    "table" VARCHAR NOT NULL,
    prize VARCHAR NOT NULL,
    play_off USMALLINT NOT NULL,
    places USMALLINT[] NOT NULL
);
COMMENT ON TABLE simulated_play_off IS 'One row what a play-off decides in a table of a season that is not over: the place of the table that gains it in each simulated season. Only the newest outlook''s are kept.';
COMMENT ON COLUMN simulated_play_off.league IS 'League.';
COMMENT ON COLUMN simulated_play_off.fit_id IS 'The fit whose joint draws it was made from.';
COMMENT ON COLUMN simulated_play_off.made_at_utc IS 'When it was made, UTC.';
COMMENT ON COLUMN simulated_play_off.as_of IS 'It knows the results of games before this day.';
COMMENT ON COLUMN simulated_play_off.season IS 'Season.';
COMMENT ON COLUMN simulated_play_off."table" IS 'The table.';
COMMENT ON COLUMN simulated_play_off.prize IS 'What is gained, as promoted; or what befalls who loses, as relegated.';
COMMENT ON COLUMN simulated_play_off.play_off IS 'Which play-off decides it, in the order of the league''s rules, from 1.';
COMMENT ON COLUMN simulated_play_off.places IS 'The place that has it, 0 where nobody of the table does. Element k is the season of element k in simulated_table.';
