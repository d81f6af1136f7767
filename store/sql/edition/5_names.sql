-- Macros that find whom a reader means. Of all macros: parameters are called like no column (most end in _name): one called
-- like a column would compare the column with itself and select every row. In a client that ATTACHes an edition, say USE
-- first: macros look their tables up in the current database.

CREATE MACRO nearest_name(league_name, competitor_name) AS (
    WITH asked AS (SELECT league_name AS asked_league, competitor_name AS asked_for)
    SELECT arg_min(b.name, levenshtein(lower(b.name), lower(asked_for)))
    FROM asked JOIN leaderboard AS b ON b.league = asked_league
);
COMMENT ON MACRO nearest_name IS 'nearest_name(league_name, competitor_name): the rated competitor''s name most like a given one; NULL where the league has no ratings. Example: SELECT nearest_name(''demo_football'', ''Halvermore'')';

CREATE MACRO did_you_mean(asked_text, like_text) AS CASE
    WHEN 3 * levenshtein(lower(asked_text), lower(like_text)) <= 2 * greatest(length(asked_text), length(like_text))
        OR contains(lower(like_text), lower(asked_text))
        THEN ' Did you mean "' || like_text || '"?'
    ELSE ''
END;
COMMENT ON MACRO did_you_mean IS 'did_you_mean(asked_text, like_text): a question whether the second was meant, empty where two thirds of their letters or more differ. Example: SELECT did_you_mean(''Halvermore'', ''Halvermoor'')';

CREATE MACRO not_one(league_name, competitor_name, how_many, like_name, like_league_name) AS CASE
    WHEN how_many > 1 THEN 'More than one competitor is called "' || competitor_name || '": use its competitor_id.'
    WHEN league_name IS NULL OR competitor_name IS NULL THEN 'A league and a competitor are needed; one is NULL.'
    WHEN like_league_name IS NULL THEN 'No league has ratings here.'
    WHEN like_name IS NULL AND like_league_name = league_name
        THEN 'League "' || league_name || '" is not rated here: no fit of it is published.'
    WHEN like_name IS NULL
        THEN 'There is no league "' || league_name || '" with ratings here.' || did_you_mean(league_name, like_league_name) || ' See: SELECT league FROM league'
    ELSE 'No rated competitor "' || competitor_name || '" in league "' || league_name || '".' || did_you_mean(competitor_name, like_name)
END;
COMMENT ON MACRO not_one IS 'not_one(league_name, competitor_name, how_many, like_name, like_league_name): what to say where a name does not stand for one competitor. Example: SELECT not_one(''demo_football'', ''Halvermore'', 0, ''Halvermoor'', ''demo_football'')';

-- The values asked for stand in a row of their own, so that in SELECT competitor_of(league, name) FROM … both are columns of
-- that table and not of the leaderboard. The nearest is sought only where nobody was found.
CREATE MACRO competitors_of(league_name, competitor_names) AS TABLE
WITH given AS (
    SELECT
        league_name AS asked_league,
        coalesce(competitor_names, error('A list of competitors is needed; it is NULL.')) AS asked_names
),
asked AS (
    SELECT asked_league, unnest(asked_names) AS asked_for, generate_subscripts(asked_names, 1) AS place FROM given
),
found AS (
    SELECT
        place, asked_league, asked_for, count(b.competitor_id) AS how_many, max(b.competitor_id) AS competitor_id,
        max(b.name) AS name, max(b.kind) AS kind
    FROM asked
    LEFT JOIN leaderboard AS b ON b.league = asked_league AND asked_for IN (b.name, b.competitor_id)
    GROUP BY place, asked_league, asked_for
),
nearest AS (
    SELECT
        f.place, arg_min(b.name, levenshtein(lower(b.name), lower(asked_for))) AS like_name,
        arg_min(l.league, levenshtein(lower(l.league), lower(asked_league))) AS like_league
    FROM found AS f
    JOIN league AS l ON l.fit_id IS NOT NULL OR l.league = asked_league
    LEFT JOIN leaderboard AS b ON b.league = l.league AND b.league = asked_league
    WHERE f.how_many = 0
    GROUP BY f.place
)
SELECT
    place,
    CASE
        WHEN how_many = 1 THEN competitor_id
        ELSE error(not_one(asked_league, asked_for, how_many, like_name, like_league))
    END AS competitor_id,
    name, kind
