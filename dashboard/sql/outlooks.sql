-- The outlook of a league's season by its published fit, table by table, whoever is expected first before the others.
SELECT
    season, "table", competitor_id, name, played, points, place, remaining, expected_points, points_q5, points_q25,
    points_q75, points_q95, expected_place, chances, as_of, made_at_utc
FROM outlook
WHERE league = $league AND as_of = (SELECT as_of FROM league WHERE league = $league)
ORDER BY "table", expected_place
