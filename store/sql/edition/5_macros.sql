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

-- Chances of more, as many and fewer goals than the other side: P(X > Y) and P(X = Y) for independent Poisson X and Y are
-- summed up goal by goal, each step from the one before: p(g) = p(g - 1) * rate / g. The first element of the list holds
-- g = 0 and the others only say which g is next; beyond `top` goals nothing is left.
CREATE MACRO score_chances(a_rate, b_rate, top) AS list_reduce(
    list_prepend(
        {
            'goals': 0.0::DOUBLE, 'a': exp(-a_rate), 'b': exp(-b_rate), 'below': exp(-b_rate),
            'win': 0.0::DOUBLE, 'draw': exp(-a_rate - b_rate)
        },
        [
            {
                'goals': g::DOUBLE, 'a': 0.0::DOUBLE, 'b': 0.0::DOUBLE, 'below': 0.0::DOUBLE,
                'win': 0.0::DOUBLE, 'draw': 0.0::DOUBLE
            }
            FOR g IN range(1, 1 + top)
        ]
    ),
    lambda so_far, next: {
        'goals': next.goals,
        'a': so_far.a * a_rate / next.goals,
        'b': so_far.b * b_rate / next.goals,
        'below': so_far.below + so_far.b * b_rate / next.goals,
        'win': so_far.win + so_far.a * a_rate / next.goals * so_far.below,
        'draw': so_far.draw + so_far.a * a_rate / next.goals * so_far.b * b_rate / next.goals
    }
);

CREATE MACRO win_probability(league_name, a_name, b_name) AS TABLE
WITH a AS MATERIALIZED (
    SELECT component, draws FROM rating_draw
    WHERE league = league_name AND competitor_id = (SELECT competitor_of(league_name, a_name))
),
b AS MATERIALIZED (
    SELECT component, draws FROM rating_draw
    WHERE league = league_name AND competitor_id = (
        SELECT CASE
            WHEN competitor_of(league_name, b_name) = competitor_of(league_name, a_name)
                THEN error('"' || a_name || '" cannot play itself.')
            ELSE competitor_of(league_name, b_name)
        END
    )
),
shared AS MATERIALIZED (
    SELECT parameter, draws FROM parameter_draw WHERE league = league_name
),
draw AS (
    SELECT
        unnest(i.draws) AS intercept,
        unnest(coalesce((SELECT draws FROM shared WHERE parameter = 'home'), [0.0 FOR x IN i.draws])) AS home,
        unnest((SELECT draws FROM a WHERE component = 'attack')) AS a_attack,
        unnest((SELECT draws FROM a WHERE component = 'defence')) AS a_defence,
        unnest((SELECT draws FROM b WHERE component = 'attack')) AS b_attack,
        unnest((SELECT draws FROM b WHERE component = 'defence')) AS b_defence
    FROM shared AS i WHERE i.parameter = 'intercept'
),
rate AS MATERIALIZED (
    SELECT
        v.place, v.venue,
        exp(draw.intercept + v.a_home * draw.home + draw.a_attack - draw.b_defence)::DOUBLE AS a_rate,
        exp(draw.intercept + v.b_home * draw.home + draw.b_attack - draw.a_defence)::DOUBLE AS b_rate
    FROM draw
    CROSS JOIN (VALUES (1, 'a at home', 1, 0), (2, 'neutral', 0, 0), (3, 'b at home', 0, 1))
        AS v(place, venue, a_home, b_home)
),
enough AS (
    SELECT least(150, 12 + 2 * max(greatest(a_rate, b_rate)))::INTEGER AS goals FROM rate
),
chance AS (
    SELECT place, venue, a_rate, b_rate, score_chances(a_rate, b_rate, enough.goals) AS p FROM rate CROSS JOIN enough
)
SELECT
    venue,
    avg(p.win) AS win, avg(p.draw) AS draw, 1 - avg(p.win) - avg(p.draw) AS loss,
    quantile_cont(p.win, 0.05) AS win_q5, quantile_cont(p.win, 0.95) AS win_q95,
    avg(a_rate) AS a_expected, avg(b_rate) AS b_expected
FROM chance
GROUP BY place, venue
ORDER BY place;
COMMENT ON MACRO score_chances IS 'score_chances(a_rate, b_rate, top): the struct whose win and draw are the chances that a Poisson count of mean a_rate exceeds, or equals, one of mean b_rate; exact for counts up to top.';
COMMENT ON MACRO TABLE win_probability IS 'win_probability(league_name, a_name, b_name): one row a venue (a at home, neutral, b at home): the chance that a wins, draws or loses the next game against b, from the joint draws; win_q5 and win_q95 are how far the ratings'' own uncertainty moves the chance of a win; a_expected and b_expected are mean scores. Names or competitor_ids.';
