-- A game after today (UTC) that has a result already: its date is wrong, or its score is. Only where the day is known;
-- one day is allowed, for it may be tomorrow already where the game was played. The message has the line of the
-- corrections that would leave the game out, so that one slip stops its league no longer than that.
WITH future AS (
    SELECT
        g.game_id, g.slice, g.played_on,
        if(regexp_matches(g.game_id, '[",\n]'), '"' || replace(g.game_id, '"', '""') || '"', g.game_id) AS quoted
    FROM game AS g
    WHERE g.league = $league AND g.played_on_precision = 'day' AND g.played_on > $today::DATE + 1
)
SELECT
    f.game_id AS subject,
    'It has a result, but its day is ' || f.played_on || ' (' || f.slice || '). To leave it out, add to corrections/'
    || $league || '.csv: ' || f.quoted || ',,,drop,,its day is in the future' AS message
FROM future AS f
WHERE EXISTS (
    FROM side AS s
    WHERE s.league = $league AND s.game_id = f.game_id
        AND (s.score IS NOT NULL OR s.won IS NOT NULL OR s.finish IS NOT NULL)
)
ORDER BY ALL
