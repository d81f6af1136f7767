-- Macros of the next game between two competitors, from the joint posterior draws. All stand on game_draw.

-- Linear predictors, draw by draw: where there are attack and defence, each side's attack against the other's defence;
-- else each side's total, whose difference counts. What a model lacks (home advantage, a parameter) is NULL or zero.
-- Each step is a query of its own: an expression that is named and used again in one SELECT is planned as often as used.
CREATE MACRO expected_draw(league_name, a_name, b_name) AS TABLE
WITH pair AS MATERIALIZED (
    SELECT
        a_id, b_id, outcome, likelihood, league AS asked_league,
        likelihood IN ('poisson', 'negative_binomial', 'dixon_coles') AS has_counts
    FROM opponents(league_name, a_name, b_name)
),
-- Draws are looked up by competitor alone, and those of the league chosen afterwards: only so does DuckDB use the index.
part AS (
    SELECT 'a_' || component AS part, draws::DOUBLE[] AS draws, league = asked_league AS is_own
    FROM pair JOIN rating_draw ON competitor_id = a_id
    UNION ALL
    SELECT 'b_' || component, draws::DOUBLE[], league = asked_league FROM pair JOIN rating_draw ON competitor_id = b_id
    UNION ALL
    SELECT parameter, draws::DOUBLE[], true FROM pair JOIN parameter_draw ON league = asked_league
),
gathered AS (
    SELECT list(part) FILTER (is_own) AS parts, list(draws) FILTER (is_own) AS arrays FROM part
),
draw AS (
    SELECT
        generate_subscripts(arrays[list_position(parts, 'a_total')], 1) AS number,
        unnest(arrays[list_position(parts, 'a_total')]) AS a_total,
        unnest(arrays[list_position(parts, 'b_total')]) AS b_total,
        unnest(arrays[list_position(parts, 'a_attack')]) AS a_attack,
        unnest(arrays[list_position(parts, 'a_defence')]) AS a_defence,
        unnest(arrays[list_position(parts, 'b_attack')]) AS b_attack,
        unnest(arrays[list_position(parts, 'b_defence')]) AS b_defence,
        unnest(arrays[list_position(parts, 'intercept')]) AS intercept,
        unnest(arrays[list_position(parts, 'home')]) AS home,
        unnest(arrays[list_position(parts, 'sigma')]) AS sigma,
        unnest(arrays[list_position(parts, 'tails')]) AS tails,
        unnest(arrays[list_position(parts, 'draw_width')]) AS width,
        unnest(arrays[list_position(parts, 'overdispersion')]) AS excess,
        unnest(arrays[list_position(parts, 'low_scores')]) AS low
    FROM gathered
),
placed AS (
    SELECT *, unnest(CASE WHEN home IS NULL THEN [2] ELSE [1, 2, 3] END) AS place FROM draw
),
predictor AS (
    SELECT
        number, place, a_total > b_total AS is_better, sigma, 2 + tails AS freedom, width, low,
        coalesce(excess, 0) AS excess, outcome, likelihood, has_counts,
        coalesce(intercept, 0) + CASE WHEN place = 1 THEN home ELSE 0 END + coalesce(a_attack - b_defence, a_total) AS a_eta,
        coalesce(intercept, 0) + CASE WHEN place = 3 THEN home ELSE 0 END + coalesce(b_attack - a_defence, b_total) AS b_eta
    FROM pair, placed
),
mean AS (
    SELECT
        *,
        CASE WHEN has_counts THEN exp(least(a_eta, 20)) WHEN outcome = 'score' THEN a_eta END AS a_expected,
        CASE WHEN has_counts THEN exp(least(b_eta, 20)) WHEN outcome = 'score' THEN b_eta END AS b_expected
    FROM predictor
)
-- Counts of a few hundred are Normal to all digits that matter, and would be long sums.
SELECT
    place, CASE place WHEN 1 THEN 'a at home' WHEN 2 THEN 'neutral' ELSE 'b at home' END AS venue, number, is_better,
    a_eta - b_eta AS advantage, a_expected, b_expected,
    CASE WHEN outcome = 'margin' THEN a_eta - b_eta ELSE a_expected - b_expected END AS margin,
    CASE
        WHEN has_counts THEN sqrt(a_expected + b_expected + excess * (a_expected * a_expected + b_expected * b_expected))
        WHEN outcome = 'score' THEN sqrt(2.0) * sigma
        WHEN outcome = 'margin' THEN sigma
    END AS margin_sd,
    freedom, width, excess, has_counts, has_counts AND greatest(a_expected, b_expected) <= 300 AS is_count,
    coalesce(low * exp(-a_expected - b_expected) * a_expected * b_expected, 0) AS moved, outcome, likelihood
