-- What a league is made of: its results with their licence, and the model behind its published fit, or where there is none its newest.
SELECT
    l.feed, l.source, l.licence, l.is_shared, l.loaded_at_utc, g.games, g.first_on, g.last_on, g.seasons, f.fit_id, f.engine,
    f.verdict, f.unit, f.as_of, f.first_game_on, f.last_game_on, f.games AS games_used, f.draws, f.design
FROM league AS l
LEFT JOIN fit AS f ON f.fit_id = coalesce(l.fit_id, l.newest_fit_id)
LEFT JOIN (
    SELECT
        league, count(DISTINCT contest_id) AS games, min(played_on) AS first_on, max(played_on) AS last_on,
        count(DISTINCT season) AS seasons
    FROM game
    WHERE status = 'played'
    GROUP BY league
) AS g ON g.league = l.league
WHERE l.league = $league
