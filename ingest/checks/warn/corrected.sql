-- Every correction of the home's file, as a reminder; one that fits no loaded game is said to do so.
SELECT
    coalesce(any_value(g.game_id), nullif(c.game_id, ''), c.played_on || ' ' || c.competitor) AS subject,
    CASE
        WHEN c.field = 'drop' THEN 'It is left out'
        WHEN count(g.game_id) = 0 THEN 'The correction of ' || c.field || ' fits no game'
        ELSE c.field || if(c.competitor = '', '', ' of ' || c.competitor) || ' is ' || coalesce(c.value, '')
    END || ' by line ' || c.line || ' of the corrections: ' || c.reason AS message
FROM corrections_frame AS c
LEFT JOIN (
    SELECT g.game_id, g.played_on, list(k.competitor_id) || list(k.name) AS entrants
    FROM game AS g
    JOIN side AS s USING (league, game_id)
    LEFT JOIN appearance AS a USING (league, game_id, side)
    JOIN competitor AS k ON k.league = g.league AND k.competitor_id IN (s.team, a.player)
    WHERE g.league = $league
        AND (
            g.game_id IN (SELECT game_id FROM corrections_frame)
            OR g.played_on IN (SELECT played_on FROM corrections_frame)
            OR g.played_on IN (SELECT try_cast(value AS DATE) FROM corrections_frame)
        )
    GROUP BY g.game_id, g.played_on
) AS g ON g.game_id = c.game_id
    OR (
        c.game_id = '' AND list_contains(g.entrants, c.competitor)
        AND g.played_on = coalesce(if(c.field = 'played_on', try_cast(c.value AS DATE), NULL), c.played_on)
    )
GROUP BY c.line, c.game_id, c.played_on, c.competitor, c.field, c.value, c.reason
ORDER BY c.line
