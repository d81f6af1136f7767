-- Who played which game, and how strong those were whom each met: looked up by competitor. `warehouse` is attached; league,
-- game, competitor, fit and leaderboard are there.

CREATE TABLE competitor_game AS
WITH entry AS (
    SELECT league, team AS competitor_id, game_id, side FROM warehouse.side WHERE team IS NOT NULL
    UNION ALL
    SELECT league, player, game_id, side FROM warehouse.appearance
)
SELECT e.league, e.competitor_id, c.kind, c.name, g.played_on, e.game_id, e.side
FROM entry AS e
JOIN league AS l ON l.league = e.league AND l.fit_id IS NOT NULL
JOIN game AS g ON (g.league, g.game_id) = (e.league, e.game_id)
JOIN competitor AS c ON (c.league, c.competitor_id) = (e.league, e.competitor_id)
ORDER BY e.league, e.competitor_id, g.played_on, e.game_id;
COMMENT ON TABLE competitor_game IS 'One row an entry of a competitor in a game of a league that is rated: a team whose side it is, or a player on that side. Games to come are among them: see game.status. Key: league, competitor_id, game_id, side.';
COMMENT ON COLUMN competitor_game.kind IS 'team or player.';
COMMENT ON COLUMN competitor_game.game_id IS 'The game.';
COMMENT ON COLUMN competitor_game.side IS 'The side in that game: see game.sides.';
COMMENT ON COLUMN competitor_game.played_on IS 'Day of the game.';

CREATE TABLE schedule AS
WITH entered AS (
    SELECT e.league, e.kind, e.competitor_id, e.name, e.game_id, e.side, b.rating, f.unit, f.fit_id
    FROM competitor_game AS e
    JOIN leaderboard AS b ON (b.league, b.kind, b.competitor_id) = (e.league, e.kind, e.competitor_id)
    JOIN fit AS f ON f.fit_id = b.fit_id AND e.played_on BETWEEN f.first_game_on AND f.last_game_on
    JOIN game AS g ON (g.league, g.game_id) = (e.league, e.game_id) AND g.status = 'played'
),
summed AS (
    SELECT
        *, sum(rating) OVER game AS all_sum, count(*) OVER game AS all_count,
        sum(rating) OVER own AS own_sum, count(*) OVER own AS own_count
    FROM entered
    WINDOW game AS (PARTITION BY league, kind, game_id), own AS (PARTITION BY league, kind, game_id, side)
)
SELECT
    league, kind, competitor_id, name, count(*) AS games,
    avg((all_sum - own_sum) / (all_count - own_count)) AS opponents_rating, any_value(unit) AS unit, any_value(fit_id) AS fit_id
FROM summed
WHERE all_count > own_count
GROUP BY league, kind, competitor_id, name
ORDER BY league, kind, opponents_rating DESC, competitor_id;
COMMENT ON TABLE schedule IS 'One row a rated competitor that met others: how strong they were, by what the published fit says of them today (strength of schedule). Key: league, kind, competitor_id.';
COMMENT ON COLUMN schedule.kind IS 'team or player.';
COMMENT ON COLUMN schedule.games IS 'Games, or stints of games, of those the fit used in which it met rated others of its kind.';
COMMENT ON COLUMN schedule.opponents_rating IS 'Mean over these games of the mean rating of those on the other sides: a posterior mean, in `unit`, as leaderboard.rating.';
COMMENT ON COLUMN schedule.unit IS 'Unit of ratings.';
COMMENT ON COLUMN schedule.fit_id IS 'The fit the ratings come from.';
