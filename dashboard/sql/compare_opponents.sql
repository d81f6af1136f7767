-- Whom all the compared have met, and how each of them did, in the time of the published fit's games; and their games
-- against one another (is_compared).
WITH asked AS (
    SELECT DISTINCT unnest([$a, $b, $c, $d, $e, $f]) AS competitor_id
),
own AS MATERIALIZED (
    SELECT e.competitor_id, e.kind, e.game_id, e.side, e.played_on
    FROM competitor_game AS e
    JOIN (SELECT f.* FROM league AS l JOIN fit AS f USING (fit_id) WHERE l.league = $league) AS fitted
        ON e.played_on BETWEEN fitted.first_game_on AND fitted.last_game_on
    WHERE e.league = $league AND e.competitor_id IN ($a, $b, $c, $d, $e, $f)
),
side AS (
    SELECT o.competitor_id, o.kind, o.side AS own_side, g.game_id, g.contest_id, unnest(g.sides) AS s
    FROM own AS o JOIN game AS g ON g.league = $league AND g.played_on = o.played_on AND g.game_id = o.game_id
    WHERE len(g.sides) = 2 AND g.status IN ('played', 'retired')
),
score AS (
    SELECT
        competitor_id, kind, game_id, contest_id, own_side,
        any_value(s.score) FILTER (s.side = own_side) AS own_score, any_value(s.score) FILTER (s.side <> own_side) AS other_score,
        any_value(s.won) FILTER (s.side = own_side) AS won, any_value(s.team_id) FILTER (s.side <> own_side) AS team_id
    FROM side
    GROUP BY competitor_id, kind, game_id, contest_id, own_side
),
met AS (
    SELECT * EXCLUDE (team_id), team_id AS opponent_id FROM score WHERE kind = 'team' AND team_id IS NOT NULL
    UNION ALL
    SELECT s.* EXCLUDE (team_id), p.competitor_id
    FROM score AS s
    JOIN competitor_game AS p ON p.league = $league AND p.game_id = s.game_id AND p.side <> s.own_side AND p.kind = 'player'
    WHERE s.kind = 'player'
),
contest AS (
    SELECT
        competitor_id, opponent_id, contest_id,
        coalesce(sign(sum(own_score) - sum(other_score)), CASE WHEN any_value(won) THEN 1 WHEN NOT any_value(won) THEN -1 END) AS came,
        sum(own_score) - sum(other_score) AS margin
    FROM met GROUP BY competitor_id, opponent_id, contest_id
),
told AS (
    SELECT
        opponent_id, competitor_id, opponent_id IN (SELECT competitor_id FROM asked) AS is_compared, count(*) AS games,
        count(*) FILTER (came > 0) AS won, count(*) FILTER (came = 0) AS drawn, count(*) FILTER (came < 0) AS lost,
        avg(margin) AS margin
    FROM contest GROUP BY opponent_id, competitor_id
)
SELECT
    t.opponent_id, coalesce(o.name, t.opponent_id) AS opponent, t.competitor_id, t.is_compared, t.games, t.won, t.drawn, t.lost, t.margin
FROM told AS t
LEFT JOIN competitor AS o ON o.league = $league AND o.competitor_id = t.opponent_id
QUALIFY t.is_compared OR count(*) OVER (PARTITION BY t.opponent_id) = (SELECT count(DISTINCT competitor_id) FROM own)
ORDER BY t.is_compared DESC, sum(t.games) OVER (PARTITION BY t.opponent_id) DESC, opponent, t.competitor_id
LIMIT 120
