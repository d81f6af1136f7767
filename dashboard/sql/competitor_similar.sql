-- Those nearest to one competitor by rating, with the probability that it is truly the better, from the joint draws.
WITH near AS MATERIALIZED (
    SELECT b.*, abs(b.rating - own.rating) AS apart
    FROM leaderboard AS own
    JOIN leaderboard AS b ON (b.league, b.kind) = (own.league, own.kind) AND b.status IN ('ranked', own.status)
    WHERE own.league = $league AND own.competitor_id = $competitor
    ORDER BY b.competitor_id <> $competitor, apart
    LIMIT 9
),
-- A filter by league or component would read everybody's draws.
drawn AS MATERIALIZED (
    SELECT d.competitor_id, any_value(d.draws) FILTER (d.league = $league AND d.component = 'total') AS draws
    FROM near JOIN rating_draw AS d ON d.competitor_id = near.competitor_id
    GROUP BY d.competitor_id
)
SELECT
    n.competitor_id, coalesce(n.name, n.competitor_id) AS name, n.rank, n.rating, n.q5, n.q95, n.games,
    list_avg([(own.draws[k] > d.draws[k])::INTEGER FOR k IN range(1, len(d.draws) + 1)]) AS p_better
FROM near AS n
JOIN drawn AS d USING (competitor_id)
JOIN drawn AS own ON own.competitor_id = $competitor
WHERE n.competitor_id <> $competitor
ORDER BY n.rating DESC
