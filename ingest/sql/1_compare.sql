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

-- Games whose result was known and is another now: a correction where they are few, another file where they are most.
CREATE OR REPLACE TEMP TABLE overturned AS
WITH decided AS (SELECT game_id FROM stored_game SEMI JOIN differing USING (game_id) WHERE status <> 'scheduled'),
before AS (SELECT game_id, side, team, score, finish, won FROM stored_side SEMI JOIN decided USING (game_id)),
after AS (SELECT game_id, side, team, score, finish, won FROM sides_frame SEMI JOIN decided USING (game_id))
SELECT DISTINCT game_id FROM ((FROM before EXCEPT FROM after) UNION ALL (FROM after EXCEPT FROM before));

CREATE OR REPLACE TEMP TABLE change AS
WITH fate AS (
    SELECT
        coalesce(a.slice, b.slice) AS slice, b.game_id IS NULL AS is_new, a.game_id IS NULL AS is_gone,
        d.game_id IS NOT NULL AS is_changed, o.game_id IS NOT NULL AS is_overturned
    FROM read_game AS a
    FULL JOIN stored_game AS b USING (game_id)
    LEFT JOIN differing AS d USING (game_id)
    LEFT JOIN overturned AS o USING (game_id)
)
SELECT
    slice,
    count(*) FILTER (is_new) AS games_new,
    count(*) FILTER (is_changed) AS games_changed,
    count(*) FILTER (is_gone) AS games_gone,
    count(*) FILTER (NOT is_new AND NOT is_gone AND NOT is_changed) AS games_unchanged,
    count(*) FILTER (is_overturned) AS results_changed,
    (SELECT count(*) FROM stored_game AS o WHERE o.slice = fate.slice) AS games_before
FROM fate
GROUP BY slice;

CREATE OR REPLACE TEMP TABLE forecast_change AS
WITH stored AS (
    SELECT slice, forecast_id, '' AS stage FROM peer_forecast
    WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')))
    UNION ALL
    SELECT slice, forecast_id, stage FROM peer_outlook
    WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')))
),
read AS (
    SELECT slice, forecast_id, '' AS stage FROM forecasts_frame
    UNION ALL
    SELECT slice, forecast_id, stage FROM outlooks_frame
),
fate AS (
    SELECT coalesce(a.slice, b.slice) AS slice, b.slice IS NULL AS is_new, a.slice IS NULL AS is_gone
    FROM read AS a FULL JOIN stored AS b USING (forecast_id, stage)
)
SELECT
    slice,
    count(*) FILTER (is_new) AS forecasts_new,
    count(*) FILTER (is_gone) AS forecasts_gone,
    (SELECT count(*) FROM stored AS o WHERE o.slice = fate.slice) AS forecasts_before
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
