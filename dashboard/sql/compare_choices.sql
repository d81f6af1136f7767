-- Who may be chosen to be compared: the best of one kind, ranked ones first; of_all: how many there are.
SELECT competitor_id, coalesce(name, competitor_id) AS name, rank, count(*) OVER () AS of_all
FROM leaderboard
WHERE league = $league AND kind = $kind
ORDER BY rank NULLS LAST, rating DESC
LIMIT 1500
