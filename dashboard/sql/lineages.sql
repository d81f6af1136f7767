-- Where one league's leaderboard comes from: the fit, the run that made it, and the files it was made of.
SELECT edition_id, fit_id, run_id, as_of, fitted_at_utc, engine, seed, games, games_fingerprint, code_hash, slice, source, sha256,
    fetched_at_utc, loaded_at_utc
FROM lineage($league)
