-- What hangs most on the next games of a league, by its published fit.
SELECT
    f.first || ' – ' || f.second AS game, f.played_on, v.name, v.competitor_id, v.prize, v.chance, v.if_first_wins, v.if_drawn,
    v.if_second_wins, v.swing
FROM leverage AS v
JOIN forecast AS f USING (league, game_id)
WHERE v.league = $league AND v.as_of = (SELECT as_of FROM league WHERE league = $league)
ORDER BY v.swing DESC, f.played_on, v.name
LIMIT 15
