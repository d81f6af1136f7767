-- Two whole contests on one day, at the same place in the day's order, with the same entrants, homes and results under
-- two keys: one game counted twice, usually from two files. Two meetings in a day with a sequence of their own are two,
-- and so are two whose scores, written out (the attribute `score`: sets of tennis), differ.
-- Only since the stanza's `since`: what is not rated shall not stop the ratings. Games are compared by a hash of their
-- entrants first, so that only the few alike are written out and compared as they are. The message has the line of the
-- corrections that would leave the last of them out.
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
    SELECT game_id, side, false AS is_player, team AS competitor_id FROM side SEMI JOIN alike USING (game_id)
    WHERE league = $league AND team IS NOT NULL
    UNION ALL
    SELECT game_id, side, true, player FROM appearance SEMI JOIN alike USING (game_id) WHERE league = $league
),
described AS (
    SELECT
        k.game_id, k.played_on, k.sequence, g.attributes['score'] AS written,
        list(
            {c: e.competitor_id, h: s.is_home, s: s.score, f: s.finish, w: s.won}
            ORDER BY e.competitor_id, s.is_home, s.score, s.finish, s.won
        ) AS entrants,
        list(coalesce(c.name, e.competitor_id) ORDER BY e.is_player, e.competitor_id) AS names
    FROM alike AS k
    JOIN game AS g ON g.league = $league AND g.game_id = k.game_id
    JOIN side AS s ON s.league = $league AND s.game_id = k.game_id
    JOIN entrant AS e ON e.game_id = s.game_id AND e.side = s.side
    LEFT JOIN competitor AS c ON c.league = $league AND c.competitor_id = e.competitor_id
    GROUP BY ALL
),
twice AS (
    SELECT played_on, any_value(names) AS names, list(game_id ORDER BY game_id) AS games
    FROM described
    GROUP BY played_on, sequence, entrants
    HAVING count(*) > count(DISTINCT written)
)
SELECT
    games[1] AS subject,
    array_to_string(names[:4], ', ') || if(len(names) > 4, ' and ' || (len(names) - 4) || ' more', '')
    || ' on ' || played_on || ': the same game stands there ' || len(games) || ' times: '
    || array_to_string(games, '; ') || '. To leave one out, add to corrections/' || $league || '.csv: "'
    || replace(games[-1], '"', '""') || '",,,drop,,"the same game as ' || replace(games[1], '"', '""') || '"' AS message
FROM twice
ORDER BY ALL
