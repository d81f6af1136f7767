-- Players without whom a league's season was simulated too.
SELECT DISTINCT player_id, player FROM outlook_without WHERE league = $league ORDER BY player, player_id
