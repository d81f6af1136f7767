-- The chances of the scores of the next game of two competitors at one venue, where scores are small counts.
SELECT a_score, b_score, probability FROM score_probability($league, $a, $b) WHERE venue = $venue
