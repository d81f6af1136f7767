-- Macros that readers call. Parameters end in _name or _id: a parameter called like a column would select every row.
-- In a client that ATTACHes an edition, say USE first: macros look their tables up in the current database.

CREATE MACRO competitor_of(league_name, competitor_name) AS (
    SELECT CASE count(*)
        WHEN 1 THEN max(competitor_id)
        WHEN 0 THEN error(
            'No rated competitor "' || competitor_name || '" in league "' || league_name || '".'
            || coalesce(' Did you mean "' || (
                SELECT arg_min(near.name, levenshtein(lower(near.name), lower(competitor_name)))
                FROM leaderboard AS near WHERE near.league = league_name
            ) || '"?', ' See: FROM league')
        )
        ELSE error('More than one competitor is called "' || competitor_name || '": use its competitor_id.')
    END
    FROM leaderboard
    WHERE league = league_name AND (name = competitor_name OR competitor_id = competitor_name)
);
COMMENT ON MACRO competitor_of IS 'competitor_of(league_name, competitor_name): the competitor_id of a rated competitor given by name or id; an error that names the nearest where there is none.';

CREATE MACRO win_probability(league_name, a_name, b_name) AS TABLE
WITH pair AS (
    SELECT competitor_of(league_name, a_name) AS a_id, competitor_of(league_name, b_name) AS b_id
),
part AS (
    SELECT d.competitor_id, d.component, d.draws FROM rating_draw AS d WHERE d.league = league_name
),
draw AS (
    SELECT
        unnest(range(len(i.draws))) AS k,
        unnest(i.draws) AS intercept,
        unnest(coalesce(h.draws, [0.0 FOR x IN i.draws])) AS home,
        unnest(a_for.draws) AS a_attack, unnest(a_against.draws) AS a_defence,
        unnest(b_for.draws) AS b_attack, unnest(b_against.draws) AS b_defence
    FROM pair
    JOIN part AS a_for ON (a_for.competitor_id, a_for.component) = (pair.a_id, 'attack')
    JOIN part AS a_against ON (a_against.competitor_id, a_against.component) = (pair.a_id, 'defence')
    JOIN part AS b_for ON (b_for.competitor_id, b_for.component) = (pair.b_id, 'attack')
    JOIN part AS b_against ON (b_against.competitor_id, b_against.component) = (pair.b_id, 'defence')
    JOIN parameter_draw AS i ON (i.league, i.parameter) = (league_name, 'intercept')
    LEFT JOIN parameter_draw AS h ON (h.league, h.parameter) = (league_name, 'home')
),
rate AS (
    SELECT
        v.place, v.venue, draw.k,
        draw.intercept + v.a_home * draw.home + draw.a_attack - draw.b_defence AS a_log, exp(a_log) AS a_rate,
        draw.intercept + v.b_home * draw.home + draw.b_attack - draw.a_defence AS b_log, exp(b_log) AS b_rate
    FROM draw
    CROSS JOIN (VALUES (1, 'a at home', 1, 0), (2, 'neutral', 0, 0), (3, 'b at home', 0, 1))
        AS v(place, venue, a_home, b_home)
),
grid AS (
    SELECT goals, lgamma(goals + 1) AS log_factorial
    FROM (SELECT unnest(range(13 + (SELECT least(150, 2 * max(greatest(a_rate, b_rate))) FROM rate)::BIGINT)) AS goals)
),
chance AS (
    SELECT
        r.place, r.venue, r.k, r.a_rate, r.b_rate,
        exp(g.goals * r.a_log - r.a_rate - g.log_factorial) AS p_a,
        exp(g.goals * r.b_log - r.b_rate - g.log_factorial) AS p_b,
        sum(p_b) OVER (PARTITION BY r.place, r.k ORDER BY g.goals) - p_b AS b_below
    FROM rate AS r CROSS JOIN grid AS g
),
outcome AS (
    SELECT place, venue, a_rate, b_rate, sum(p_a * b_below) AS win, sum(p_a * p_b) AS draw
    FROM chance GROUP BY place, venue, k, a_rate, b_rate
)
SELECT
    venue,
    avg(win) AS win, avg(draw) AS draw, 1 - avg(win) - avg(draw) AS loss,
    quantile_cont(win, 0.05) AS win_q5, quantile_cont(win, 0.95) AS win_q95,
    avg(a_rate) AS a_expected, avg(b_rate) AS b_expected
FROM outcome
GROUP BY place, venue
ORDER BY place;
COMMENT ON MACRO TABLE win_probability IS 'win_probability(league_name, a_name, b_name): one row a venue (a at home, neutral, b at home): the chance that a wins, draws or loses the next game against b, from the joint draws; win_q5 and win_q95 are how far the ratings'' own uncertainty moves the chance of a win; a_expected and b_expected are mean scores. Names or competitor_ids.';
