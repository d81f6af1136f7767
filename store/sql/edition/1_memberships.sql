-- Who belonged to which group when. `warehouse` is attached; the table league is there.

CREATE TABLE membership AS
SELECT m.league, m.competitor_id, c.name, m.season, m.grouping, m."group"
FROM warehouse.membership AS m
LEFT JOIN warehouse.competitor AS c ON (c.league, c.competitor_id) = (m.league, m.competitor_id)
WHERE m.league IN (SELECT league FROM league WHERE is_shared)
ORDER BY m.league, m.grouping, m.competitor_id, m.season;
COMMENT ON TABLE membership IS 'One row a competitor''s membership of a group (a division, a confederation, a position) in a season. Key: league, competitor_id, season, grouping.';
COMMENT ON COLUMN membership.name IS 'Name shown to people.';
