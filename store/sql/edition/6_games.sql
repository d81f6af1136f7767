-- Macros of the next game between two competitors, from the joint posterior draws. All stand on game_draw.

-- Linear predictors, draw by draw: where there are attack and defence, each side's attack against the other's defence;
-- else each side's total, whose difference counts. What a model lacks (home advantage, a parameter) is NULL or zero.
-- Each step is a query of its own: an expression that is named and used again in one SELECT is planned as often as used.
CREATE MACRO game_draw(league_name, a_name, b_name) AS TABLE
WITH pair AS MATERIALIZED (
    SELECT a_id, b_id, outcome, likelihood, league AS asked_league FROM opponents(league_name, a_name, b_name)
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
        coalesce(excess, 0) AS excess, outcome, likelihood,
        likelihood IN ('poisson', 'negative_binomial', 'dixon_coles') AS has_counts,
        (coalesce(intercept, 0) + CASE WHEN place = 1 THEN home ELSE 0 END + coalesce(a_attack - b_defence, a_total)) AS a_eta,
        (coalesce(intercept, 0) + CASE WHEN place = 3 THEN home ELSE 0 END + coalesce(b_attack - a_defence, b_total)) AS b_eta
    FROM pair, placed
),
mean AS (
    SELECT
        *,
        CASE WHEN has_counts THEN exp(least(a_eta, 20)) WHEN outcome = 'score' THEN a_eta END AS a_mean,
        CASE WHEN has_counts THEN exp(least(b_eta, 20)) WHEN outcome = 'score' THEN b_eta END AS b_mean
    FROM predictor
),
-- Counts of a few hundred are Normal to all digits that matter, and would be long sums.
spread AS (
    SELECT
        *, has_counts AND greatest(a_mean, b_mean) <= 300 AS is_count,
        CASE
            WHEN has_counts THEN sqrt(a_mean + b_mean + excess * (a_mean * a_mean + b_mean * b_mean))
            WHEN outcome = 'score' THEN sqrt(2.0) * sigma
            WHEN outcome = 'margin' THEN sigma
        END AS sd,
        CASE WHEN outcome = 'margin' THEN a_eta - b_eta ELSE a_mean - b_mean END AS margin
    FROM mean
),
-- Counts to sum up to: beyond them lies less than 2e-10 of Poisson at the higher rate, and of a negative binomial's geometric tail.
reach AS (
    SELECT
        *,
        CASE WHEN is_count THEN
            (5 + 7 * sqrt(higher) + higher + CASE WHEN excess > 0 THEN 21 / ln(1 + 1 / (higher * excess)) ELSE 0 END)::INTEGER
        END AS reach
    FROM (SELECT *, greatest(a_mean, b_mean) AS higher FROM spread)
),
enough AS (
    SELECT [{'goals': g, 'log_weight': -lgamma(g + 1)} FOR g IN range(0, max(reach))] AS steps FROM reach
),
standardised AS (
    SELECT
        reach.*,
        CASE
            WHEN excess > 0
                THEN [{'goals': s.goals, 'log_weight': s.log_weight + log_excess(s.goals, excess)} FOR s IN steps[:reach]]
            ELSE steps[:reach]
        END AS steps,
        CASE WHEN has_counts THEN 0.5 / sd WHEN outcome = 'result' THEN width ELSE 0 END AS half_width,
        CASE WHEN likelihood = 'student' THEN student_as_normal(margin / sd, freedom) ELSE coalesce(margin / sd, a_eta - b_eta) END AS z,
        log_start(a_mean, excess) AS a_start, log_start(b_mean, excess) AS b_start,
        CASE WHEN is_count THEN log_slope(a_mean, excess) END AS a_slope,
        CASE WHEN is_count THEN log_slope(b_mean, excess) END AS b_slope
    FROM reach CROSS JOIN enough
),
summed AS (
    SELECT
        *,
        CASE WHEN is_count THEN [
            {
                'a': exp(s.goals * a_slope - a_start + s.log_weight),
                'b': exp(s.goals * b_slope - b_start + s.log_weight)
            }
            FOR s IN steps
        ] END AS count,
        CASE WHEN NOT is_count THEN list_transform([z - half_width, -z - half_width], lambda u: CASE
            WHEN likelihood = 'logit' OR outcome = 'order' THEN logistic(u)
            WHEN has_counts OR likelihood IN ('probit', 'normal', 'student') THEN normal_cdf(u)
            ELSE error('Chances of the likelihood "' || likelihood || '" are not known here.')
        END) END AS smooth,
        coalesce(low * exp(-a_mean - b_mean) * a_mean * b_mean, 0) AS moved
    FROM standardised
),
-- P(X > Y) is the sum over g of P(X = g) P(Y < g), the last being summed along. Dixon and Coles's correction of 1-0, 0-1, 0-0
-- and 1-1 moves as much to a win, and to a loss, as it takes from a draw.
chance AS (
    SELECT
        *,
        greatest(0, CASE WHEN is_count THEN moved + list_reduce(
            list_prepend({'a': 0.0::DOUBLE, 'b': 0.0::DOUBLE}, count),
            lambda so_far, next: {'a': so_far.a + next.a * so_far.b, 'b': so_far.b + next.b}
        ).a ELSE smooth[1] END) AS win,
        greatest(0, CASE WHEN is_count THEN list_sum([s.a * s.b FOR s IN count]) - 2 * moved ELSE 1 - smooth[1] - smooth[2] END) AS draw
    FROM summed
)
SELECT
    place, CASE place WHEN 1 THEN 'a at home' WHEN 2 THEN 'neutral' ELSE 'b at home' END AS venue, number, is_better,
    win, draw, greatest(0, 1 - win - draw) AS loss, a_mean AS a_expected, b_mean AS b_expected, margin, sd AS margin_sd, freedom, excess, moved,
    is_count, outcome, likelihood
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
FROM game_draw(league_name, a_name, b_name)
GROUP BY place, venue
ORDER BY place;
COMMENT ON MACRO TABLE expected_score IS 'expected_score(league_name, a_name, b_name): one row a venue, as win_probability: the mean scores of the next game and the mean margin of a over b, in goals or points of a full game, each with the 90 % interval (q5, q95) that the ratings'' uncertainty leaves it; NULL scores where the model is of margins alone, an error where it is of neither. Example: FROM expected_score(''demo_football'', ''Halvermoor'', ''Jarrowmont'')';

