-- Fits and verdicts
-- The league's newest fits and the published one, each with what it used and why it was rejected if it was.
-- $league: key of a league
SELECT fit_id, is_published, verdict, reasons, as_of, fitted_at_utc, engine, likelihood, games, competitors
FROM fit WHERE league = $league ORDER BY fitted_at_utc DESC
