-- The earlier days that a leaderboard can be shown of, the newest first: as published, else as fitted later; and where
-- ratings walk the ends of months of the last two years, of others the last of each year, as all results tell of them now.
WITH kept AS (
    SELECT h.as_of, CASE WHEN bool_or(h.basis = 'as_published') THEN 'as_published' ELSE 'backfilled' END AS basis
    FROM rating_history AS h JOIN league AS l USING (league)
    WHERE h.league = $league AND h.kind = $kind AND h.basis <> 'smoothed' AND h.as_of < l.as_of
    GROUP BY h.as_of
    ORDER BY h.as_of DESC
    LIMIT 60
),
path AS (
    SELECT h.as_of, 'smoothed' AS basis
    FROM rating_history AS h JOIN league AS l USING (league)
    WHERE h.league = $league AND h.kind = $kind AND h.basis = 'smoothed' AND h.as_of < l.as_of
    GROUP BY h.as_of, l.as_of
    QUALIFY h.as_of > l.as_of - 731 OR row_number() OVER (PARTITION BY year(h.as_of - 1) ORDER BY h.as_of DESC) = 1
    ORDER BY h.as_of DESC
    LIMIT 100
)
FROM kept UNION ALL FROM path
ORDER BY as_of DESC, basis
