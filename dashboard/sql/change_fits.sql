-- The verdicts on the fits of one league, the newest first, without those that were fitted later to earlier days.
SELECT fit_id, as_of, fitted_at_utc, engine, verdict, reasons, override_reason, games, is_published
FROM fit
WHERE league = $league AND fit_id NOT IN (SELECT fit_id FROM rating_history WHERE league = $league AND basis = 'backfilled')
ORDER BY fitted_at_utc DESC, fit_id
LIMIT 20