FROM mean;
COMMENT ON MACRO TABLE expected_draw IS 'expected_draw(league_name, a_name, b_name): what the chances of the next game are made of, one row a venue (place 1 a at home, 2 neutral, 3 b at home; neutral alone where the model has no home advantage) and joint draw (number): is_better, whether a is rated above b in it; advantage, a''s linear predictor less b''s; the mean scores and their difference, NULL where the model has none; standard deviation and degrees of freedom of the margin. Example: SELECT venue, avg(a_expected) FROM expected_draw(''demo_football'', ''Halvermoor'', ''Jarrowmont'') GROUP BY venue ORDER BY venue';

-- Of two counts with characteristic functions f and g, f(t) g(-t) is that of their difference D. Summed over the angles
-- t = pi (j - 1/2) / M, j = 1 ... M, its real part is M P(D = 0), and its imaginary part times cot(t / 2) is
-- M (P(D > 0) - P(D < 0)), but for what lies at |D| >= 2 M: the trapezoidal rule of Abate and Whitt (1992), "The
-- Fourier-series method for inverting transforms of probability distributions", Queueing Systems 10, with angles that lie
-- halfway between its own. Dixon and Coles's correction of 1-0, 0-1, 0-0 and 1-1 moves as much to a win, and to a loss, as
-- it takes from a draw.
CREATE MACRO game_draw(league_name, a_name, b_name) AS TABLE
WITH drawn AS (
    FROM expected_draw(league_name, a_name, b_name)
),
angle AS (
    SELECT difference_angles(ceil(max(difference_reach(a_expected, b_expected, margin_sd, excess)) / 2)::INTEGER) AS angles
    FROM drawn
    WHERE is_count
),
standardised AS (
    SELECT
        *,
        CASE
            WHEN NOT is_count THEN NULL
            WHEN excess > 0 THEN [binomial_wave(a_expected, b_expected, excess, t.less, t.sine) FOR t IN angles]
            ELSE [poisson_wave(a_expected, b_expected, t.less, t.sine) FOR t IN angles]
        END AS waves,
        CASE WHEN has_counts THEN 0.5 / margin_sd WHEN outcome = 'result' THEN width ELSE 0 END AS half_width,
        CASE
            WHEN likelihood = 'student' THEN student_as_normal(margin / margin_sd, freedom)
            ELSE coalesce(margin / margin_sd, advantage)
        END AS z
    FROM drawn CROSS JOIN angle
),
summed AS (
    SELECT
        *, list_avg([w.size * cos(w.phase) FOR w IN waves]) AS level,
        list_avg([w.size * sin(w.phase) / tan(angles[i].angle / 2) FOR w, i IN waves]) AS lead,
        CASE WHEN NOT is_count THEN list_transform([z - half_width, -z - half_width], lambda u: CASE
            WHEN likelihood = 'logit' OR outcome = 'order' THEN logistic(u)
            WHEN has_counts OR likelihood IN ('probit', 'normal', 'student') THEN normal_cdf(u)
            ELSE error('Chances of the likelihood "' || likelihood || '" are not known here.')
        END) END AS smooth
    FROM standardised
),
chance AS (
    SELECT
        *, greatest(0, CASE WHEN is_count THEN (1 - level + lead) / 2 + moved ELSE smooth[1] END) AS win,
        greatest(0, CASE WHEN is_count THEN level - 2 * moved WHEN half_width > 0 THEN 1 - smooth[1] - smooth[2] ELSE 0 END) AS draw
    FROM summed
)
SELECT
    place, venue, number, is_better, win, draw, greatest(0, 1 - win - draw) AS loss, a_expected, b_expected, margin,
    margin_sd, freedom, excess, moved, is_count, outcome, likelihood
