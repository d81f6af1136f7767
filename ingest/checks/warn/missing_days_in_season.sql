-- Days without any game in the middle of a season, far more in a row than is usual: a part of the source is missing, or
-- play stood still. Far more is over two weeks and over three times the longest pause of a typical other season (the
-- median of theirs); where there is no other season, three times this season's second longest pause. Only games with a
-- known day, since the stanza's `since`; up to today, and only seasons of ten playing days or more.
WITH day AS (
    SELECT DISTINCT g.season, g.played_on
    FROM game AS g
    JOIN league AS l USING (league)
    WHERE league = $league AND g.played_on_precision = 'day' AND g.status <> 'scheduled'
        AND g.played_on BETWEEN coalesce((l.stanza ->> 'since')::DATE, '0001-01-01') AND $today::DATE
),
pause AS (
    SELECT
        season, lag(played_on) OVER season_days AS last_before, played_on AS first_after,
        played_on - lag(played_on) OVER season_days AS days, count(*) OVER (PARTITION BY season) AS playing_days
    FROM day
    WINDOW season_days AS (PARTITION BY season ORDER BY played_on)
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY season ORDER BY days DESC) AS place
    FROM pause WHERE days IS NOT NULL AND playing_days >= 10
),
usual AS (
    SELECT
        s.season,
        coalesce(
            (SELECT median(o.days) FROM ranked AS o WHERE o.place = 1 AND o.season <> s.season),
            (SELECT o.days FROM ranked AS o WHERE o.place = 2 AND o.season = s.season)
        ) AS days
    FROM (SELECT DISTINCT season FROM ranked) AS s
)
SELECT
    'season ' || r.season AS subject,
    'No game on the ' || (r.days - 1) || ' days from ' || (r.last_before + 1) || ' to ' || (r.first_after - 1)
    || '; the longest pause is usually ' || round(u.days)::INTEGER || ' days.' AS message
FROM ranked AS r
JOIN usual AS u USING (season)
WHERE r.days > 14 AND r.days > 3 * u.days
ORDER BY r.last_before