FROM found LEFT JOIN nearest USING (place)
ORDER BY place;
COMMENT ON MACRO TABLE competitors_of IS 'competitors_of(league_name, competitor_names): one row a name or id in the list, place counting from 1: the rated competitor it stands for; an error that names the nearest where it stands for none. Example: FROM competitors_of(''demo_football'', [''Halvermoor'', ''Jarrowmont''])';

CREATE MACRO competitor_of(league_name, competitor_name) AS (
    SELECT competitor_id FROM competitors_of(league_name, [competitor_name])
);
COMMENT ON MACRO competitor_of IS 'competitor_of(league_name, competitor_name): the competitor_id of a rated competitor given by name or id; an error that names the nearest where there is none. Example: SELECT competitor_of(league, name) FROM leaderboard WHERE league = ''demo_football'' ORDER BY rank LIMIT 3';

CREATE MACRO rated_league(league_name) AS (
    WITH asked AS (SELECT league_name AS asked_league),
    known AS (
        SELECT
            max(l.league) FILTER (l.league = asked_league AND l.fit_id IS NOT NULL) AS found,
            arg_min(l.league, levenshtein(lower(l.league), lower(asked_league))) AS like_league
        FROM asked, league AS l WHERE l.fit_id IS NOT NULL OR l.league = asked_league
    )
    SELECT CASE
        WHEN found IS NOT NULL THEN found
        WHEN like_league IS NULL THEN error('No league has ratings here, or the league asked for is NULL.')
        ELSE error(not_one(asked_league, '', 0, NULL, like_league))
    END
    FROM asked, known
);
COMMENT ON MACRO rated_league IS 'rated_league(league_name): the same name; an error that names the nearest where no such league has ratings. Example: SELECT rated_league(''demo_football'')';

CREATE MACRO opponents(league_name, a_name, b_name) AS TABLE
WITH asked AS (
    SELECT league_name AS asked_league, a_name AS asked_a, b_name AS asked_b
),
met AS (
    SELECT
        max(competitor_id) FILTER (place = 1) AS a_id, max(kind) FILTER (place = 1) AS a_kind,
        max(competitor_id) FILTER (place = 2) AS b_id, max(kind) FILTER (place = 2) AS b_kind
    FROM competitors_of(league_name, [a_name, b_name])
)
SELECT
    CASE
        WHEN a_id = b_id THEN error('"' || asked_a || '" cannot play itself.')
        WHEN a_kind <> b_kind
            THEN error('"' || asked_a || '" is a ' || a_kind || ' and "' || asked_b || '" a ' || b_kind || ': only two of a kind meet.')
        WHEN a_kind = 'player' AND l.players_a_side > 1
            THEN error(
                'A side of league "' || asked_league || '" has ' || round(l.players_a_side)::INTEGER
                || ' players, so that no two players meet alone. Their ratings are in leaderboard.'
            )
        ELSE a_id
    END AS a_id,
    b_id, l.outcome,
    CASE
        WHEN a_id IS NOT NULL AND l.likelihood IS NULL
            THEN error('The fit of league "' || asked_league || '" does not name its likelihood: fit it again.')
        ELSE l.likelihood
    END AS likelihood,
    l.league
FROM asked CROSS JOIN met LEFT JOIN league AS l ON l.league = asked_league;
COMMENT ON MACRO TABLE opponents IS 'opponents(league_name, a_name, b_name): the ids of two competitors that can meet, the outcome and likelihood of their league''s model, and the league; an error in words where they cannot. Example: FROM opponents(''demo_football'', ''Halvermoor'', ''Jarrowmont'')';
