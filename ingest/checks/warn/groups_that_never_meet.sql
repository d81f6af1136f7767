-- Competitors not linked to the largest group by any chain of games since the stanza's `since`: ratings mean nothing
-- between groups that never meet. One row a group; the label of a group spreads from its first member, hop by hop.
-- Each entrant of a game is linked to its first (by id) alone: that joins the same groups with far fewer links.
WITH RECURSIVE entrant AS MATERIALIZED (
    SELECT DISTINCT s.game_id, coalesce(s.team, a.player) AS competitor_id
    FROM side AS s
    JOIN game AS g USING (league, game_id)
    JOIN league AS l USING (league)
    LEFT JOIN appearance AS a ON s.team IS NULL AND a.league = s.league AND a.game_id = s.game_id AND a.side = s.side
    WHERE league = $league AND g.status = 'played' AND g.played_on >= coalesce((l.stanza ->> 'since')::DATE, '0001-01-01')
),
node AS (SELECT DISTINCT competitor_id FROM entrant WHERE competitor_id IS NOT NULL),
hub AS (SELECT game_id, min(competitor_id) AS hub FROM entrant GROUP BY game_id),
link AS MATERIALIZED (SELECT DISTINCT hub, competitor_id FROM entrant JOIN hub USING (game_id) WHERE competitor_id <> hub),
met AS MATERIALIZED (SELECT hub AS one, competitor_id AS other FROM link UNION SELECT competitor_id, hub FROM link),
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
