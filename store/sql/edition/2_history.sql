-- What ratings were at earlier dates. `warehouse` is attached; the table published is there. Of older nights the last of each
-- week stays.

CREATE TEMP TABLE dated AS
SELECT f.league, f.fit_id, CASE WHEN f.is_dated THEN 'backfilled' ELSE 'as_published' END AS basis, f.as_of
FROM warehouse.fit AS f
WHERE f.verdict = 'accepted' AND f.league IN (SELECT league FROM league)
QUALIFY row_number() OVER (PARTITION BY f.league, f.is_dated, f.as_of ORDER BY f.current_at_utc DESC) = 1
    AND (
        f.as_of > max(f.as_of) OVER (PARTITION BY f.league) - 35
        OR f.as_of = max(f.as_of) OVER (PARTITION BY f.league, f.is_dated, date_trunc('week', f.as_of))
    )
UNION ALL
SELECT
    p.league, p.fit_id, 'smoothed',
    CASE WHEN list_contains(f.design::JSON ->> '$.blocks[*].role', 'walk') THEN f.as_of ELSE f.first_game_on END
FROM published AS p JOIN warehouse.fit AS f USING (fit_id);

CREATE TABLE rating_history AS
SELECT
    d.league, d.basis, d.as_of, s.kind, s.competitor_id, c.name, s.rank, s.rank_low, s.rank_high, s.status, r.mean AS rating,
    r.sd, r.q5, r.q25, r.q50, r.q75, r.q95, f.unit, s.games, d.fit_id
FROM dated AS d
JOIN warehouse.fit AS f USING (fit_id)
JOIN warehouse.standing AS s USING (fit_id)
JOIN warehouse.rating AS r
    ON (r.fit_id, r.kind, r.competitor_id, r.component) = (s.fit_id, s.kind, s.competitor_id, 'total')
LEFT JOIN warehouse.competitor AS c ON (c.league, c.competitor_id) = (s.league, s.competitor_id)
ORDER BY d.league, d.basis, d.as_of, s.kind, s.rank NULLS LAST, s.competitor_id;
COMMENT ON TABLE rating_history IS 'One row a rated competitor, basis and day: what is, or was, said of the time from that day to the next row. Of fits older than five weeks the last of each week is kept. Macros rating_at, leaderboard_at and movement read it. Key: league, basis, as_of, kind, competitor_id.';
COMMENT ON COLUMN rating_history.basis IS 'smoothed (what all results, later ones too, say of that time: where ratings do not walk one row from the first game on, where they walk the last state alone), as_published (by the accepted fit of that night) or backfilled (by a later fit of the games before that day: pooltable fit LEAGUE --as-of DATE).';
COMMENT ON COLUMN rating_history.as_of IS 'The day from which on the row holds: games before it, 00:00 UTC, were used; of smoothed ones all.';
COMMENT ON COLUMN rating_history.rating IS 'Posterior mean rating in that fit, in `unit`, against the mean of those ranked in it.';
COMMENT ON COLUMN rating_history.fit_id IS 'The fit the row comes from.';
