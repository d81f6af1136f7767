-- Every correction of the home's file, as a reminder; one that fits no loaded game is said to do so.
WITH suspect AS MATERIALIZED (
    SELECT game_id, played_on
    FROM game
    WHERE league = $league
        AND (
            game_id IN (SELECT game_id FROM corrections_frame)
            OR played_on IN (SELECT played_on FROM corrections_frame)
            OR played_on IN (SELECT try_cast(value AS DATE) FROM corrections_frame)
        )
),
entrant AS (
    SELECT game_id, team AS competitor_id FROM side SEMI JOIN suspect USING (game_id) WHERE league = $league
    UNION
    SELECT game_id, player FROM appearance SEMI JOIN suspect USING (game_id) WHERE league = $league
),
called AS (
    SELECT e.game_id, list(c.competitor_id) || list(c.name) AS names
    FROM entrant AS e JOIN competitor AS c ON c.league = $league AND c.competitor_id = e.competitor_id
    GROUP BY e.game_id
),
fit AS (
    SELECT c.line, g.game_id
    FROM corrections_frame AS c
    JOIN suspect AS g ON g.game_id = c.game_id
    UNION
    SELECT c.line, g.game_id
    FROM corrections_frame AS c
    JOIN suspect AS g
        ON g.played_on = coalesce(if(c.field = 'played_on', try_cast(c.value AS DATE), NULL), c.played_on)
    JOIN called AS n ON n.game_id = g.game_id AND list_contains(n.names, c.competitor)
    WHERE c.game_id = ''
)
SELECT
    coalesce(any_value(f.game_id), nullif(c.game_id, ''), c.played_on || ' ' || c.competitor) AS subject,
    CASE
        WHEN c.field = 'drop' THEN 'It is left out'
        WHEN count(f.game_id) = 0 THEN 'The correction of ' || c.field || ' fits no game'
        ELSE c.field || if(c.competitor = '', '', ' of ' || c.competitor) || ' is ' || coalesce(c.value, '')
    END || ' by line ' || c.line || ' of the corrections: ' || c.reason AS message
FROM corrections_frame AS c
LEFT JOIN fit AS f USING (line)
GROUP BY c.line, c.game_id, c.played_on, c.competitor, c.field, c.value, c.reason
ORDER BY c.line
