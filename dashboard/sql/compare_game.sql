-- The next game of two competitors at each venue: who is truly the better, and who wins.
SELECT venue, skill, win, draw, loss, win_q5, win_q95, a_expected, b_expected, margin FROM head_to_head($league, $a, $b)
