-- Competitors of every rated league whose names hold some words, whatever their accents: names that begin so first; of_all: how many there are.
SELECT
    b.league, l.title, b.kind, b.competitor_id, coalesce(b.name, b.competitor_id) AS name, b.rank, b.status, b.rating, b.games,
    count(*) OVER () AS of_all
FROM leaderboard AS b JOIN league AS l USING (league)
WHERE contains(strip_accents(lower(b.name)), strip_accents(lower($words)))
ORDER BY NOT starts_with(strip_accents(lower(b.name)), strip_accents(lower($words))), b.rank NULLS LAST, name, b.league
LIMIT 100
