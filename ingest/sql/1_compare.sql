-- What a load would change. The variables league and slices (those replaced or removed) are set; games_frame,
-- sides_frame and appearances_frame are registered. Leaves staged_game, outgoing, incoming and change for 2_replace.sql.

CREATE OR REPLACE TEMP TABLE staged_game AS
SELECT * REPLACE (map_from_entries(attributes) AS attributes) FROM games_frame;

CREATE OR REPLACE TEMP VIEW stored_game AS
SELECT * EXCLUDE (league) FROM game
WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));

CREATE OR REPLACE TEMP VIEW stored_side AS
SELECT * EXCLUDE (league) FROM side
WHERE league = getvariable('league') AND game_id IN (SELECT game_id FROM stored_game);

CREATE OR REPLACE TEMP VIEW stored_appearance AS
SELECT * EXCLUDE (league) FROM appearance
WHERE league = getvariable('league') AND game_id IN (SELECT game_id FROM stored_game);

-- One row a game, with a hash of all that is known of it: its own row, its sides and its appearances.
CREATE OR REPLACE TEMP MACRO content_of(games_name, sides_name, appearances_name) AS TABLE
WITH part AS (
    SELECT
        game_id,
        hash(
            'game', contest_id, sequence, season, played_on, played_on_precision, status, round, neutral,
            attributes::VARCHAR
        ) AS h
    FROM query_table(games_name)
    UNION ALL
    SELECT game_id, hash('side', side, team, is_home, score, finish, won, exposure) FROM query_table(sides_name)
    UNION ALL
    SELECT game_id, hash('appearance', side, player, share, role) FROM query_table(appearances_name)
),
whole AS (SELECT game_id, bit_xor(h) AS content FROM part GROUP BY game_id)
SELECT game_id, slice, content FROM query_table(games_name) JOIN whole USING (game_id);

CREATE OR REPLACE TEMP TABLE before AS FROM content_of('stored_game', 'stored_side', 'stored_appearance');
CREATE OR REPLACE TEMP TABLE after AS FROM content_of('staged_game', 'sides_frame', 'appearances_frame');

CREATE OR REPLACE TEMP TABLE change AS
SELECT
    coalesce(a.slice, b.slice) AS slice,
    count(*) FILTER (b.game_id IS NULL) AS games_new,
    count(*) FILTER (a.content <> b.content) AS games_changed,
    count(*) FILTER (a.game_id IS NULL) AS games_gone,
    count(*) FILTER (a.content = b.content) AS games_unchanged,
    (SELECT count(*) FROM before AS o WHERE o.slice = coalesce(a.slice, b.slice)) AS games_before
FROM after AS a FULL JOIN before AS b USING (game_id)
GROUP BY ALL;

-- Games that differ leave and come in again; what is the same on both sides is not touched.
CREATE OR REPLACE TEMP TABLE outgoing AS
SELECT b.game_id FROM before AS b LEFT JOIN after AS a USING (game_id)
WHERE a.game_id IS NULL OR a.content <> b.content OR a.slice <> b.slice;

CREATE OR REPLACE TEMP TABLE incoming AS
SELECT a.game_id FROM after AS a LEFT JOIN before AS b USING (game_id)
WHERE b.game_id IS NULL OR a.content <> b.content OR a.slice <> b.slice;
