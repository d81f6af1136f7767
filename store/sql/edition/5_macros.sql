-- Macros that readers call. Parameters end in _name or _id: a parameter called like a column would select every row.
-- In a client that ATTACHes an edition, say USE first: macros look their tables up in the current database.

CREATE MACRO nearest_name(league_name, competitor_name) AS (
    SELECT arg_min(name, levenshtein(lower(name), lower(competitor_name))) FROM leaderboard WHERE league = league_name
);
COMMENT ON MACRO nearest_name IS 'nearest_name(league_name, competitor_name): the rated competitor''s name most like a given one; NULL where the league has no ratings.';

CREATE MACRO competitor_of(league_name, competitor_name) AS (
    SELECT CASE
        WHEN count(*) = 1 THEN max(competitor_id)
        WHEN count(*) > 1 THEN error('More than one competitor is called "' || competitor_name || '": use its competitor_id.')
        WHEN league_name IS NULL OR competitor_name IS NULL THEN error('A league and two names are needed; one is NULL.')
        WHEN nearest_name(league_name, competitor_name) IS NULL
            THEN error('There is no league "' || league_name || '" with ratings here. See: SELECT league FROM league')
        ELSE error(
            'No rated competitor "' || competitor_name || '" in league "' || league_name || '". Did you mean "'
            || nearest_name(league_name, competitor_name) || '"?'
        )
    END
    FROM leaderboard
    WHERE league = league_name AND (name = competitor_name OR competitor_id = competitor_name)
);
COMMENT ON MACRO competitor_of IS 'competitor_of(league_name, competitor_name): the competitor_id of a rated competitor given by name or id; an error that names the nearest where there is none.';

-- Chances of more, as many and fewer goals than the other side: P(X > Y) and P(X = Y) for two counts X and Y are summed
-- up goal by goal, each step from the one before: p(g) = p(g - 1) * (m / g) * (1 + (g - 1) k) / (1 + m k) for a negative
-- binomial of mean m and variance m + k m^2, which is Poisson where k = 0. The first element of the list holds g = 0 and
-- the others only say which g is next; beyond `top` goals nothing is left.
CREATE MACRO count_start(rate, excess) AS CASE WHEN excess = 0 THEN exp(-rate) ELSE exp(-ln(1 + rate * excess) / excess) END;
COMMENT ON MACRO count_start IS 'count_start(rate, excess): the chance that a count of that mean and variance rate + excess * rate^2 is zero; Poisson where excess is 0.';

CREATE MACRO score_chances(a_rate, b_rate, excess, top) AS list_reduce(
    list_prepend(
        {
            'goals': 0.0::DOUBLE, 'a': count_start(a_rate, excess), 'b': count_start(b_rate, excess),
            'below': count_start(b_rate, excess), 'win': 0.0::DOUBLE,
            'draw': count_start(a_rate, excess) * count_start(b_rate, excess)
        },
        [
            {
                'goals': g::DOUBLE, 'a': a_rate / (1 + a_rate * excess) * (1 + (g - 1) * excess) / g,
                'b': b_rate / (1 + b_rate * excess) * (1 + (g - 1) * excess) / g, 'below': 0.0::DOUBLE,
                'win': 0.0::DOUBLE, 'draw': 0.0::DOUBLE
            }
            FOR g IN range(1, 1 + top)
        ]
    ),
    lambda so_far, next: {
        'goals': next.goals,
        'a': so_far.a * next.a,
        'b': so_far.b * next.b,
        'below': so_far.below + so_far.b * next.b,
        'win': so_far.win + so_far.a * next.a * so_far.below,
        'draw': so_far.draw + so_far.a * next.a * so_far.b * next.b
    }
);
COMMENT ON MACRO score_chances IS 'score_chances(a_rate, b_rate, excess, top): the struct whose win and draw are the chances that a count of mean a_rate exceeds, or equals, one of mean b_rate, each of variance mean + excess * mean^2 (Poisson where excess is 0); exact for counts up to top.';

CREATE MACRO logistic(z_value) AS 0.5 + 0.5 * tanh(0.5 * z_value);
COMMENT ON MACRO logistic IS 'logistic(z_value): the logistic distribution function.';

-- Hart (1968) in the form of West (2005), "Better approximations to cumulative normal functions": to double precision.
CREATE MACRO normal_cdf(z_value) AS CASE WHEN z_value > 0 THEN 1.0 ELSE 0.0 END + CASE WHEN z_value > 0 THEN -1 ELSE 1 END
    * exp(-0.5 * z_value * z_value) * CASE
    WHEN abs(z_value) < 7.07106781186547 THEN
        ((((((3.52624965998911e-02 * abs(z_value) + 0.700383064443688) * abs(z_value) + 6.37396220353165)
            * abs(z_value) + 33.912866078383) * abs(z_value) + 112.079291497871) * abs(z_value) + 221.213596169931)
            * abs(z_value) + 220.206867912376)
        / (((((((8.83883476483184e-02 * abs(z_value) + 1.75566716318264) * abs(z_value) + 16.064177579207)
            * abs(z_value) + 86.7807322029461) * abs(z_value) + 296.564248779674) * abs(z_value) + 637.333633378831)
            * abs(z_value) + 793.826512519948) * abs(z_value) + 440.413735824752)
    ELSE
        1 / ((abs(z_value) + 1 / (abs(z_value) + 2 / (abs(z_value) + 3 / (abs(z_value) + 4 / (abs(z_value) + 0.65)))))
            * 2.506628274631)
    END;
