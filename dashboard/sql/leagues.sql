-- Every league with what a reader must know before believing its ratings, a person's acceptance of what the rules
-- reject among it, and its three best.
SELECT
    l.league, l.title, l.outcome, l.is_simulated, l.is_rated, l.licence, l.fit_id, l.unit, l.as_of, l.fitted_at_utc,
    l.loaded_at_utc, l.games, l.games_rated, l.newest_fit_id, l.newest_verdict, coalesce(l.newest_reasons, []) AS newest_reasons,
    l.likelihood, l.players_a_side, f.override_reason, coalesce(f.reasons, []) AS overridden_reasons,
    coalesce(b.kinds, []) AS kinds, coalesce(b.rated, 0) AS rated, coalesce(b.best, []) AS best
FROM league AS l
LEFT JOIN fit AS f USING (league, fit_id)
LEFT JOIN (
    SELECT
        league, count(*) AS rated, list_reverse_sort(list(DISTINCT kind)) AS kinds,
        list(coalesce(name, competitor_id) ORDER BY rank)
            FILTER (rank <= 3 AND kind = first_kind) AS best
    FROM (SELECT *, max(kind) OVER (PARTITION BY league) AS first_kind FROM leaderboard)
    GROUP BY league
) AS b USING (league)
ORDER BY l.fit_id IS NULL, l.title, l.league
