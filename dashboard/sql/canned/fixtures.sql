-- Games to come
-- Games that are scheduled, the next first, one row a game of two sides.
-- $league: key of a league
SELECT
    game_id, played_on, season, round, neutral, sides[1].team AS a_name, sides[2].team AS b_name, sides[1].is_home AS is_a_home,
    sides[1].team_id AS a_competitor_id, sides[2].team_id AS b_competitor_id
FROM game
WHERE league = $league AND status = 'scheduled'
ORDER BY played_on, game_id
