-- The games of one competitor, the newest first, a contest a row, beside what today's ratings would have expected: the
-- margin, or where there are no points the chance to win with half a draw counted, from the joint draws as win_probability
-- has it. surprise is in standard deviations of one game. Compared are games that the fit used; where ratings walk, those
-- of the last year.
WITH own AS MATERIALIZED (
    SELECT game_id, side, kind, played_on
    FROM competitor_game
    WHERE league = $league AND competitor_id = $competitor
    ORDER BY played_on DESC, game_id
    LIMIT 4000
),
entry AS (
    SELECT o.kind, o.side, g.*, unnest(g.sides) AS s
    FROM own AS o JOIN game AS g ON g.league = $league AND g.played_on = o.played_on AND g.game_id = o.game_id
),
contest AS (
    SELECT
        contest_id, any_value(kind) AS kind, min(game_id) AS game_id, played_on, any_value(season) AS season,
        any_value(round) AS round, any_value(status) AS status, any_value(attributes['surface']) AS surface,
        any_value(coalesce(attributes['race'], attributes['event'], attributes['tournament'], attributes['competition'])) AS event, max(len(sides)) AS entries,
        bool_or(neutral) AS neutral, bool_or(s.is_home) FILTER (s.side = entry.side) AS is_home,
        sum(s.score) FILTER (s.side = entry.side) AS own_score, sum(s.score) FILTER (s.side <> entry.side) AS other_score,
        min(s.finish) FILTER (s.side = entry.side) AS finish, any_value(s.won) FILTER (s.side = entry.side) AS won,
        any_value(s.team_id) FILTER (s.side <> entry.side) AS team_id, any_value(s.team) FILTER (s.side <> entry.side) AS team
    FROM entry
    GROUP BY contest_id, played_on
    ORDER BY played_on DESC, game_id DESC
    LIMIT 400
),
other AS MATERIALIZED (
    SELECT o.game_id, any_value(p.competitor_id) AS player_id, any_value(p.name) AS player
    FROM own AS o
    JOIN competitor_game AS p ON p.league = $league AND p.game_id = o.game_id AND p.side <> o.side AND p.kind = o.kind
    WHERE o.kind = 'player'
    GROUP BY o.game_id
    HAVING count(*) = 1
),
met AS MATERIALIZED (
    SELECT
        c.* EXCLUDE (team_id, team),
        CASE WHEN c.entries = 2 THEN CASE c.kind WHEN 'team' THEN c.team_id ELSE o.player_id END END AS opponent_id,
        CASE WHEN c.entries = 2 THEN coalesce(o.player, c.team) END AS opponent,
        CASE WHEN c.is_home THEN 1 WHEN c.neutral OR c.entries > 2 THEN 0 ELSE -1 END AS place
    FROM contest AS c LEFT JOIN other AS o USING (game_id)
),
likeness AS (
    SELECT
        l.outcome, l.likelihood, l.likelihood IN ('poisson', 'negative_binomial', 'dixon_coles') AS has_counts,
        CASE WHEN (SELECT count(*) FROM parameter_draw WHERE league = $league AND contains(parameter, '_walk')) > 0
            THEN l.as_of - 365 ELSE f.first_game_on END AS compared_from
    FROM league AS l JOIN fit AS f ON f.fit_id = l.fit_id
    WHERE l.league = $league
),
rival AS MATERIALIZED (
    SELECT DISTINCT opponent_id, place
    FROM met, likeness
    WHERE opponent_id IS NOT NULL AND status = 'played' AND played_on >= compared_from
),
drawn AS MATERIALIZED (
    SELECT r.competitor_id, d.component, d.draws
    FROM (SELECT DISTINCT opponent_id AS competitor_id FROM rival UNION SELECT $competitor) AS r
    JOIN rating_draw AS d ON d.competitor_id = r.competitor_id AND d.league = $league
),
rated AS (
    SELECT
        competitor_id, generate_subscripts(any_value(draws) FILTER (component = 'total'), 1) AS number,
        unnest(any_value(draws) FILTER (component = 'total')) AS total,
        unnest(any_value(draws) FILTER (component = 'attack')) AS attack,
        unnest(any_value(draws) FILTER (component = 'defence')) AS defence
    FROM drawn GROUP BY competitor_id
),
parameter AS (
    SELECT
        generate_subscripts(any_value(draws), 1) AS number,
        unnest(any_value(draws) FILTER (parameter = 'intercept')) AS intercept,
        unnest(any_value(draws) FILTER (parameter = 'home')) AS home,
        unnest(any_value(draws) FILTER (parameter = 'sigma')) AS sigma,
        unnest(any_value(draws) FILTER (parameter = 'draw_width')) AS width,
        unnest(any_value(draws) FILTER (parameter = 'overdispersion')) AS excess
    FROM parameter_draw WHERE league = $league
),
predictor AS (
    SELECT
        r.opponent_id, r.place, k.*, p.sigma, coalesce(p.excess, 0) AS excess, coalesce(p.width, 0) AS width,
        coalesce(p.intercept, 0) + CASE WHEN r.place = 1 THEN coalesce(p.home, 0) ELSE 0 END
        + coalesce(a.attack - b.defence, a.total) AS own_eta,
        coalesce(p.intercept, 0) + CASE WHEN r.place = -1 THEN coalesce(p.home, 0) ELSE 0 END
        + coalesce(b.attack - a.defence, b.total) AS other_eta
    FROM rival AS r
    CROSS JOIN likeness AS k
    JOIN rated AS a ON a.competitor_id = $competitor
    JOIN rated AS b ON b.competitor_id = r.opponent_id AND b.number = a.number
    LEFT JOIN parameter AS p ON p.number = a.number
),
mean AS (
    SELECT
        *, CASE WHEN has_counts THEN exp(least(own_eta, 20)) ELSE own_eta END AS own,
        CASE WHEN has_counts THEN exp(least(other_eta, 20)) ELSE other_eta END AS other,
        CASE WHEN likelihood = 'probit' THEN normal_cdf(own_eta - other_eta - width) ELSE logistic(own_eta - other_eta - width) END AS win,
        CASE WHEN likelihood = 'probit' THEN normal_cdf(other_eta - own_eta - width) ELSE logistic(other_eta - own_eta - width) END AS loss
    FROM predictor
),
expected AS (
    SELECT
        opponent_id, place,
        CASE WHEN any_value(outcome) IN ('score', 'margin') THEN avg(own - other) END AS margin,
        CASE WHEN any_value(outcome) IN ('win', 'result') THEN avg(0.5 + 0.5 * (win - loss)) END AS chance,
        sqrt(var_pop(own - other) + avg(CASE
            WHEN has_counts THEN own + other + excess * (own * own + other * other)
            WHEN outcome = 'score' THEN 2 * sigma * sigma ELSE sigma * sigma
        END)) AS sd
    FROM mean
    GROUP BY opponent_id, place
)
SELECT
    m.game_id, m.played_on, m.season, m.event, m.round, m.surface, m.status, m.place, m.entries, m.opponent_id, m.opponent, m.own_score,
    m.other_score, m.finish, m.won, x.margin AS expected_margin, x.chance AS expected_chance,
    CASE
        WHEN x.margin IS NOT NULL THEN (m.own_score - m.other_score - x.margin) / x.sd
        WHEN x.chance IS NOT NULL
            THEN (CASE WHEN m.won THEN 1 WHEN NOT m.won THEN 0 ELSE 0.5 END - x.chance) / sqrt(x.chance * (1 - x.chance))
    END AS surprise
FROM met AS m
CROSS JOIN likeness AS k
LEFT JOIN expected AS x
    ON x.opponent_id = m.opponent_id AND x.place = m.place AND m.status = 'played' AND m.played_on >= k.compared_from
ORDER BY m.played_on DESC, m.game_id DESC
