-- What is to come, asked by name. Parameters end in _name: none is a column's name.

CREATE MACRO outlook(league_name) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT rated_league(league_name) AS asked_league
),
published AS (
    SELECT asked_league, l.as_of AS asked_day FROM asked JOIN league AS l ON l.league = asked_league
)
SELECT
    o.season, o."table", o.competitor_id, o.name, o.played, o.points, o.remaining, o.expected_points, o.points_q5, o.points_q95,
    o.expected_place, o.chances, o.as_of
FROM published JOIN outlook AS o ON o.league = asked_league AND o.as_of = asked_day
ORDER BY o.season, o."table", o.expected_place;
COMMENT ON MACRO TABLE outlook IS 'outlook(league_name): how the season ends, as the published fit sees it: one row a competitor in a table: points now and in the end with their 90 % interval (q5, q95), mean place, and the chance of what places mean; none where pooltable simulate has not run since that fit or nothing is left to play. Example: SELECT name, points, expected_points, chances[''champion''] FROM outlook(''demo_football'')';

CREATE MACRO season_chances(league_name, prize_name) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT rated_league(league_name) AS asked_league, prize_name AS asked_prize
),
published AS (
    SELECT asked_league, asked_prize, l.as_of AS asked_day FROM asked JOIN league AS l ON l.league = asked_league
),
seen AS (
    SELECT o.*, asked_prize FROM published JOIN outlook AS o ON o.league = asked_league AND o.as_of = asked_day
),
known AS (
    SELECT list_sort(list_distinct(flatten(list(map_keys(chances))))) AS prizes FROM seen
)
SELECT
    season, "table", name, points, expected_points, points_q5, points_q95,
    CASE
        WHEN list_contains(prizes, asked_prize) THEN chances[asked_prize]
        ELSE error('No place of league "' || league || '" means "' || coalesce(asked_prize, 'NULL') || '": say ' || array_to_string(prizes, ', ') || '.')
    END AS chance,
    as_of
FROM seen, known
WHERE map_contains(chances, asked_prize) OR NOT list_contains(prizes, asked_prize) OR asked_prize IS NULL
ORDER BY chance DESC, expected_place;
COMMENT ON MACRO TABLE season_chances IS 'season_chances(league_name, prize_name): who may end the season as champion, relegated or whatever the league''s places mean, by the published fit. Example: FROM season_chances(''demo_football'', ''champion'')';

CREATE MACRO forecast_reliability(league_name) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT rated_league(league_name) AS asked_league
),
over AS (
    SELECT t.* FROM asked JOIN track_record AS t ON t.league = asked_league AND t.second IS NOT NULL
),
said AS (
    SELECT win AS chance, (result = 'win')::INTEGER + (result = 'draw' AND draw = 0)::INTEGER / 2 AS came FROM over
    UNION ALL
    SELECT loss, (result = 'loss')::INTEGER + (result = 'draw' AND draw = 0)::INTEGER / 2 FROM over
)
SELECT least(floor(chance * 10), 9) / 10 AS chance_from, count(*) AS chances, avg(chance) AS mean_chance, avg(came) AS came_about
FROM said
GROUP BY ALL
ORDER BY chance_from;
COMMENT ON MACRO TABLE forecast_reliability IS 'forecast_reliability(league_name): of chances to win that were given before the day, by tens of per cent, how often they came about. Example: FROM forecast_reliability(''demo_football'')';

