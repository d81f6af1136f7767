-- The games since an earlier day of the twenty whose rank most surely moved: what moved them.
WITH named AS (
    SELECT unnest(string_split($competitors, chr(10))) AS competitor_id
),
own AS MATERIALIZED (
    SELECT e.competitor_id, e.game_id, e.side, e.played_on
    FROM named JOIN competitor_game AS e ON e.league = $league AND e.competitor_id = named.competitor_id
    JOIN league AS l ON l.league = e.league
    WHERE e.played_on >= $since::DATE AND e.played_on < l.as_of
),
entry AS (
    SELECT o.competitor_id, o.side, g.game_id, g.contest_id, g.played_on, g.status, len(g.sides) AS entries, unnest(g.sides) AS s
    FROM own AS o JOIN game AS g ON g.league = $league AND g.played_on = o.played_on AND g.game_id = o.game_id
),
other AS (
    SELECT o.game_id, o.competitor_id, any_value(p.name) AS name
    FROM own AS o
    JOIN competitor_game AS p ON p.league = $league AND p.game_id = o.game_id AND p.side <> o.side AND p.kind = 'player'
    GROUP BY o.game_id, o.competitor_id
    HAVING count(*) = 1
)
SELECT
    e.competitor_id, e.contest_id, e.played_on, any_value(e.status) AS status, max(e.entries) AS entries,
    CASE WHEN max(e.entries) = 2 THEN coalesce(any_value(e.s.team) FILTER (e.s.side <> e.side), any_value(o.name)) END AS opponent,
    sum(e.s.score) FILTER (e.s.side = e.side) AS own_score, sum(e.s.score) FILTER (e.s.side <> e.side) AS other_score,
    min(e.s.finish) FILTER (e.s.side = e.side) AS finish, any_value(e.s.won) FILTER (e.s.side = e.side) AS won
FROM entry AS e LEFT JOIN other AS o USING (game_id, competitor_id)
GROUP BY e.competitor_id, e.contest_id, e.played_on
ORDER BY e.competitor_id, e.played_on, e.contest_id
