-- What a load would change. The variables league and slices (those replaced or removed) are set; games_frame,
-- sides_frame, appearances_frame, forecasts_frame and outlooks_frame are registered. Leaves change and forecast_change
-- to be judged, differing and stored_* for changes.sql, outgoing, incoming and season_touched for 2_replace.sql.

CREATE OR REPLACE TEMP VIEW stored_game AS
SELECT * EXCLUDE (league) REPLACE (map_entries(attributes) AS attributes) FROM game
WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));

CREATE OR REPLACE TEMP VIEW stored_side AS
SELECT * EXCLUDE (league) FROM side
WHERE league = getvariable('league') AND game_id IN (SELECT game_id FROM stored_game);

CREATE OR REPLACE TEMP VIEW stored_appearance AS
SELECT * EXCLUDE (league) FROM appearance
WHERE league = getvariable('league') AND game_id IN (SELECT game_id FROM stored_game);

CREATE OR REPLACE TEMP VIEW read_game AS FROM games_frame;

CREATE OR REPLACE TEMP TABLE met_again AS SELECT game_id FROM stored_game SEMI JOIN read_game USING (game_id);

-- One row a game met again, with a hash of all that is known of it: its own row, its sides and its appearances.
CREATE OR REPLACE TEMP MACRO content_of(games_name, sides_name, appearances_name) AS TABLE
WITH part AS (
    SELECT
        game_id,
        hash(
            'game', contest_id, sequence, season, played_on, played_on_precision, status, round, neutral, attributes
        ) AS h
    FROM query_table(games_name) SEMI JOIN met_again USING (game_id)
    UNION ALL
    SELECT game_id, hash('side', side, team, is_home, score, finish, won, exposure)
    FROM query_table(sides_name) SEMI JOIN met_again USING (game_id)
    UNION ALL
    SELECT game_id, hash('appearance', side, player, share, role)
    FROM query_table(appearances_name) SEMI JOIN met_again USING (game_id)
)
SELECT game_id, bit_xor(h) AS content FROM part GROUP BY game_id;

CREATE OR REPLACE TEMP TABLE differing AS
SELECT game_id
FROM content_of('stored_game', 'stored_side', 'stored_appearance') AS b
JOIN content_of('read_game', 'sides_frame', 'appearances_frame') AS a USING (game_id)
WHERE a.content <> b.content;

-- One row a side of the games that differ, by who it is and not by its number, which a result may decide: its team; its
-- players where it has none, or where its team has other sides in the game too, as constructors have cars.
CREATE OR REPLACE TEMP MACRO outcome_of(sides_name, appearances_name) AS TABLE
WITH player AS (
    SELECT game_id, side, string_agg(player, ' / ' ORDER BY player) AS players
    FROM query_table(appearances_name) SEMI JOIN differing USING (game_id)
    GROUP BY game_id, side
),
entry AS (
    SELECT game_id, side, team, score, finish, won, count(*) OVER (PARTITION BY game_id, team) AS of_team
    FROM query_table(sides_name) SEMI JOIN differing USING (game_id)
)
SELECT
    game_id, CASE WHEN team IS NULL OR of_team > 1 THEN concat_ws(' ', team, players) ELSE team END AS competitor,
    score, finish, won
FROM entry LEFT JOIN player USING (game_id, side);

CREATE OR REPLACE TEMP TABLE outcome_before AS FROM outcome_of('stored_side', 'stored_appearance');
CREATE OR REPLACE TEMP TABLE outcome_after AS FROM outcome_of('sides_frame', 'appearances_frame');

-- Games whose result is known no more: as good as gone, though their rows are there.
CREATE OR REPLACE TEMP TABLE wiped AS
SELECT DISTINCT game_id FROM outcome_before WHERE coalesce(score, finish, won::INTEGER) IS NOT NULL
EXCEPT
SELECT game_id FROM outcome_after WHERE coalesce(score, finish, won::INTEGER) IS NOT NULL;

-- Games whose result was known and is another now: a correction where they are few, another file where they are most.
CREATE OR REPLACE TEMP TABLE overturned AS
WITH decided AS (
    SELECT game_id FROM stored_game SEMI JOIN differing USING (game_id) ANTI JOIN wiped USING (game_id)
    WHERE status <> 'scheduled'
),
before AS (FROM outcome_before SEMI JOIN decided USING (game_id)),
after AS (FROM outcome_after SEMI JOIN decided USING (game_id))
SELECT DISTINCT game_id FROM ((FROM before EXCEPT FROM after) UNION ALL (FROM after EXCEPT FROM before));

