-- A player who appears on a side that is not there: the players' file and the games' file do not belong together.
SELECT
    a.game_id AS subject,
    count(*) || if(count(*) = 1, ' player appears', ' players appear') || ' on side ' || a.side
    || ', which the game does not have.' AS message
FROM appearance AS a
ANTI JOIN side AS s ON s.league = a.league AND s.game_id = a.game_id AND s.side = a.side
WHERE a.league = $league
GROUP BY a.game_id, a.side
ORDER BY ALL
