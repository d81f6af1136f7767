-- A file that held fewer games at its last load than at the one before: a correction, or the source losing data.
WITH counted AS (
    SELECT
        slice, loaded_at_utc, games_new + games_changed + games_unchanged AS games,
        row_number() OVER (PARTITION BY slice ORDER BY loaded_at_utc DESC) AS age
    FROM load WHERE league = $league
)
SELECT
    l.slice AS subject,
    'It has ' || l.games || ' games since ' || l.loaded_at_utc::DATE || ' and had ' || b.games || ' before.' AS message
FROM counted AS l
JOIN counted AS b ON b.slice = l.slice AND b.age = 2
WHERE l.age = 1 AND l.games < b.games
ORDER BY ALL
