-- Strength of record: what each competitor made of its games, against what the average ranked competitor would have made of
-- the same. league, game, fit, hyperparameter, leaderboard and competitor_game are there. Asked is of leagues that rate one
-- kind, one of it on a side: beside others, what an average competitor would do depends on who they are. Chances are at
-- posterior means, of an ordinary game as in win_probability; where ratings walk, of the last year's games.

CREATE TABLE record AS
WITH learned AS (
    SELECT
        l.league, l.outcome, l.likelihood, l.likelihood IN ('poisson', 'negative_binomial', 'dixon_coles') AS has_counts,
        f.fit_id, f.first_game_on, f.last_game_on, l.as_of,
        coalesce(max(h.mean) FILTER (h.parameter = 'intercept'), 0) AS intercept,
        coalesce(max(h.mean) FILTER (h.parameter = 'home'), 0) AS home,
        max(h.mean) FILTER (h.parameter = 'sigma') AS sigma,
        2 + max(h.mean) FILTER (h.parameter = 'tails') AS freedom,
        coalesce(max(h.mean) FILTER (h.parameter = 'draw_width'), 0) AS width,
        coalesce(max(h.mean) FILTER (h.parameter = 'overdispersion'), 0) AS excess,
        coalesce(bool_or(contains(h.parameter, '_walk')), false) AS is_walk
    FROM league AS l
    JOIN fit AS f ON f.fit_id = l.fit_id
    LEFT JOIN hyperparameter AS h ON h.fit_id = l.fit_id
    WHERE l.league IN (SELECT league FROM leaderboard GROUP BY league HAVING count(DISTINCT kind) = 1)
    GROUP BY ALL
),
entered AS (
    SELECT
        e.league, e.kind, e.competitor_id, e.name, e.game_id, e.side, g.neutral OR len(g.sides) > 2 AS neutral,
        [s FOR s IN g.sides IF s.side = e.side][1] AS s, len(g.sides) AS sides, b.rating, b.attack, b.defence, count(*) OVER (PARTITION BY e.league, e.game_id, e.side) AS beside
    FROM competitor_game AS e
    JOIN learned AS k ON k.league = e.league
        AND e.played_on BETWEEN CASE WHEN k.is_walk THEN k.as_of - 365 ELSE k.first_game_on END AND k.last_game_on
    JOIN leaderboard AS b ON (b.league, b.kind, b.competitor_id) = (e.league, e.kind, e.competitor_id)
    JOIN game AS g ON (g.league, g.game_id) = (e.league, e.game_id) AND g.status = 'played'
),
pair AS MATERIALIZED (
    SELECT
        a.league, a.kind, a.competitor_id, a.name, a.game_id, b.competitor_id AS other_id, b.rating, b.attack, b.defence,
        CASE WHEN a.neutral THEN 0 WHEN a.s.is_home THEN 1 WHEN b.s.is_home THEN -1 ELSE 0 END AS place,
        CASE
            WHEN a.s.won THEN 1 WHEN b.s.won THEN 0
            WHEN a.s.finish <> b.s.finish THEN CASE WHEN a.s.finish < b.s.finish THEN 1 ELSE 0 END
            WHEN a.s.score <> b.s.score THEN CASE WHEN a.s.score > b.s.score THEN 1 ELSE 0 END
            WHEN a.s.finish = b.s.finish OR a.s.score = b.s.score OR (a.sides = 2 AND NOT (a.s.won OR b.s.won)) THEN 0.5
        END AS result
    FROM entered AS a
    JOIN entered AS b ON (b.league, b.game_id) = (a.league, a.game_id) AND b.side <> a.side
    WHERE a.beside = 1 AND b.beside = 1
),
mean AS (
    SELECT
        r.*, k.* EXCLUDE (league),
        CASE WHEN has_counts THEN exp(least(own_eta, 20)) ELSE own_eta END AS own,
        CASE WHEN has_counts THEN exp(least(other_eta, 20)) ELSE other_eta END AS other
    FROM (
        SELECT
            p.league, p.other_id, p.place,
            k.intercept + CASE p.place WHEN 1 THEN k.home ELSE 0 END - coalesce(p.defence, 0) AS own_eta,
            k.intercept + CASE p.place WHEN -1 THEN k.home ELSE 0 END + coalesce(p.attack, p.rating) AS other_eta
        FROM (SELECT DISTINCT league, other_id, place, rating, attack, defence FROM pair) AS p
        JOIN learned AS k ON k.league = p.league
    ) AS r
    JOIN learned AS k ON k.league = r.league
),
-- The chance of a count above the other's, by their sums; a tenth decimal is far beyond what the ratings are known to.
counted AS (
    SELECT
        m.league, m.other_id, m.place, g.goals,
        count_chance(g.goals, lgamma(g.goals + 1), log_slope(own, excess), log_start(own, excess), excess) AS own_chance,
        count_chance(g.goals, lgamma(g.goals + 1), log_slope(other, excess), log_start(other, excess), excess) AS other_chance
    FROM mean AS m, LATERAL (
        SELECT unnest(range(0, (
            14 + 10 * sqrt(greatest(own, other)) + greatest(own, other)
            + CASE WHEN excess > 0 THEN 21 / ln(1 + 1 / (greatest(own, other) * excess)) ELSE 0 END
        )::INTEGER)) AS goals
    ) AS g
    WHERE m.has_counts AND greatest(own, other) <= 300
),
ahead AS (
    SELECT league, other_id, place, sum(own_chance * (below + 0.5 * other_chance)) AS chance
    FROM (SELECT *, sum(other_chance) OVER (PARTITION BY league, other_id, place ORDER BY goals) - other_chance AS below FROM counted)
    GROUP BY league, other_id, place
),
expected AS (
    SELECT
        m.league, m.other_id, m.place,
        CASE
            WHEN a.chance IS NOT NULL THEN a.chance
            WHEN has_counts THEN normal_cdf((own - other) / sqrt(own + other + excess * (own * own + other * other)))
            WHEN outcome = 'score' THEN normal_cdf((own - other) / (sqrt(2.0) * sigma))
            WHEN outcome = 'margin' THEN margin_chance((own - other) / sigma, CASE WHEN likelihood = 'student' THEN freedom END)
            WHEN likelihood = 'probit' THEN 0.5 + 0.5 * (normal_cdf(own - other - width) - normal_cdf(other - own - width))
            ELSE 0.5 + 0.5 * (logistic(own - other - width) - logistic(other - own - width))
        END AS chance
    FROM mean AS m LEFT JOIN ahead AS a USING (league, other_id, place)
),
game_of AS (
    SELECT p.league, p.kind, p.competitor_id, p.name, p.game_id, avg(p.result) AS result, avg(e.chance) AS chance
    FROM pair AS p JOIN expected AS e ON (e.league, e.other_id, e.place) = (p.league, p.other_id, p.place)
    WHERE p.result IS NOT NULL
    GROUP BY ALL
)
SELECT
    r.league, r.kind, r.competitor_id, r.name, count(*) AS games, avg(r.result) AS share, avg(r.chance) AS expected_share,
    avg(r.result) - avg(r.chance) AS record_strength, any_value(k.fit_id) AS fit_id
