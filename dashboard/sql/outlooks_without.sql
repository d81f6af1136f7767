-- How tables of a league end without a player.
SELECT "table", competitor_id, expected_points, points_q5, points_q25, points_q75, points_q95, expected_place, chances
FROM outlook_without
WHERE league = $league AND player_id = $player
