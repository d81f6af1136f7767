-- Every correction that is in what was loaded, as a reminder: what is in force, and what the source has. Where the home's
-- file differs from that, it is said so: a correction that is not loaded yet, that fits no game, or that is gone.
WITH in_force AS (
    SELECT g.game_id, g.played_on, unnest(string_split(g.attributes['corrected'], chr(10))) AS note
    FROM game AS g WHERE g.league = $league AND g.attributes['corrected'] IS NOT NULL
),
left_out AS (
    SELECT file, line, rule AS note FROM rejected_row
    WHERE league = $league AND starts_with(rule, 'left out by correction')
),
suspect AS MATERIALIZED (
    SELECT game_id, played_on
    FROM game
    WHERE league = $league
        AND (
            game_id IN (SELECT game_id FROM corrections_frame) OR played_on IN (SELECT played_on FROM corrections_frame)
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
-- The day by which a correction tells its game may have been corrected itself.
applied AS (
    SELECT c.line, f.game_id, f.note
    FROM corrections_frame AS c
    JOIN in_force AS f
        ON starts_with(f.note, c.note || ' (the source: ')
        AND (
            f.game_id = c.game_id
            OR c.game_id = '' AND (
                f.played_on = c.played_on
                OR f.game_id IN (SELECT game_id FROM in_force WHERE starts_with(note, 'played_on is '))
            )
        )
    UNION ALL
    SELECT c.line, l.file || ', line ' || l.line, l.note
    FROM corrections_frame AS c JOIN left_out AS l ON l.note = c.note
),
fit AS (
    SELECT c.line, any_value(g.game_id) AS game_id
    FROM corrections_frame AS c
    JOIN suspect AS g ON g.game_id = c.game_id OR c.game_id = '' AND g.played_on = c.played_on
    LEFT JOIN called AS n ON n.game_id = g.game_id
    WHERE g.game_id = c.game_id OR list_contains(n.names, c.competitor)
    GROUP BY c.line
),
loaded AS (
    SELECT game_id AS subject, note FROM in_force
    UNION ALL
    SELECT file || ', line ' || line, note FROM left_out
),
report AS (
    SELECT
        l.subject, min(a.line) AS line,
        l.note || coalesce(
            ', by line ' || min(a.line) || ' of the corrections.',
            '. The corrections do not say so any more: pooltable pull ' || $league
        ) AS message
    FROM loaded AS l LEFT JOIN applied AS a ON a.game_id = l.subject AND a.note = l.note
    GROUP BY l.subject, l.note
    UNION ALL
    SELECT
        coalesce(f.game_id, nullif(c.game_id, ''), c.played_on || ' ' || c.competitor), c.line,
        'Line ' || c.line || ' of the corrections '
        || if(f.line IS NULL, 'fits no game: ', 'is not loaded yet, pooltable pull ' || $league || ': ') || c.note
    FROM corrections_frame AS c
    LEFT JOIN fit AS f USING (line)
    WHERE c.line NOT IN (SELECT line FROM applied)
)
SELECT subject, message FROM report ORDER BY line NULLS LAST, subject, message