FROM chance;
COMMENT ON MACRO TABLE game_draw IS 'game_draw(league_name, a_name, b_name): one row a venue (place 1 a at home, 2 neutral, 3 b at home; neutral alone where the model has no home advantage) and joint draw (number): is_better, whether a is rated above b in it; the chances that a wins, draws or loses the next game; the mean scores and their difference, NULL where the model has none. Example: SELECT venue, avg(win) FROM game_draw(''demo_football'', ''Halvermoor'', ''Jarrowmont'') GROUP BY venue ORDER BY venue';

CREATE MACRO win_probability(league_name, a_name, b_name) AS TABLE
SELECT
    venue, avg(win) AS win, avg(draw) AS draw, avg(loss) AS loss,
    quantile_cont(win, 0.05) AS win_q5, quantile_cont(win, 0.95) AS win_q95,
    avg(a_expected) AS a_expected, avg(b_expected) AS b_expected, avg(margin) AS margin
FROM game_draw(league_name, a_name, b_name)
GROUP BY place, venue
ORDER BY place;
COMMENT ON MACRO TABLE win_probability IS 'win_probability(league_name, a_name, b_name): one row a venue (a at home, neutral, b at home; neutral alone where the model has no home advantage): the chance that a wins, draws or loses the next game against b, or in a race finishes ahead of b or behind, from the joint draws. Whatever else is rated beside the two (the driver''s car, the pitcher''s team) is taken as equal, and the noise as of the commonest game; effects that vary by season, surface and the like are left out. win_q5 and win_q95 are how far the ratings'' own uncertainty moves the chance of a win; a_expected and b_expected are mean scores and margin the mean of a''s less b''s, in goals or points of a full game, NULL where the model has none. Exact, but for Student margins: to 0.0003, and for scores of more than 300: to 0.001. Names or competitor_ids. Example: FROM win_probability(''demo_football'', ''Halvermoor'', ''Jarrowmont'')';

CREATE MACRO expected_score(league_name, a_name, b_name) AS TABLE
SELECT
    venue, avg(a_expected) AS a_expected, quantile_cont(a_expected, 0.05) AS a_q5, quantile_cont(a_expected, 0.95) AS a_q95,
    avg(b_expected) AS b_expected, quantile_cont(b_expected, 0.05) AS b_q5, quantile_cont(b_expected, 0.95) AS b_q95,
    coalesce(avg(margin), error('League "' || league_name || '" has no scores or margins to expect: ask win_probability.')) AS margin,
    quantile_cont(margin, 0.05) AS margin_q5, quantile_cont(margin, 0.95) AS margin_q95
FROM expected_draw(league_name, a_name, b_name)
GROUP BY place, venue
ORDER BY place;
COMMENT ON MACRO TABLE expected_score IS 'expected_score(league_name, a_name, b_name): one row a venue, as win_probability: the mean scores of the next game and the mean margin of a over b, in goals or points of a full game, each with the 90 % interval (q5, q95) that the ratings'' uncertainty leaves it; NULL scores where the model is of margins alone, an error where it is of neither. Example: FROM expected_score(''demo_football'', ''Halvermoor'', ''Jarrowmont'')';

-- Draws stand in one list a venue, so that what is made of them keeps their order, and each cell of a matrix of scores is one
-- product of two lists.
CREATE MACRO count_draw(league_name, a_name, b_name) AS TABLE
WITH drawn AS (
    SELECT
        place, venue, is_count, moved, {
            'excess': excess,
            'a_slope': log_slope(a_expected, excess), 'a_start': log_start(a_expected, excess),
            'b_slope': log_slope(b_expected, excess), 'b_start': log_start(b_expected, excess)
        } AS law,
        higher + CASE WHEN excess > 0 THEN 12 ELSE 5 END * sqrt(higher + excess * higher * higher) AS reach
    FROM (SELECT *, greatest(a_expected, b_expected) AS higher FROM expected_draw(league_name, a_name, b_name))
),
gathered AS (
    SELECT
        place, venue, bool_and(is_count) AS is_counted, avg(moved) AS moved, list(law) AS laws,
        unnest(CASE WHEN bool_and(is_count) THEN range(0, 5 + ceil(max(reach))::INTEGER) ELSE [NULL] END) AS goals
    FROM drawn
    GROUP BY place, venue
)
SELECT
    place, venue, goals,
    CASE WHEN is_counted THEN
        [count_chance(goals, log_factorial, d.a_slope, d.a_start, d.excess) FOR d IN laws]
    END AS a_chances,
    CASE WHEN is_counted THEN
        [count_chance(goals, log_factorial, d.b_slope, d.b_start, d.excess) FOR d IN laws]
    END AS b_chances,
    CASE WHEN is_counted THEN moved END AS moved
