-- Results
-- Games that were played, the last first, one row a side.
-- $league: key of a league
-- $since (day) = 0001-01-01: a day; only games from then on
SELECT
    g.game_id, g.played_on, g.season, g.round, g.neutral, g.status, s.side, s.team AS name, s.team_id AS competitor_id, s.is_home, s.score,
    s.finish, s.won
FROM (SELECT *, unnest(sides) AS s FROM game WHERE league = $league AND status <> 'scheduled' AND played_on >= $since::DATE) AS g
ORDER BY g.played_on DESC, g.game_id, s.side
