-- The ratings of one competitor where they vary, by surface or season: each against, and ranked among, those who have it.
SELECT varies_by, value, rating, sd, q5, q95, rank() OVER (PARTITION BY varies_by, value ORDER BY rating DESC) AS place,
    count(*) OVER (PARTITION BY varies_by, value) AS rated
FROM slope
WHERE league = $league AND kind = (SELECT any_value(kind) FROM slope WHERE league = $league AND competitor_id = $competitor)
QUALIFY competitor_id = $competitor
ORDER BY varies_by, value
