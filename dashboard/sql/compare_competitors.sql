-- The competitors that are compared, in the order asked for: their lines of the leaderboard and the density of each rating,
-- a Gaussian kernel over its joint draws at 61 points (width: Silverman 1986, equation 3.31).
WITH asked AS (
    SELECT unnest([$a, $b, $c, $d, $e, $f]) AS asked_for, unnest(range(1, 7)) AS place
),
found AS (
    SELECT DISTINCT ON (b.competitor_id) a.place, b.*
    FROM asked AS a JOIN leaderboard AS b ON b.league = $league AND (b.competitor_id = a.asked_for OR b.name = a.asked_for)
    ORDER BY b.competitor_id, a.place
),
-- A filter by league or component would read everybody's draws.
drawn AS (
    SELECT f.competitor_id, any_value(d.draws) FILTER (d.league = $league AND d.component = 'total') AS draws
    FROM found AS f JOIN rating_draw AS d ON d.competitor_id = f.competitor_id
    GROUP BY f.competitor_id
),
width AS (
    SELECT
        competitor_id, draws, list_min(draws) AS low, list_max(draws) AS high,
        greatest(1e-9, 0.9 * least(
            list_stddev_samp(draws),
            (list_aggregate(draws, 'quantile_cont', 0.75) - list_aggregate(draws, 'quantile_cont', 0.25)) / 1.34
        ) * len(draws) ** -0.2) AS kernel
    FROM drawn
),
point AS (
    SELECT competitor_id, draws, kernel, low - 2 * kernel + (high - low + 4 * kernel) * unnest(range(0, 61)) / 60 AS x
    FROM width
),
curve AS (
    SELECT
        competitor_id, list(round(x, 5) ORDER BY x) AS x_values,
        list(round(list_sum([exp(-0.5 * ((x - d) / kernel) ** 2) FOR d IN draws]) / len(draws) / kernel / sqrt(2 * pi()), 5) ORDER BY x)
            AS heights
    FROM point GROUP BY competitor_id
)
SELECT
    f.competitor_id, coalesce(f.name, f.competitor_id) AS name, f.kind, f.rank, f.rank_low, f.rank_high, f.rating, f.sd, f.q5, f.q95,
    f.p_best, f.games, f.shrinkage, f.last_played, f.status, s.opponents_rating, c.x_values, c.heights
FROM found AS f
LEFT JOIN curve AS c USING (competitor_id)
LEFT JOIN schedule AS s USING (league, kind, competitor_id)
ORDER BY f.place
