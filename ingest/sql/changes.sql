-- Lists the games that the load changes or takes away, before it does: one row a game with slice, change and what it is
-- called. 1_compare.sql has run, 2_replace.sql has not; competitors_frame is registered. The variable most is how many
-- at most.

CREATE OR REPLACE TEMP TABLE listed AS
WITH touched AS (
    SELECT game_id, slice, 'changed' AS change, played_on FROM read_game SEMI JOIN differing USING (game_id)
    UNION ALL
    SELECT game_id, slice, 'gone', played_on FROM stored_game ANTI JOIN read_game USING (game_id)
)
SELECT game_id, slice, change FROM touched ORDER BY played_on DESC, game_id LIMIT getvariable('most');

CREATE OR REPLACE TEMP TABLE named AS
SELECT competitor_id, coalesce(f.name, c.name) AS name
FROM competitors_frame AS f
FULL JOIN (FROM competitor WHERE league = getvariable('league')) AS c USING (competitor_id);

-- One row a listed game: its day, its entries in words ("Arsenal 2-1 Chelsea", "A beat B", "1 X, 2 Y, 3 Z of 20"), and
-- its parts as text, to tell what else differs. Of two sides the one at home comes first.
CREATE OR REPLACE TEMP MACRO told(games_name, sides_name, appearances_name) AS TABLE
WITH player AS (
    SELECT
        game_id, side, string_agg(coalesce(n.name, a.player), ' / ' ORDER BY a.player) AS names,
        string_agg(concat_ws(' ', a.player, a.share, a.role), ', ' ORDER BY a.player) AS played
    FROM query_table(appearances_name) AS a
    SEMI JOIN listed USING (game_id)
    LEFT JOIN named AS n ON n.competitor_id = a.player
    GROUP BY game_id, side
),
entry AS (
    SELECT
        s.game_id, coalesce(n.name, s.team, p.names, '?') AS name, s.is_home, s.side, s.won, s.finish,
        CASE WHEN s.score = trunc(s.score) THEN s.score::BIGINT::VARCHAR ELSE s.score::VARCHAR END AS score,
        p.played, s.exposure
    FROM query_table(sides_name) AS s
    SEMI JOIN listed USING (game_id)
    LEFT JOIN named AS n ON n.competitor_id = s.team
    LEFT JOIN player AS p USING (game_id, side)
),
gathered AS (
    SELECT
        game_id, count(*) AS sides,
        list(e ORDER BY e.is_home DESC, e.side) AS e,
        string_agg(e.finish || ' ' || e.name, ', ' ORDER BY e.finish) FILTER (e.finish <= 3) AS first_three,
        string_agg(e.played, '; ' ORDER BY e.side) AS line_ups,
        string_agg(concat_ws(' ', e.name, e.score, e.finish, e.won), '; ' ORDER BY e.side) AS results,
        string_agg(concat_ws(' ', e.is_home, e.exposure), '; ' ORDER BY e.side) AS terms
    FROM entry AS e GROUP BY game_id
)
SELECT
    game_id, g.played_on,
    CASE
        WHEN sides IS NULL THEN concat_ws(' ', g.game_id, 'without entrants')
        WHEN sides <> 2 THEN coalesce(first_three || ' of ' || sides, sides || ' entrants')
        WHEN e[1].score IS NOT NULL AND e[2].score IS NOT NULL
            THEN e[1].name || ' ' || e[1].score || '-' || e[2].score || ' ' || e[2].name
        WHEN e[1].won THEN e[1].name || ' beat ' || e[2].name
        WHEN e[2].won THEN e[2].name || ' beat ' || e[1].name
        ELSE e[1].name || ' v ' || e[2].name
    END AS words,
    CASE WHEN sides = 2 THEN e[1].name || ' ' || e[2].name END AS pair,
    CASE WHEN sides = 2 THEN e[1].score || '-' || e[2].score END AS score,
    [
        {'name': 'result', 'text': results}, {'name': 'status', 'text': g.status},
        {'name': 'line-ups', 'text': line_ups}, {'name': 'home or exposure', 'text': terms},
        {'name': 'order', 'text': concat_ws(' ', g.played_on_precision, g.sequence)},
        {'name': 'season', 'text': g.season}, {'name': 'round', 'text': g.round},
        {'name': 'contest', 'text': g.contest_id}, {'name': 'ground', 'text': g.neutral::VARCHAR},
        {'name': 'attributes', 'text': g.attributes::VARCHAR}
    ] AS parts
FROM query_table(games_name) AS g
SEMI JOIN listed USING (game_id)
LEFT JOIN gathered USING (game_id);

-- "2024-05-01 Arsenal 2-1 Chelsea -> 2-2" where the score differs; else the whole game, or what else differs.
CREATE OR REPLACE TEMP TABLE described AS
SELECT
    l.game_id, l.slice, l.change,
    concat(
        b.played_on, ' ', b.words,
        CASE
            WHEN l.change = 'gone' THEN ''
            WHEN b.words <> a.words AND b.played_on = a.played_on
                THEN ' -> ' || CASE WHEN a.pair = b.pair THEN coalesce(a.score, a.words) ELSE a.words END
            WHEN b.words <> a.words OR b.played_on <> a.played_on
                THEN ' -> ' || concat_ws(' ', a.played_on, a.words)
            ELSE ' (' || array_to_string(
                [p[1].name FOR p IN list_zip(a.parts, b.parts) IF p[1].text IS DISTINCT FROM p[2].text], ', '
            ) || ')'
        END
    ) AS description
FROM listed AS l
JOIN told('stored_game', 'stored_side', 'stored_appearance') AS b USING (game_id)
LEFT JOIN told('read_game', 'sides_frame', 'appearances_frame') AS a USING (game_id);