COMMENT ON MACRO normal_cdf IS 'normal_cdf(z_value): the standard normal distribution function.';

-- Hill (1970), "Algorithm 395: Student's t-distribution", Communications of the ACM 13. Against the exact distribution
-- function the error is at most 0.0003, at two degrees of freedom, and below 0.00002 from three on.
CREATE MACRO student_as_normal(t_value, freedom) AS sign(t_value) * list_transform(
    [(freedom - 0.5) * ln(1 + t_value * t_value / freedom)],
    lambda y: sqrt(y) * (
        1 + (y + 3 + (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + 48 * (freedom - 0.5) * (freedom - 0.5)))
        / (48 * (freedom - 0.5) * (freedom - 0.5))
    )
)[1];
COMMENT ON MACRO student_as_normal IS 'student_as_normal(t_value, freedom): the z whose normal_cdf is Student''s distribution function at t, to 0.0003 for two degrees of freedom or more.';

CREATE MACRO opponents(league_name, a_name, b_name) AS TABLE
WITH asked AS (
    SELECT competitor_of(league_name, a_name) AS a_id, competitor_of(league_name, b_name) AS b_id
)
SELECT
    CASE
        WHEN a_id = b_id THEN error('"' || a_name || '" cannot play itself.')
        WHEN a.kind <> b.kind
            THEN error('"' || a_name || '" is a ' || a.kind || ' and "' || b_name || '" a ' || b.kind || ': only two of a kind meet.')
        WHEN a.kind = 'player' AND l.players_a_side > 1
            THEN error(
                'A side of league "' || league_name || '" has ' || round(l.players_a_side)::INTEGER
                || ' players, so that no two players meet alone. Their ratings are in leaderboard.'
            )
        ELSE a_id
    END AS a_id,
    b_id, l.outcome,
    coalesce(l.likelihood, error('The fit of league "' || league_name || '" does not name its likelihood: fit it again.')) AS likelihood
FROM asked
JOIN league AS l ON l.league = league_name
JOIN leaderboard AS a ON (a.league, a.competitor_id) = (league_name, a_id)
JOIN leaderboard AS b ON (b.league, b.competitor_id) = (league_name, b_id);
COMMENT ON MACRO TABLE opponents IS 'opponents(league_name, a_name, b_name): the ids of two competitors that can meet, and the outcome and likelihood of their league''s model; an error in words where they cannot.';

