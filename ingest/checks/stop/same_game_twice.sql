-- Two whole contests on one day, at the same place in the day's order, with the same entrants, homes and results under
-- two keys: one game counted twice, usually from two files. Two meetings in a day with a sequence of their own are two.
-- Only since the stanza's `since`: what is not rated shall not stop the ratings.
WITH entrant AS (
    SELECT game_id, side, team AS competitor_id FROM side WHERE league = $league AND team IS NOT NULL
    UNION ALL
    SELECT game_id, side, player FROM appearance WHERE league = $league
),
described AS (
    SELECT
        g.game_id, g.played_on, g.sequence,
        list({c: e.competitor_id, h: s.is_home, s: s.score, f: s.finish, w: s.won} ORDER BY e.competitor_id) AS entrants
    FROM game AS g
    JOIN league AS l USING (league)
    JOIN side AS s USING (league, game_id)
    JOIN entrant AS e USING (game_id, side)
    WHERE league = $league AND g.contest_id = g.game_id AND g.status = 'played' AND g.played_on_precision = 'day'
        AND g.played_on >= coalesce((l.stanza ->> 'since')::DATE, '0001-01-01')
    GROUP BY ALL
)
SELECT
    min(game_id) AS subject,
    'The same game stands there ' || count(*) || ' times: ' || string_agg(game_id, '; ' ORDER BY game_id) || '.' AS message
FROM described
GROUP BY played_on, sequence, entrants
HAVING count(*) > 1
ORDER BY ALL
