-- Makes the slices' games the staged ones. The variable league and what 1_compare.sql left are there, and the
-- frames competitors, memberships, truth, forecasts, outlooks, loads and rejected are registered as <name>_frame.

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

-- The tables have no keys (see migration 004): a game, a side or an appearance that came in twice is a fault of ours.
SELECT error('game ' || game_id || ' is there twice') FROM game
WHERE league = getvariable('league') AND game_id IN (FROM incoming) GROUP BY game_id HAVING count(*) > 1;

INSERT INTO competitor (league, competitor_id, kind, name)
SELECT getvariable('league'), competitor_id, kind, name FROM competitors_frame
ON CONFLICT DO UPDATE SET kind = excluded.kind, name = excluded.name;

INSERT INTO membership (league, competitor_id, season, grouping, "group")
SELECT getvariable('league'), competitor_id, season, grouping, "group" FROM memberships_frame
ON CONFLICT DO UPDATE SET "group" = excluded."group";

DELETE FROM truth WHERE league = getvariable('league');
INSERT INTO truth SELECT getvariable('league'), competitor_id, component, value FROM truth_frame;

DELETE FROM peer_forecast WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));
INSERT INTO peer_forecast BY NAME SELECT getvariable('league') AS league, * FROM forecasts_frame
ON CONFLICT DO NOTHING;

DELETE FROM peer_outlook WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')));
INSERT INTO peer_outlook BY NAME SELECT getvariable('league') AS league, * FROM outlooks_frame
ON CONFLICT DO NOTHING;

-- Competitors that no game mentions any more, and memberships in seasons their holder did not play.
CREATE OR REPLACE TEMP TABLE entrant AS
SELECT s.team AS competitor_id, g.season
FROM side AS s JOIN game AS g USING (league, game_id)
WHERE league = getvariable('league') AND s.team IS NOT NULL
UNION
SELECT a.player, g.season
FROM appearance AS a JOIN game AS g USING (league, game_id)
WHERE league = getvariable('league');

DELETE FROM competitor
WHERE league = getvariable('league') AND competitor_id NOT IN (SELECT competitor_id FROM entrant);

DELETE FROM membership
WHERE league = getvariable('league')
    AND (
        competitor_id NOT IN (SELECT competitor_id FROM entrant)
        OR (
            season IN (SELECT season FROM entrant)
            AND (competitor_id, season) NOT IN (SELECT (competitor_id, season) FROM entrant)
        )
    );

-- A stanza's group may be an attribute of games (the level of play, say): a competitor is of the group he first plays
-- in that season, over all files of the league.
INSERT INTO membership (league, competitor_id, season, grouping, "group")
WITH grouped AS (
    SELECT
        game_id, season, struct_pack(played_on, sequence, game_id) AS place, stanza ->> 'group' AS grouping,
        attributes[stanza ->> 'group'] AS "group"
    FROM game JOIN league USING (league)
    WHERE league = getvariable('league') AND stanza ->> 'group' IS NOT NULL AND season IN (FROM season_touched)
),
entry AS (
    SELECT game_id, team AS competitor_id FROM side WHERE league = getvariable('league') AND team IS NOT NULL
    UNION ALL
    SELECT game_id, player FROM appearance WHERE league = getvariable('league')
)
SELECT getvariable('league'), competitor_id, season, grouping, arg_min("group", place)
FROM grouped JOIN entry USING (game_id)
WHERE "group" IS NOT NULL
GROUP BY competitor_id, season, grouping
ON CONFLICT DO UPDATE SET "group" = excluded."group";

-- Of a slice's rejected rows only those of its last load are kept.
DELETE FROM rejected_row
WHERE league = getvariable('league')
    AND load_id IN (
        SELECT load_id FROM load
        WHERE league = getvariable('league') AND slice IN (SELECT unnest(getvariable('slices')))
    );
INSERT INTO load BY NAME FROM loads_frame;
INSERT INTO rejected_row BY NAME FROM rejected_frame;