-- Draws stand in one list a venue, so that what is made of them keeps their order, and each cell of a matrix of scores is one
-- product of two lists.
CREATE MACRO count_draw(league_name, a_name, b_name) AS TABLE
WITH drawn AS (
    SELECT
        place, venue, coalesce(is_count, false) AS is_counted, moved,
        {'mean': margin, 'sd': margin_sd, 'freedom': freedom} AS margin,
        CASE WHEN is_count THEN {
            'excess': excess,
            'a_slope': log_slope(a_expected, excess), 'a_start': log_start(a_expected, excess),
            'b_slope': log_slope(b_expected, excess), 'b_start': log_start(b_expected, excess)
        } END AS law,
        CASE WHEN is_count THEN
            higher + CASE WHEN excess > 0 THEN 12 ELSE 5 END * sqrt(higher + excess * higher * higher)
        END AS reach
    FROM (SELECT *, greatest(a_expected, b_expected) AS higher FROM game_draw(league_name, a_name, b_name))
),
gathered AS (
    SELECT
        place, venue, is_counted, avg(moved) AS moved, list(margin) AS margins, list(law) AS laws,
        unnest(CASE WHEN is_counted THEN range(0, 5 + ceil(max(reach))::INTEGER) ELSE [NULL] END) AS goals
    FROM drawn
    GROUP BY place, venue, is_counted
)
SELECT
    place, venue, goals,
    CASE WHEN is_counted THEN
        [count_chance(goals, log_factorial, d.a_slope, d.a_start, d.excess) FOR d IN laws]
    END AS a_chances,
    CASE WHEN is_counted THEN
        [count_chance(goals, log_factorial, d.b_slope, d.b_start, d.excess) FOR d IN laws]
    END AS b_chances,
    CASE WHEN is_counted THEN moved END AS moved,
    CASE WHEN NOT is_counted THEN margins END AS margins
FROM (SELECT *, lgamma(goals + 1) AS log_factorial FROM gathered);
COMMENT ON MACRO TABLE count_draw IS 'count_draw(league_name, a_name, b_name): what score_matrix and margin_quantile stand on: where scores are small counts, one row a venue and number of goals, with the chance in each joint draw that a scores so many, and that b does, and what low scores are corrected by; else one row a venue with the mean, standard deviation and degrees of freedom of the margin in each draw. Example: SELECT venue, goals, list_avg(a_chances) FROM count_draw(''demo_football'', ''Halvermoor'', ''Jarrowmont'') ORDER BY ALL LIMIT 5';

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

-- Of counts the least margin that is reached with the probability. Else quantiles of a mixture of the draws' distributions, by
-- Newton's steps from those of a normal distribution of the same mean and variance: six leave less than a millionth of a
-- standard deviation. The steps go along a list: DuckDB 2.0 takes no recursive query beside a table.
CREATE MACRO margin_quantile(league_name, a_name, b_name) AS TABLE
WITH each AS MATERIALIZED (
    FROM count_draw(league_name, a_name, b_name)
),
wanted AS (
    FROM (VALUES (0.05, -1.645), (0.25, -0.6745), (0.5, 0), (0.75, 0.6745), (0.95, 1.645)) AS v(level, z)
),
counted AS (
    SELECT
        place, a.venue, a.goals - b.goals AS margin,
        sum(sum(score_chance(a.goals, b.goals, a.a_chances, b.b_chances, a.moved))) OVER (PARTITION BY place ORDER BY margin) AS below
    FROM each AS a JOIN each AS b USING (place)
    WHERE a.goals IS NOT NULL AND b.goals IS NOT NULL
    GROUP BY place, a.venue, margin
),
smooth AS (
    SELECT
        place, venue, margins, list_avg([d.mean FOR d IN margins]) AS mean,
        coalesce(
            sqrt(list_aggregate([d.mean FOR d IN margins], 'var_pop') + list_avg([d.sd * d.sd FOR d IN margins])),
            error('Games of this league have no scores or margins to expect: ask win_probability.')
        ) AS sd
    FROM each
    WHERE goals IS NULL
),
found AS (
    SELECT
        place, venue, level,
        list_reduce(
            list_prepend(mean + z * sd, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]::DOUBLE[]),
            lambda reached, step: reached
                - (list_avg([margin_chance((reached - d.mean) / d.sd, d.freedom) FOR d IN margins]) - level)
                / list_avg([margin_density((reached - d.mean) / d.sd, d.freedom) / d.sd FOR d IN margins])
        ) AS margin
    FROM smooth, wanted
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