FROM (SELECT *, lgamma(goals + 1) AS log_factorial FROM gathered);
COMMENT ON MACRO TABLE count_draw IS 'count_draw(league_name, a_name, b_name): what score_matrix stands on: where scores are small counts, one row a venue and number of goals, with the chance in each joint draw that a scores so many, and that b does, and what low scores are corrected by; else one row a venue that names no goals. Example: SELECT venue, goals, list_avg(a_chances) FROM count_draw(''demo_football'', ''Halvermoor'', ''Jarrowmont'') ORDER BY ALL LIMIT 5';

CREATE MACRO score_chance(a_goals, b_goals, a_chances, b_chances, moved) AS
    list_dot_product(a_chances, b_chances) / len(a_chances)
    + CASE WHEN a_goals > 1 OR b_goals > 1 THEN 0 WHEN a_goals = b_goals THEN -moved ELSE moved END;
COMMENT ON MACRO score_chance IS 'score_chance(a_goals, b_goals, a_chances, b_chances, moved): the chance of a score, given the chances of both counts in each joint draw and what Dixon and Coles''s correction moves. Example: SELECT score_chance(2, 1, [0.2, 0.3], [0.4, 0.3], 0)';

CREATE MACRO score_matrix(league_name, a_name, b_name, must_count) AS TABLE
WITH each AS MATERIALIZED (
    FROM count_draw(league_name, a_name, b_name)
    WHERE CASE
        WHEN goals IS NOT NULL THEN true
        WHEN must_count THEN error('Scores of league "' || league_name || '" are not small counts: ask expected_score.')
        ELSE false
    END
)
SELECT
    place, a.venue, a.goals AS a_score, b.goals AS b_score,
    score_chance(a.goals, b.goals, a.a_chances, b.b_chances, a.moved) AS probability
FROM each AS a JOIN each AS b USING (place);
COMMENT ON MACRO TABLE score_matrix IS 'score_matrix(league_name, a_name, b_name, must_count): one row a venue and score of the next game, the least likely too, where scores are counts; else no row, or an error where must_count. Example: FROM score_matrix(''demo_football'', ''Halvermoor'', ''Jarrowmont'', true) ORDER BY ALL LIMIT 5';

CREATE MACRO score_probability(league_name, a_name, b_name) AS TABLE
SELECT venue, a_score, b_score, probability FROM score_matrix(league_name, a_name, b_name, true)
WHERE probability >= 0.0001
ORDER BY place, probability DESC;
COMMENT ON MACRO TABLE score_probability IS 'score_probability(league_name, a_name, b_name): one row a venue and score of the next game, where scores are counts: its chance, the likeliest score first; chances below 0.0001 are left out. Example: FROM score_probability(''demo_football'', ''Halvermoor'', ''Jarrowmont'') WHERE venue = ''neutral'' LIMIT 5';

