-- How fresh every league is, and what its checks found: the last day played, the last load and fit, findings and rows kept out.
SELECT
    l.league, l.title, l.games, l.loaded_at_utc, l.as_of, l.fitted_at_utc, l.newest_verdict, g.last_played_on, g.next_on,
    coalesce(h.stops, 0) AS stops, coalesce(h.warns, 0) AS warns, coalesce(h.rejected, 0) AS rejected
FROM league AS l
LEFT JOIN (
    SELECT
        league, max(played_on) FILTER (status NOT IN ('scheduled', 'abandoned')) AS last_played_on,
        min(played_on) FILTER (status = 'scheduled') AS next_on
    FROM game GROUP BY league
) AS g USING (league)
LEFT JOIN (
    SELECT
        league, count(*) FILTER (what = 'finding' AND severity = 'stop') AS stops,
        count(*) FILTER (what = 'finding' AND severity = 'warn') AS warns, count(*) FILTER (what = 'rejected row') AS rejected
    FROM data_health GROUP BY league
) AS h USING (league)
ORDER BY stops DESC, warns DESC, l.title
