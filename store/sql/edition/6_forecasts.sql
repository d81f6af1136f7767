-- What is to come, asked by name. Parameters end in _name: none is a column's name.

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
