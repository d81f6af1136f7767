-- What is to come, asked by name. Parameters end in _name: none is a column's name.

CREATE MACRO outlook(league_name) AS TABLE
SELECT
    season, "table", competitor_id, name, played, points, remaining, expected_points, points_q5, points_q95, expected_place,
    chances, as_of
FROM outlook
WHERE league = (SELECT rated_league(league_name)) AND as_of = (SELECT max(as_of) FROM outlook WHERE league = league_name)
ORDER BY season, "table", expected_place;
COMMENT ON MACRO TABLE outlook IS 'outlook(league_name): how the season ends, as the newest rows of the table outlook see it: one row a competitor in a table: points now and in the end with their 90 % interval (q5, q95), mean place, and the chance of what places mean; none where pooltable simulate has not run or nothing is left to play. Example: SELECT name, points, expected_points, chances[''champion''] FROM outlook(''demo_football'')';

CREATE MACRO season_chances(league_name, prize_name) AS TABLE
SELECT season, "table", name, points, expected_points, points_q5, points_q95, chances[prize_name] AS chance, as_of
FROM outlook
WHERE league = league_name AND as_of = (SELECT max(as_of) FROM outlook WHERE league = league_name)
    AND map_contains(chances, prize_name)
ORDER BY chance DESC, expected_place;
COMMENT ON MACRO TABLE season_chances IS 'season_chances(league_name, prize_name): who may end the season as champion, relegated or whatever the league''s places mean, by the newest outlook. Example: FROM season_chances(''demo_football'', ''champion'')';

CREATE MACRO forecast_reliability(league_name) AS TABLE
WITH said AS (
    SELECT win AS chance, (result = 'win')::INTEGER + (result = 'draw' AND draw = 0)::INTEGER / 2 AS came
    FROM track_record WHERE league = league_name AND second IS NOT NULL
    UNION ALL
    SELECT loss, (result = 'loss')::INTEGER + (result = 'draw' AND draw = 0)::INTEGER / 2
    FROM track_record WHERE league = league_name AND second IS NOT NULL
)
SELECT least(floor(chance * 10), 9) / 10 AS chance_from, count(*) AS chances, avg(chance) AS mean_chance, avg(came) AS came_about
FROM said
GROUP BY ALL
ORDER BY chance_from;
COMMENT ON MACRO TABLE forecast_reliability IS 'forecast_reliability(league_name): of chances to win that were given before the day, by tens of per cent, how often they came about. Example: FROM forecast_reliability(''demo_football'')';