CREATE OR REPLACE TEMP TABLE change AS
WITH fate AS (
    SELECT
        coalesce(a.slice, b.slice) AS slice, b.game_id IS NULL AS is_new, a.game_id IS NULL AS is_gone,
        d.game_id IS NOT NULL AS is_changed, o.game_id IS NOT NULL AS is_overturned,
        w.game_id IS NOT NULL AS is_wiped, b.status <> 'scheduled' AS was_decided
    FROM read_game AS a
    FULL JOIN stored_game AS b USING (game_id)
    LEFT JOIN differing AS d USING (game_id)
    LEFT JOIN overturned AS o USING (game_id)
    LEFT JOIN wiped AS w USING (game_id)
)
SELECT
    slice,
    count(*) FILTER (is_new) AS games_new,
    count(*) FILTER (is_changed) AS games_changed,
    count(*) FILTER (is_gone) AS games_gone,
    count(*) FILTER (NOT is_new AND NOT is_gone AND NOT is_changed) AS games_unchanged,
    count(*) FILTER (is_overturned) AS results_changed,
    count(*) FILTER (is_wiped) AS results_gone,
    count(*) FILTER (was_decided) AS results_before,
    (SELECT count(*) FROM stored_game AS o WHERE o.slice = fate.slice) AS games_before
FROM fate
GROUP BY slice;

CREATE OR REPLACE TEMP VIEW stored_forecast AS
SELECT * EXCLUDE (league) FROM peer_forecast
WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));

CREATE OR REPLACE TEMP VIEW stored_outlook AS
SELECT * EXCLUDE (league) FROM peer_outlook
WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));

-- One row a peer's forecast, which is a row of its file: a hash of all it says, and how many outcomes it knows.
CREATE OR REPLACE TEMP MACRO forecast_of(forecasts_name, outlooks_name) AS TABLE
WITH part AS (
    SELECT
        slice, forecast_id, result IS NOT NULL AS is_known,
        hash(
            peer, competition, season, played_on, number, first_name, second_name, first_probability,
            draw_probability, second_probability, first_expected_score, second_expected_score, result
        ) AS h
    FROM query_table(forecasts_name)
    UNION ALL
    SELECT
        slice, forecast_id, is_reached IS NOT NULL,
        hash(stage, peer, competition, season, forecast_on, name, probability, is_reached)
    FROM query_table(outlooks_name)
)
SELECT slice, forecast_id, bit_xor(h) AS content, count(*) FILTER (is_known) AS known
FROM part GROUP BY slice, forecast_id;

CREATE OR REPLACE TEMP TABLE forecast_change AS
WITH fate AS (
    SELECT
        coalesce(a.slice, b.slice) AS slice, b.slice IS NULL AS is_new, a.slice IS NULL AS is_gone,
        a.content = b.content AS is_same, b.known > 0 AS was_known, a.known < b.known AS is_wiped
    FROM forecast_of('forecasts_frame', 'outlooks_frame') AS a
    FULL JOIN forecast_of('stored_forecast', 'stored_outlook') AS b USING (forecast_id)
)
SELECT
    slice,
    count(*) FILTER (is_new) AS forecasts_new,
    count(*) FILTER (NOT is_same) AS forecasts_changed,
    count(*) FILTER (is_gone) AS forecasts_gone,
    count(*) FILTER (is_same) AS forecasts_unchanged,
    count(*) FILTER (is_wiped) AS results_gone,
    count(*) FILTER (was_known) AS results_before,
    (SELECT count(DISTINCT forecast_id) FROM (
        SELECT slice, forecast_id FROM stored_forecast UNION ALL SELECT slice, forecast_id FROM stored_outlook
    ) AS o WHERE o.slice = fate.slice) AS forecasts_before
FROM fate
GROUP BY slice;

CREATE OR REPLACE TEMP TABLE season_touched AS SELECT season FROM stored_game UNION SELECT season FROM read_game;

-- Games that differ leave and come in again; what is the same on both sides is not touched.
CREATE OR REPLACE TEMP TABLE outgoing AS
SELECT b.game_id FROM stored_game AS b LEFT JOIN read_game AS a USING (game_id)
WHERE a.game_id IS NULL OR a.slice <> b.slice OR b.game_id IN (FROM differing);

CREATE OR REPLACE TEMP TABLE incoming AS
SELECT a.game_id FROM read_game AS a LEFT JOIN stored_game AS b USING (game_id)
WHERE b.game_id IS NULL OR a.slice <> b.slice OR a.game_id IN (FROM differing);
