-- The quantiles of the margin of the next game of two competitors at one venue, where margins are not of small counts.
SELECT level, margin FROM margin_quantile($league, $a, $b) WHERE venue = $venue
