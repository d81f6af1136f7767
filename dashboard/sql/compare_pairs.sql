-- Of competitors of one kind, pair by pair, the probability that the first is rated above the second, from the joint draws.
SELECT a_id, b_id, a, b, probability, difference, difference_q5, difference_q95
FROM compare($league, list_filter([$a, $b, $c, $d, $e, $f], lambda id: id <> ''))
