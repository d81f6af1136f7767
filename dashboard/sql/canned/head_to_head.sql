-- Which of two is the better, and who wins the next game?
-- One row a venue: skill is the probability that a is truly the better; win, draw and loss are of the next game.
-- $league: key of a league
-- $a: a competitor's name or competitor_id
-- $b: the other's
FROM head_to_head($league, $a, $b)
