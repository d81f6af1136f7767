-- Makes the slices' games the staged ones. The variable league and what 1_compare.sql left are there, and the
-- frames competitors, memberships, truth, forecasts, outlooks, loads, files and rejected are registered as <name>_frame;
-- changes.sql has described the games that change or go.

DELETE FROM appearance WHERE league = getvariable('league') AND game_id IN (SELECT game_id FROM outgoing);
DELETE FROM side WHERE league = getvariable('league') AND game_id IN (SELECT game_id FROM outgoing);
DELETE FROM game WHERE league = getvariable('league') AND game_id IN (SELECT game_id FROM outgoing);

INSERT INTO game BY NAME
SELECT getvariable('league') AS league, * REPLACE (map_from_entries(attributes) AS attributes)
FROM read_game SEMI JOIN incoming USING (game_id);
INSERT INTO side BY NAME SELECT getvariable('league') AS league, *
FROM sides_frame SEMI JOIN incoming USING (game_id);
INSERT INTO appearance BY NAME SELECT getvariable('league') AS league, *
FROM appearances_frame SEMI JOIN incoming USING (game_id);

-- The tables have no keys (see migration 001): a game, a side or an appearance that came in twice is a fault of ours.
SELECT error('game ' || game_id || ' is there twice') FROM game
WHERE league = getvariable('league') AND game_id IN (FROM incoming) GROUP BY game_id HAVING count(*) > 1;

DELETE FROM truth WHERE league = getvariable('league');
INSERT INTO truth SELECT getvariable('league'), competitor_id, component, value FROM truth_frame;

DELETE FROM peer_forecast WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));
INSERT INTO peer_forecast BY NAME SELECT getvariable('league') AS league, * FROM forecasts_frame
ON CONFLICT DO NOTHING;

DELETE FROM peer_outlook WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));
INSERT INTO peer_outlook BY NAME SELECT getvariable('league') AS league, * FROM outlooks_frame
ON CONFLICT DO NOTHING;

-- Competitors and memberships are worked out first and then written once. Inserting, updating and deleting the same rows
-- in one transaction has been seen to end in a DuckDB error about a corrupted string segment.
CREATE OR REPLACE TEMP TABLE entrant AS
SELECT s.team AS competitor_id, g.season
FROM side AS s JOIN game AS g USING (league, game_id)
WHERE league = getvariable('league') AND s.team IS NOT NULL
UNION
SELECT a.player, g.season
FROM appearance AS a JOIN game AS g USING (league, game_id)
WHERE league = getvariable('league');

-- Those whom a game mentions, as the file just read names them, else as before.
CREATE OR REPLACE TEMP TABLE competitor_now AS
SELECT competitor_id, coalesce(f.kind, c.kind) AS kind, coalesce(f.name, c.name) AS name, c.entity_id
FROM competitors_frame AS f
FULL JOIN (FROM competitor WHERE league = getvariable('league')) AS c USING (competitor_id)
WHERE competitor_id IN (SELECT competitor_id FROM entrant);

DELETE FROM competitor WHERE league = getvariable('league');
INSERT INTO competitor BY NAME SELECT getvariable('league') AS league, * FROM competitor_now;

-- A stanza's group may be an attribute of games (the level of play, say): a competitor is of the group he first plays
-- in that season, over all files of the league. That goes before what a file says, and both before what was known;
-- memberships in seasons their holder did not play are dropped.
-- The group's name is a variable: a map is searched twenty times as fast for a
-- constant as for a column's value.
SET VARIABLE grouping = (SELECT stanza ->> 'group' FROM league WHERE league = getvariable('league'));
CREATE OR REPLACE TEMP TABLE membership_now AS
WITH grouped AS (
    SELECT game_id, season, played_on, sequence, attributes[getvariable('grouping')] AS "group"
    FROM game
    WHERE
        league = getvariable('league') AND getvariable('grouping') IS NOT NULL AND season IN (FROM season_touched)
),
entry AS (
    SELECT game_id, team AS competitor_id FROM side WHERE league = getvariable('league') AND team IS NOT NULL
    UNION ALL
    SELECT game_id, player FROM appearance WHERE league = getvariable('league')
),
said AS (
    SELECT
        competitor_id, season, getvariable('grouping') AS grouping,
        arg_min("group", (played_on, sequence, game_id)) AS "group", 3 AS weight
    FROM grouped JOIN entry USING (game_id) WHERE "group" IS NOT NULL GROUP BY competitor_id, season
    UNION ALL
    SELECT competitor_id, season, grouping, "group", 2 FROM memberships_frame
    UNION ALL
    SELECT competitor_id, season, grouping, "group", 1 FROM membership WHERE league = getvariable('league')
)
SELECT competitor_id, season, grouping, arg_max("group", weight) AS "group"
FROM said
WHERE competitor_id IN (SELECT competitor_id FROM entrant)
    AND (season NOT IN (SELECT season FROM entrant) OR (competitor_id, season) IN (SELECT (competitor_id, season) FROM entrant))
GROUP BY competitor_id, season, grouping;

DELETE FROM membership WHERE league = getvariable('league');
INSERT INTO membership BY NAME SELECT getvariable('league') AS league, * FROM membership_now;

-- Of a slice's rejected rows only those of its last load are kept.
DELETE FROM rejected_row
WHERE league = getvariable('league')
    AND load_id IN (
        SELECT load_id FROM load
        WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')))
    );
INSERT INTO load BY NAME FROM loads_frame;
INSERT INTO rejected_row BY NAME FROM rejected_frame;

DELETE FROM loaded_file WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));
INSERT INTO loaded_file BY NAME SELECT getvariable('league') AS league, * FROM files_frame;

INSERT INTO game_change BY NAME
SELECT league, load_id, game_id, change, description FROM described JOIN loads_frame USING (slice);
DELETE FROM game_change
WHERE league = getvariable('league')
    AND load_id IN (
        SELECT load_id FROM load
        WHERE league = getvariable('league')
            AND loaded_at_utc < (SELECT max(loaded_at_utc) FROM loads_frame) - INTERVAL 365 DAY
    );