-- Of counts the least margin that is reached with the probability, of the chances of every difference: what game_draw's
-- angles give from the mean of the draws' waves, as many of them as there may be goals between the two. Else quantiles of a
-- mixture of the draws' distributions, by Newton's steps from those of a normal distribution of the same mean and variance:
-- six leave less than a millionth of a standard deviation. The steps go along a list: DuckDB 2.0 takes no recursive query
-- beside a table.
CREATE MACRO margin_quantile(league_name, a_name, b_name) AS TABLE
WITH drawn AS MATERIALIZED (
    SELECT
        place, venue, bool_and(is_count) AS is_counted, max(excess) > 0 AS has_excess, avg(moved) AS moved, avg(margin) AS mean,
        sqrt(var_pop(margin) + avg(margin_sd * margin_sd)) AS sd,
        list({'mean': margin, 'sd': margin_sd, 'freedom': freedom, 'a': a_expected, 'b': b_expected, 'excess': excess}) AS draws,
        max(ceil(difference_reach(a_expected, b_expected, margin_sd, excess)))::INTEGER AS reach
    FROM expected_draw(league_name, a_name, b_name)
    GROUP BY place, venue
),
wanted AS (
    FROM (VALUES (0.05, -1.645), (0.25, -0.6745), (0.5, 0), (0.75, 0.6745), (0.95, 1.645)) AS v(level, z)
),
waves AS (
    SELECT
        place, venue, moved, reach, t.angle AS angle,
        CASE
            WHEN has_excess THEN [binomial_wave(d.a, d.b, d.excess, t.less, t.sine) FOR d IN draws]
            ELSE [poisson_wave(d.a, d.b, t.less, t.sine) FOR d IN draws]
        END AS waves
    FROM (SELECT *, unnest(difference_angles(reach)) AS t FROM drawn WHERE is_counted)
),
wave AS (
    SELECT
        * EXCLUDE (waves), list_avg([w.size * cos(w.phase) FOR w IN waves]) AS even, list_avg([w.size * sin(w.phase) FOR w IN waves]) AS odd
    FROM waves
),
difference AS (
    SELECT *, unnest(range(1 - reach, reach)) AS margin FROM wave
),
chance AS (
    SELECT
        place, venue, margin,
        avg(even * cos(angle * margin) + odd * sin(angle * margin))
        + max(CASE WHEN margin = 0 THEN -2 * moved WHEN abs(margin) = 1 THEN moved ELSE 0 END) AS chance
    FROM difference
    GROUP BY place, venue, margin
),
counted AS (
    SELECT place, venue, margin, sum(chance) OVER (PARTITION BY place ORDER BY margin) AS below FROM chance
),
found AS (
    SELECT
        place, venue, level,
        list_reduce(
            list_prepend(mean + z * sd, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]::DOUBLE[]),
            lambda reached, step: reached
                - (list_avg([margin_chance((reached - d.mean) / d.sd, d.freedom) FOR d IN draws]) - level)
                / list_avg([margin_density((reached - d.mean) / d.sd, d.freedom) / d.sd FOR d IN draws])
        ) AS margin
    FROM drawn, wanted
    WHERE CASE
        WHEN sd IS NULL THEN error('Games of this league have no scores or margins to expect: ask win_probability.')
        ELSE NOT is_counted
    END
    UNION ALL
    SELECT place, venue, level, min(margin) FROM counted JOIN wanted ON below >= level GROUP BY place, venue, level
)
SELECT venue, level::DOUBLE AS level, margin FROM found ORDER BY place, level;
COMMENT ON MACRO TABLE margin_quantile IS 'margin_quantile(league_name, a_name, b_name): one row a venue and level (0.05, 0.25, 0.5, 0.75, 0.95): with that probability a''s margin over b in the next game stays below this, or where scores are small counts is no larger: the ratings'' uncertainty and the game''s own chance together, in goals or points; an error where the model has no scores. Example: FROM margin_quantile(''demo_football'', ''Halvermoor'', ''Jarrowmont'')';

CREATE MACRO head_to_head(league_name, a_name, b_name) AS TABLE
SELECT
    venue, avg(is_better::INTEGER) AS skill, avg(win) AS win, avg(draw) AS draw, avg(loss) AS loss,
    quantile_cont(win, 0.05) AS win_q5, quantile_cont(win, 0.95) AS win_q95,
    avg(a_expected) AS a_expected, avg(b_expected) AS b_expected, avg(margin) AS margin
FROM game_draw(league_name, a_name, b_name)
GROUP BY place, venue
ORDER BY place;
COMMENT ON MACRO TABLE head_to_head IS 'head_to_head(league_name, a_name, b_name): as win_probability, with skill beside it: the probability that a is truly rated above b, whatever chance brings in one game. For the next game''s scores see score_probability, for its margin margin_quantile. Example: FROM head_to_head(''demo_football'', ''Halvermoor'', ''Jarrowmont'')';
