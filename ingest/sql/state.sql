-- What is loaded of a league, one row a slice: the last load's bytes and loader, and whether it met games that
-- another file holds already.
SELECT
    l.slice, arg_max(l.sha256, l.loaded_at_utc) AS sha256, arg_max(l.loader, l.loaded_at_utc) AS loader,
    arg_max(l.source, l.loaded_at_utc) AS source, arg_max(l.fetched_at_utc, l.loaded_at_utc) AS fetched_at_utc,
    arg_max(l.games_new + l.games_changed + l.games_unchanged, l.loaded_at_utc) AS games,
    bool_or(l.load_id IN (SELECT load_id FROM rejected_row AS r WHERE r.league = $league AND r.rule = $copy)) AS copies
FROM load AS l
WHERE l.league = $league
GROUP BY l.slice