-- Linear predictors, draw by draw: where there are attack and defence, each side's attack against the other's defence;
-- else each side's total, whose difference counts. What a model lacks (home advantage, a parameter) is NULL or zero.
CREATE MACRO win_probability(league_name, a_name, b_name) AS TABLE
WITH pair AS MATERIALIZED (
    FROM opponents(league_name, a_name, b_name)
),
a AS MATERIALIZED (
    SELECT component, draws FROM rating_draw
    WHERE league = league_name AND competitor_id = (SELECT a_id FROM pair)
),
b AS MATERIALIZED (
    SELECT component, draws FROM rating_draw
    WHERE league = league_name AND competitor_id = (SELECT b_id FROM pair)
),
shared AS MATERIALIZED (
    SELECT parameter, draws FROM parameter_draw WHERE league = league_name
),
draw AS (
    SELECT
        unnest(draws) AS a_total,
        unnest((SELECT draws FROM b WHERE component = 'total')) AS b_total,
        unnest((SELECT draws FROM a WHERE component = 'attack')) AS a_attack,
        unnest((SELECT draws FROM a WHERE component = 'defence')) AS a_defence,
        unnest((SELECT draws FROM b WHERE component = 'attack')) AS b_attack,
        unnest((SELECT draws FROM b WHERE component = 'defence')) AS b_defence,
        unnest((SELECT draws FROM shared WHERE parameter = 'intercept')) AS intercept,
        unnest((SELECT draws FROM shared WHERE parameter = 'home')) AS home,
        unnest((SELECT draws FROM shared WHERE parameter = 'sigma')) AS sigma,
        unnest((SELECT draws FROM shared WHERE parameter = 'tails')) AS tails,
        unnest((SELECT draws FROM shared WHERE parameter = 'draw_width')) AS width,
        unnest((SELECT draws FROM shared WHERE parameter = 'overdispersion')) AS excess,
        unnest((SELECT draws FROM shared WHERE parameter = 'low_scores')) AS low
    FROM a WHERE component = 'total'
),
predictor AS (
    SELECT
        place, venue, sigma, tails, width, excess, low,
        (coalesce(intercept, 0) + a_home * coalesce(home, 0) + coalesce(a_attack - b_defence, a_total))::DOUBLE AS a_eta,
        (coalesce(intercept, 0) + b_home * coalesce(home, 0) + coalesce(b_attack - a_defence, b_total))::DOUBLE AS b_eta
    FROM draw
    JOIN (VALUES (1, 'a at home', 1, 0), (2, 'neutral', 0, 0), (3, 'b at home', 0, 1)) AS v(place, venue, a_home, b_home)
        ON home IS NOT NULL OR venue = 'neutral'
),
-- Counts of a few hundred are Normal to all digits that matter, and would be long sums.
means AS MATERIALIZED (
    SELECT
        p.* EXCLUDE (width), pair.outcome, pair.likelihood,
        likelihood IN ('poisson', 'negative_binomial', 'dixon_coles') AS has_counts,
        has_counts AND greatest(a_eta, b_eta) <= ln(300.0) AS is_count,
        CASE WHEN has_counts THEN exp(least(a_eta, ln(1e9))) WHEN outcome = 'score' THEN a_eta END AS a_mean,
        CASE WHEN has_counts THEN exp(least(b_eta, ln(1e9))) WHEN outcome = 'score' THEN b_eta END AS b_mean,
        sqrt(a_mean + b_mean + coalesce(excess, 0) * (a_mean * a_mean + b_mean * b_mean)) AS sd,
        CASE WHEN has_counts THEN 0.5 / sd WHEN outcome = 'result' THEN p.width ELSE 0 END AS width,
        CASE
            WHEN has_counts THEN (a_mean - b_mean) / sd
            WHEN likelihood = 'student' THEN student_as_normal((a_eta - b_eta) / sigma, 2 + tails)
            WHEN outcome = 'score' THEN (a_eta - b_eta) / (sqrt(2.0) * sigma)
            WHEN outcome = 'margin' THEN (a_eta - b_eta) / sigma
            ELSE a_eta - b_eta
        END AS z
    FROM predictor AS p CROSS JOIN pair
),
-- Goals to sum up to: enough for Poisson at the highest rate, and for the geometric tail of a negative binomial.
enough AS (
    SELECT ceil(max(
        12 + least(m, 9 * sqrt(m)) + m + CASE WHEN excess > 0 THEN 21 / ln(1 + 1 / (m * excess)) ELSE 0 END
    ))::INTEGER AS goals
    FROM (SELECT greatest(a_mean, b_mean) AS m, excess FROM means WHERE is_count)
),
summed AS (
    SELECT
        means.*,
        CASE WHEN is_count THEN score_chances(a_mean, b_mean, coalesce(excess, 0)::DOUBLE, enough.goals) END AS count,
        CASE
            WHEN is_count THEN NULL
            WHEN likelihood = 'logit' OR outcome = 'order' THEN {'win': logistic(z - width), 'loss': logistic(-z - width)}
            WHEN has_counts OR likelihood IN ('probit', 'normal', 'student')
                THEN {'win': normal_cdf(z - width), 'loss': normal_cdf(-z - width)}
            ELSE error('Chances of the likelihood "' || likelihood || '" are not known here.')
        END AS smooth
    FROM means CROSS JOIN enough
),
-- Dixon and Coles's correction of 1-0, 0-1, and of 0-0 and 1-1, at no change of the rest.
corrected AS (
    SELECT
        *, coalesce(low, 0) * exp(-a_mean - b_mean) * a_mean * b_mean AS moved,
        greatest(0, coalesce(smooth.win, count.win + coalesce(moved, 0))) AS win,
        greatest(0, coalesce(smooth.loss, 1 - count.win - count.draw + coalesce(moved, 0))) AS loss
    FROM summed
)
SELECT
    venue,
    avg(win) AS win, greatest(0, 1 - avg(win) - avg(loss)) AS draw, avg(loss) AS loss,
    quantile_cont(win, 0.05) AS win_q5, quantile_cont(win, 0.95) AS win_q95,
    avg(a_mean) AS a_expected, avg(b_mean) AS b_expected,
    CASE WHEN any_value(outcome) = 'margin' THEN avg(a_eta - b_eta) ELSE avg(a_mean - b_mean) END AS margin
FROM corrected
GROUP BY place, venue
ORDER BY place;
COMMENT ON MACRO TABLE win_probability IS 'win_probability(league_name, a_name, b_name): one row a venue (a at home, neutral, b at home; neutral alone where the model has no home advantage): the chance that a wins, draws or loses the next game against b, or in a race finishes ahead of b or behind, from the joint draws. Whatever else is rated beside the two (the driver''s car, the pitcher''s team) is taken as equal, and the noise as of the commonest game; effects that vary by season, surface and the like are left out. win_q5 and win_q95 are how far the ratings'' own uncertainty moves the chance of a win; a_expected and b_expected are mean scores and margin the mean of a''s less b''s, in goals or points of a full game, NULL where the model has none. Exact, but for Student margins: to 0.0003, and for scores of more than 300: to 0.001. Names or competitor_ids.';
