-- A game with no side or only one: there is nobody to compare with. Who enters a scheduled game may not be known yet.
SELECT g.game_id AS subject, 'It has ' || if(count(s.side) = 0, 'no side.', 'only one side.') AS message
FROM game AS g
LEFT JOIN side AS s ON s.league = g.league AND s.game_id = g.game_id
WHERE g.league = $league AND g.status <> 'scheduled'
GROUP BY g.game_id
HAVING count(s.side) < 2
ORDER BY ALL