FROM game_of AS r JOIN learned AS k ON k.league = r.league
GROUP BY r.league, r.kind, r.competitor_id, r.name
ORDER BY r.league, r.kind, record_strength DESC, r.competitor_id;
COMMENT ON TABLE record IS 'One row a rated competitor of a league that rates one kind, one of it on a side: what it made of its games, against what the average ranked competitor would have been expected to make of the same opponents at the same places (strength of record), by the posterior means of today''s ratings. Where ratings walk, of the last year''s games. Key: league, kind, competitor_id.';
COMMENT ON COLUMN record.league IS 'The league.';
COMMENT ON COLUMN record.kind IS 'team or player.';
COMMENT ON COLUMN record.competitor_id IS 'The competitor.';
COMMENT ON COLUMN record.name IS 'Its name.';
COMMENT ON COLUMN record.games IS 'Games counted: played, used by the fit, against rated others.';
COMMENT ON COLUMN record.share IS 'Mean result over these games, 0 to 1: a win 1, a draw one half; of a race the share of the others that it left behind.';
COMMENT ON COLUMN record.expected_share IS 'The same as expected of the average ranked competitor in its place.';
COMMENT ON COLUMN record.record_strength IS 'share less expected_share: wins a game above those of an average competitor.';
COMMENT ON COLUMN record.fit_id IS 'The fit the ratings come from.';
