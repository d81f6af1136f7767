-- How ratings went: what was published then, and what would have been. `warehouse` is attached.

CREATE TABLE rating_history AS
WITH told AS (
    SELECT
        f.fit_id, f.league, f.as_of, f.unit, 'as_published' AS basis,
        coalesce(p.published_at_utc, getvariable('published_at_utc')::TIMESTAMP) AS told_at
    FROM warehouse.fit AS f
    LEFT JOIN warehouse.publication AS p USING (fit_id)
    WHERE p.fit_id IS NOT NULL OR f.fit_id IN (SELECT fit_id FROM published)
    UNION ALL
    SELECT fit_id, league, as_of, unit, 'backfilled', fitted_at_utc
    FROM warehouse.fit WHERE is_dated AND verdict = 'accepted'
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
)
SELECT
    k.league, s.kind, s.competitor_id, c.name, k.basis, k.as_of, s.rank, s.rank_low, s.rank_high,
    r.mean AS rating, r.sd, r.q5, r.q25, r.q50, r.q75, r.q95, k.unit, s.games,
    CASE WHEN k.basis = 'as_published' THEN k.told_at END AS published_at_utc, k.fit_id
FROM kept AS k
JOIN warehouse.standing AS s ON s.fit_id = k.fit_id AND s.status = 'ranked'
JOIN warehouse.rating AS r
    ON (r.fit_id, r.kind, r.competitor_id, r.component) = (s.fit_id, s.kind, s.competitor_id, 'total')
LEFT JOIN warehouse.competitor AS c ON (c.league, c.competitor_id) = (s.league, s.competitor_id)
ORDER BY k.league, s.kind, k.basis, k.as_of, s.rank NULLS LAST, r.mean DESC;
COMMENT ON TABLE rating_history IS 'One row a competitor that was ranked as of a day, and a basis: its rating by the results before that day, a contrast to the mean of those who were ranked then; uncertainty is posterior.';
COMMENT ON COLUMN rating_history.league IS 'League.';
COMMENT ON COLUMN rating_history.kind IS 'team or player; kinds are ranked apart.';
COMMENT ON COLUMN rating_history.competitor_id IS 'The competitor.';
COMMENT ON COLUMN rating_history.name IS 'Name shown to people.';
COMMENT ON COLUMN rating_history.basis IS 'as_published (what readers were shown; of days more than 28 before the newest, the last of each week) or backfilled (fitted later to today''s corrected results before that day, by the rules of a night).';
COMMENT ON COLUMN rating_history.as_of IS 'Results before this day 00:00 UTC were used.';
COMMENT ON COLUMN rating_history.rank IS 'Rank by mean rating among the ranked of the largest pool, from 1; NULL in other pools.';
COMMENT ON COLUMN rating_history.rank_low IS 'Best rank of the 90 % interval.';
COMMENT ON COLUMN rating_history.rank_high IS 'Worst rank of the 90 % interval.';
COMMENT ON COLUMN rating_history.rating IS 'Posterior mean rating, in `unit`.';
COMMENT ON COLUMN rating_history.sd IS 'Posterior standard deviation of the rating.';
COMMENT ON COLUMN rating_history.q5 IS '5 % quantile of the rating.';
COMMENT ON COLUMN rating_history.q25 IS '25 % quantile of the rating.';
COMMENT ON COLUMN rating_history.q50 IS 'Median of the rating.';
COMMENT ON COLUMN rating_history.q75 IS '75 % quantile of the rating.';
COMMENT ON COLUMN rating_history.q95 IS '95 % quantile of the rating.';
COMMENT ON COLUMN rating_history.unit IS 'Unit of the rating; it may change where the league''s model did.';
COMMENT ON COLUMN rating_history.games IS 'Contests it had played in the games used.';
COMMENT ON COLUMN rating_history.published_at_utc IS 'When that rating was first published, UTC; NULL where it was backfilled.';
COMMENT ON COLUMN rating_history.fit_id IS 'The fit the row comes from.';
