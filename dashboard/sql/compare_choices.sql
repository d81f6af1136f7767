-- Who may be compared: the best of one kind, ranked ones first.
SELECT competitor_id, coalesce(name, competitor_id) AS name, rank
FROM leaderboard
WHERE league = $league AND kind = $kind
ORDER BY rank NULLS LAST, rating DESC
LIMIT 1500
