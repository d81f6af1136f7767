-- A game that more than one side has won: who won is wrong, or it was level. Those who share one finish are a dead heat.
SELECT
    s.game_id AS subject,
    'It has ' || count(*) || ' winners: ' || string_agg(coalesce(c.name, 'side ' || s.side), ', ' ORDER BY s.side) || '.'
    AS message
FROM side AS s
LEFT JOIN competitor AS c ON c.league = s.league AND c.competitor_id = s.team
WHERE s.league = $league AND s.won
GROUP BY s.game_id
HAVING count(*) > 1 AND (count(s.finish) < count(*) OR min(s.finish) < max(s.finish))
ORDER BY ALL
