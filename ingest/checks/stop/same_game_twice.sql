-- Two whole contests on one day, at the same place in the day's order, with the same entrants, homes and results under
-- two keys: one game counted twice, usually from two files. Two meetings in a day with a sequence of their own are two.
-- Only since the stanza's `since`: what is not rated shall not stop the ratings. Games are compared by a hash of their
-- entrants first, so that only the few alike are written out and compared as they are.
WITH candidate AS MATERIALIZED (
    SELECT g.game_id, g.played_on, g.sequence
    FROM game AS g
    JOIN league AS l USING (league)
    WHERE league = $league AND g.contest_id = g.game_id AND g.status = 'played' AND g.played_on_precision = 'day'
        AND g.played_on >= coalesce((l.stanza ->> 'since')::DATE, '0001-01-01')
),
part AS (
    SELECT game_id, hash(team, is_home, score, finish, won) AS h FROM side WHERE league = $league
    UNION ALL
    SELECT a.game_id, hash(a.player, s.is_home, s.score, s.finish, s.won)
    FROM appearance AS a
    JOIN side AS s USING (league, game_id, side)
    WHERE league = $league
),
hashed AS (SELECT game_id, bit_xor(h) AS h FROM part GROUP BY game_id),
alike AS (
    SELECT game_id, played_on, sequence
    FROM candidate JOIN hashed USING (game_id)
    QUALIFY count(*) OVER (PARTITION BY played_on, sequence, h) > 1
),
entrant AS (
    SELECT game_id, side, team AS competitor_id FROM side SEMI JOIN alike USING (game_id)
    WHERE league = $league AND team IS NOT NULL
    UNION ALL
    SELECT game_id, side, player FROM appearance SEMI JOIN alike USING (game_id) WHERE league = $league
),
described AS (
    SELECT
        k.game_id, k.played_on, k.sequence,
        list({c: e.competitor_id, h: s.is_home, s: s.score, f: s.finish, w: s.won} ORDER BY e.competitor_id) AS entrants
    FROM alike AS k
    JOIN side AS s ON s.league = $league AND s.game_id = k.game_id
    JOIN entrant AS e ON e.game_id = s.game_id AND e.side = s.side
    GROUP BY ALL
)
SELECT
    min(game_id) AS subject,
    'The same game stands there ' || count(*) || ' times: ' || string_agg(game_id, '; ' ORDER BY game_id) || '.' AS message
FROM described
GROUP BY played_on, sequence, entrants
HAVING count(*) > 1
ORDER BY ALL
