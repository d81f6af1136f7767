-- The days before the published fit's of which ratings are kept, the newest first: as published, or fitted later.
SELECT h.as_of, CASE WHEN bool_or(h.basis = 'as_published') THEN 'as_published' ELSE 'backfilled' END AS basis
FROM rating_history AS h JOIN league AS l USING (league)
WHERE h.league = $league AND h.basis <> 'smoothed' AND h.as_of < l.as_of
GROUP BY h.as_of
ORDER BY h.as_of DESC
LIMIT 60
