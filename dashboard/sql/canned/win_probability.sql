-- Who would win?
-- The next game of two competitors at either home and on neutral ground, from the joint draws: the chance that a wins, draws or loses, and how far the ratings' own uncertainty moves it (win_q5 to win_q95).
-- $league: key of a league
-- $a: a competitor's name or competitor_id
-- $b: the other's
FROM win_probability($league, $a, $b)
