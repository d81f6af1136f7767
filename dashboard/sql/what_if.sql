-- How tables of a league end if coming games end as said.
SELECT
    "table", competitor_id, seasons, is_exact, expected_points, points_q5, points_q25, points_q75, points_q95,
    expected_place, chances
FROM what_if($league, map($games, $results))
