-- The kept fits of one league, newest first, rejected ones too.
SELECT
    fit_id, as_of, fitted_at_utc, engine, verdict, reasons, override_reason, outcome, unit, games, competitors,
    first_game_on, last_game_on, draws, seed, seconds, is_published
FROM fit
WHERE league = $league
ORDER BY fitted_at_utc DESC, fit_id
