-- Cups by their newest outlook: each entrant with its chances to reach the rounds, in their order.
SELECT cup, name, competitor_id, list(round ORDER BY stage) AS rounds, list(chance ORDER BY stage) AS chances, any_value(as_of) AS as_of,
    any_value(made_at_utc) AS made_at_utc
FROM cup_outlook
WHERE league = $league
    AND (cup, as_of) IN (SELECT (cup, max(as_of)) FROM cup_outlook WHERE league = $league GROUP BY cup)
GROUP BY cup, competitor_id, name
ORDER BY any_value(as_of) DESC, cup, list_reverse(chances) DESC, name
