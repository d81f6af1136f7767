-- How many competitors played one contest only since the stanza's `since`: often a name spelt in two ways. One row.
WITH played AS (
    SELECT g.contest_id, s.team AS competitor_id, s.game_id, s.side
    FROM side AS s
    JOIN game AS g USING (league, game_id)
    JOIN league AS l USING (league)
    WHERE league = $league AND g.status = 'played' AND g.played_on >= coalesce((l.stanza ->> 'since')::DATE, '0001-01-01')
),
entrant AS (
    SELECT contest_id, competitor_id FROM played WHERE competitor_id IS NOT NULL
    UNION
    SELECT p.contest_id, a.player
    FROM played AS p JOIN appearance AS a ON a.league = $league AND a.game_id = p.game_id AND a.side = p.side
),
single AS (SELECT competitor_id FROM entrant GROUP BY competitor_id HAVING count(*) = 1)
SELECT
    'competitors' AS subject,
    count(*) || if(count(*) = 1, ' competitor has', ' competitors have') || ' one game only: '
    || array_to_string(list(c.name ORDER BY c.name)[:10], ', ') || if(count(*) > 10, ' ...', '.') AS message
FROM single JOIN competitor AS c ON c.league = $league AND c.competitor_id = single.competitor_id
HAVING count(*) > 0
