-- How ratings went: what was published then, what would have been, and what all results tell now. `warehouse` is attached; the
-- table published is there.

CREATE TABLE rating_history AS
WITH told AS (
    SELECT
        f.fit_id, f.league, f.as_of, 'as_published' AS basis,
        coalesce(p.published_at_utc, getvariable('published_at_utc')::TIMESTAMP) AS told_at
    FROM warehouse.fit AS f
    LEFT JOIN warehouse.publication AS p USING (fit_id)
    WHERE p.fit_id IS NOT NULL OR f.fit_id IN (SELECT fit_id FROM published)
    UNION ALL
    SELECT fit_id, league, as_of, 'backfilled', fitted_at_utc
    FROM warehouse.fit WHERE is_dated AND verdict = 'accepted'
    UNION ALL
    SELECT
        f.fit_id, f.league,
        CASE WHEN list_contains(f.design::JSON ->> '$.blocks[*].role', 'walk') THEN f.as_of ELSE f.first_game_on END,
        'smoothed', f.fitted_at_utc
    FROM published AS p JOIN warehouse.fit AS f USING (fit_id)
),
-- Of several as of one day the last. Nights are many: older than four weeks, the last of each week is kept of them.
daily AS (
    SELECT
        *,
        CASE
            WHEN basis = 'as_published' AND as_of < max(as_of) OVER (PARTITION BY league, basis) - 28
                THEN date_trunc('week', as_of)
            ELSE as_of
        END AS stretch
    FROM told
    WHERE league IN (SELECT league FROM league)
),
kept AS (
    SELECT * FROM daily
    QUALIFY row_number() OVER (PARTITION BY league, basis, stretch ORDER BY as_of DESC, told_at DESC, fit_id) = 1
),
-- Of the as-of date of each fit what it says of then; of the days before it the path of what is published.
ratings AS (
    SELECT
        k.fit_id, k.basis, k.told_at, k.as_of, s.kind, s.competitor_id, s.rank, s.rank_low, s.rank_high, s.status,
        r.mean AS rating, r.sd, r.q5, r.q25, r.q50, r.q75, r.q95, s.games
    FROM kept AS k
    JOIN warehouse.standing AS s ON s.fit_id = k.fit_id AND (k.basis = 'smoothed' OR s.status = 'ranked')
    JOIN warehouse.rating AS r
        ON (r.fit_id, r.kind, r.competitor_id, r.component) = (s.fit_id, s.kind, s.competitor_id, 'total')
    UNION ALL
    SELECT
        k.fit_id, k.basis, k.told_at, p.as_of, p.kind, p.competitor_id, p.rank, p.rank_low, p.rank_high, 'ranked',
        p.mean, p.sd, p.q5, p.q25, p.q50, p.q75, p.q95, p.games
    FROM kept AS k
    JOIN warehouse.rating_path AS p ON p.fit_id = k.fit_id AND k.basis = 'smoothed'
)
SELECT
    f.league, r.basis, r.as_of, r.kind, r.competitor_id, c.name, r.rank, r.rank_low, r.rank_high, r.status, r.rating,
    r.sd, r.q5, r.q25, r.q50, r.q75, r.q95, f.unit, r.games,
    CASE WHEN r.basis = 'as_published' THEN r.told_at END AS published_at_utc, r.fit_id
FROM ratings AS r
JOIN warehouse.fit AS f USING (fit_id)
LEFT JOIN warehouse.competitor AS c ON (c.league, c.competitor_id) = (f.league, r.competitor_id)
ORDER BY f.league, r.basis, r.as_of, r.kind, r.rank NULLS LAST, r.rating DESC, r.competitor_id;
COMMENT ON TABLE rating_history IS 'One row a rated competitor, basis and day: what is, or was, said of the time from that day to the next row; of earlier days only who was ranked then, or of smoothed ones would have been. Macros rating_at, leaderboard_at and movement read it. Key: league, basis, as_of, kind, competitor_id.';
COMMENT ON COLUMN rating_history.basis IS 'smoothed (what all results, later ones too, say of that time: where ratings do not walk one row from the first game on, where they walk one for the end of each month with games, of large leagues each quarter or year, and the as-of date: the state that held then, which idle days after it do not widen until the as-of date, against the mean of those ranked then; before the as-of date only who would have been ranked), as_published (what readers were shown; of days more than 28 before the newest, the last of each week) or backfilled (fitted later to today''s corrected results before that day, by the rules of a night: pooltable backfill LEAGUE).';
COMMENT ON COLUMN rating_history.as_of IS 'The day from which on the row holds: games before it, 00:00 UTC, were used; of smoothed ones all.';
COMMENT ON COLUMN rating_history.rating IS 'Posterior mean rating in that fit, in `unit`, against the mean of those ranked in it.';
COMMENT ON COLUMN rating_history.unit IS 'Unit of the rating; it may change where the league''s model did.';
COMMENT ON COLUMN rating_history.published_at_utc IS 'When that rating was first published, UTC; NULL where it was not: smoothed or backfilled.';
COMMENT ON COLUMN rating_history.fit_id IS 'The fit the row comes from.';
