-- Competitors not linked to the largest group by any chain of games since the stanza's `since`: ratings mean nothing
-- between groups that never meet. One row a group; the label of a group spreads from its first member, hop by hop.
WITH RECURSIVE entrant AS (
    SELECT DISTINCT s.game_id, coalesce(s.team, a.player) AS competitor_id
    FROM side AS s
    JOIN game AS g USING (league, game_id)
    JOIN league AS l USING (league)
    LEFT JOIN appearance AS a ON s.team IS NULL AND a.league = s.league AND a.game_id = s.game_id AND a.side = s.side
    WHERE league = $league AND g.status = 'played' AND g.played_on >= coalesce((l.stanza ->> 'since')::DATE, '0001-01-01')
),
node AS (SELECT DISTINCT competitor_id FROM entrant WHERE competitor_id IS NOT NULL),
met AS (
    SELECT DISTINCT a.competitor_id AS one, b.competitor_id AS other
    FROM entrant AS a JOIN entrant AS b USING (game_id) WHERE a.competitor_id <> b.competitor_id
),
label (competitor_id, root) USING KEY (competitor_id) AS (
    SELECT competitor_id, competitor_id FROM node
    UNION
    SELECT m.other, min(l.root)
    FROM label AS l
    JOIN met AS m ON m.one = l.competitor_id
    JOIN recurring.label AS r ON r.competitor_id = m.other
    WHERE l.root < r.root
    GROUP BY m.other
),
pool AS (
    SELECT
        root, count(*) AS members, row_number() OVER (ORDER BY count(*) DESC, root) AS place,
        list(coalesce(c.name, l.competitor_id) ORDER BY coalesce(c.name, l.competitor_id)) AS names
    FROM label AS l LEFT JOIN competitor AS c ON c.league = $league AND c.competitor_id = l.competitor_id
    GROUP BY root
)
SELECT
    names[1] AS subject,
    members || ' competitors never meet the largest group, of ' || (SELECT members FROM pool WHERE place = 1) || ': '
    || array_to_string(names[:10], ', ') || if(members > 10, ' ...', '.') AS message
FROM pool
WHERE place > 1
ORDER BY place
