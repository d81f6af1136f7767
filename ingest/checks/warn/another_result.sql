-- A game of which one file gives two results: a slip, or two games of one day. Of a file read by a mapping one row is
-- loaded and the other is a rejected row; other feeds take both for games, since the stanza's `since` those are shown.
WITH second AS (
    SELECT g.game_id, g.slice, regexp_replace(g.game_id, '#[0-9]+$', '') AS first_id
    FROM game AS g
    JOIN league AS l USING (league)
    WHERE league = $league AND l.feed <> 'csv' AND g.contest_id = g.game_id
        AND regexp_matches(g.game_id, '#[0-9]+$')
        AND g.played_on >= coalesce((l.stanza ->> 'since')::DATE, '0001-01-01')
)
SELECT file || ', line ' || line AS subject, 'It is kept out, ' || rule || ': ' || raw AS message
FROM rejected_row
WHERE league = $league AND contains(rule, 'with another result')
UNION ALL
SELECT
    s.game_id,
    s.slice || ' has this game twice, with two results, and both are loaded. If one is a slip, correct it or drop it.'
FROM second AS s
JOIN game AS g ON g.league = $league AND g.game_id = s.first_id
ORDER BY ALL