-- Seasons in which all the results came so are draws of what would follow, exactly: where there are 100 of them they alone
-- count, each as much: a chance of a half then has a standard error of 5 points or less, and the other way was 22 points off
-- where ties decide a title (modeling/README.md). Else a game's result is set in every season, which counts by the chance that it gave it (importance
-- weights): ratings that made it likely count for more. Points move then; equals keep the order they had; a play-off is won
-- by the place that had won it. k is a season's number in all arrays.
CREATE MACRO what_if(league_name, results_by_id) AS TABLE
WITH given AS MATERIALIZED (
    SELECT
        rated_league(league_name) AS asked_league,
        coalesce(results_by_id, error('A map of games to results is needed; it is NULL.')) AS asked_results
),
told AS (
    SELECT
        asked_league, unnest(map_keys(asked_results))::VARCHAR AS asked_game,
        unnest(map_values(asked_results))::VARCHAR AS asked_result
    FROM given
),
asked AS (
    SELECT
        asked_league, asked_game AS game_id,
        CASE
            WHEN NOT EXISTS (FROM simulated_game AS g WHERE g.league = asked_league AND g.game_id = asked_game)
                THEN error('No game "' || asked_game || '" of league "' || asked_league || '" is to come soon: simulated_game has those that are.')
            WHEN asked_result NOT IN ('win', 'draw', 'loss') OR asked_result IS NULL
                THEN error('"' || coalesce(asked_result, 'NULL') || '" is no result of game "' || asked_game || '": say win, draw or loss of its first side.')
            ELSE list_position(['win', 'draw', 'loss'], asked_result)
        END AS code
    FROM told
),
played AS (
    SELECT g."table", g.first_id, g.second_id, g.worth, a.code, generate_subscripts(g.results, 1) AS k,
        unnest(g.results) + 1 AS was, unnest(g.wins) / 10000 AS win, unnest(g.losses) / 10000 AS loss
    FROM simulated_game AS g JOIN asked AS a ON g.league = a.asked_league AND g.game_id = a.game_id
),
likely AS (
    SELECT k, bool_and(code = was) AS came_so,
        exp(sum(ln(greatest(CASE code WHEN 1 THEN win WHEN 3 THEN loss ELSE 1 - win - loss END, 1e-9)))) AS weight
    FROM played
    GROUP BY k
    HAVING count(code) = (SELECT count(*) FROM asked)
),
weighed AS (
    SELECT k, is_exact, if(is_exact, 1, weight) AS weight
    FROM likely, (SELECT count(*) FILTER (came_so) >= 100 AS is_exact FROM likely)
    WHERE came_so OR NOT is_exact
),
moved AS (
    SELECT "table", competitor_id, k, sum(points) AS points
    FROM (
        SELECT "table", first_id AS competitor_id, k, worth[code] - worth[was] AS points FROM played
        UNION ALL
        SELECT "table", second_id, k, worth[4 - code] - worth[4 - was] FROM played
    )
    GROUP BY ALL
),
final AS (
    SELECT t.* FROM given JOIN simulated_table AS t ON t.league = asked_league
    WHERE t."table" IN (SELECT "table" FROM played)
),
ended AS (
    SELECT "table", competitor_id, generate_subscripts(points, 1) AS k, unnest(points) AS points, unnest(places) AS place
    FROM final
),
placed AS (
    SELECT e."table", e.competitor_id, k, w.is_exact, w.weight, e.points + coalesce(m.points, 0) AS points,
        row_number() OVER (PARTITION BY e."table", k ORDER BY e.points + coalesce(m.points, 0) DESC, e.place) AS place
    FROM ended AS e
    JOIN weighed AS w USING (k)
    LEFT JOIN moved AS m USING ("table", competitor_id, k)
),
spread AS (
    SELECT *, sum(weight) OVER (PARTITION BY "table", competitor_id ORDER BY points, place DESC)
        / sum(weight) OVER (PARTITION BY "table", competitor_id) AS below
    FROM placed
),
summed AS (
    SELECT "table", competitor_id, sum(weight) ** 2 / sum(weight ** 2) AS seasons, any_value(is_exact) AS is_exact,
        sum(weight * points) / sum(weight) AS expected_points,
        min(points) FILTER (below >= 0.05) AS points_q5, min(points) FILTER (below >= 0.25) AS points_q25,
        min(points) FILTER (below >= 0.75) AS points_q75, min(points) FILTER (below >= 0.95) AS points_q95,
        sum(weight * place) / sum(weight) AS expected_place
    FROM spread
    GROUP BY ALL
),
meant AS (
    SELECT DISTINCT "table", unnest(prizes, recursive := true) FROM final
),
decided AS (
    SELECT o."table", o.prize, generate_subscripts(o.places, 1) AS k, unnest(o.places) AS place
    FROM given JOIN simulated_play_off AS o ON o.league = asked_league
),
by_place AS (
    SELECT "table", competitor_id, place, sum(weight) AS weight FROM placed GROUP BY ALL
),
reached AS (
    SELECT b."table", b.competitor_id, m.prize, b.weight
    FROM by_place AS b JOIN meant AS m ON m."table" = b."table" AND b.place BETWEEN m.first AND m.last
    UNION ALL
    SELECT p."table", p.competitor_id, d.prize, p.weight
    FROM placed AS p JOIN decided AS d USING ("table", k, place)
    WHERE NOT EXISTS (FROM meant AS m WHERE (m."table", m.prize) = (d."table", d.prize) AND d.place BETWEEN m.first AND m.last)
),
won AS (
    SELECT "table", competitor_id, map_from_entries(list({'k': prize, 'v': chance} ORDER BY prize)) AS chances
    FROM (
        SELECT e."table", e.competitor_id, o.prize, coalesce(r.weight, 0) / e.weight AS chance
        FROM (SELECT "table", competitor_id, sum(weight) AS weight FROM by_place GROUP BY ALL) AS e
        JOIN (SELECT "table", prize FROM meant UNION SELECT "table", prize FROM decided) AS o USING ("table")
        LEFT JOIN (SELECT "table", competitor_id, prize, sum(weight) AS weight FROM reached GROUP BY ALL) AS r
            USING ("table", competitor_id, prize)
    )
    GROUP BY ALL
)
SELECT t.season, s."table", s.competitor_id, t.name, s.seasons, s.is_exact, s.expected_points, s.points_q5, s.points_q25, s.points_q75,
    s.points_q95, s.expected_place, coalesce(w.chances, MAP {}) AS chances
FROM summed AS s
JOIN final AS t ON (t."table", t.competitor_id) = (s."table", s.competitor_id)
LEFT JOIN won AS w ON (w."table", w.competitor_id) = (s."table", s.competitor_id)
ORDER BY s."table", s.expected_place;
COMMENT ON MACRO TABLE what_if IS 'what_if(league_name, results_by_id): how the season ends if coming games end as said, a map of game_id (of simulated_game) to win, draw or loss of the first side; the tables of those games. The results tell of the ratings too. is_exact: the results came so together in 100 of the simulated seasons or more, and the rows are of those alone. Else all are weighed by the chance that they gave the results, and their points moved: sides that end level are then placed as in the simulated season, whose goals the results do not change, so that in a tight race a chance may be 20 points off; pooltable simulate --given plays the season again. seasons is how many seasons that is worth: below a hundred or so little is known. A result is a win, a draw or a loss here, a score in simulate --given. Example: FROM what_if(''demo_football'', MAP {''g1'': ''win''})';
