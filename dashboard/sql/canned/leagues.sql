-- Leagues
-- Every league of the edition, with its published fit and the verdict on its newest.
SELECT league, title, outcome, is_rated, is_simulated, unit, as_of, fitted_at_utc, games, games_rated, newest_verdict, licence, fit_id
FROM league
ORDER BY title, league
