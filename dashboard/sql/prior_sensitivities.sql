-- Every parameter of one fit and the ratings that lean on priors most, the most first.
SELECT
    s.kind, s.quantity, coalesce(h.title, c.name, s.quantity) AS title, s.prior, s.likelihood, s.diagnosis,
    count(*) FILTER (s.kind <> 'parameter') OVER () AS rated,
    count(*) FILTER (s.kind <> 'parameter' AND s.diagnosis <> 'rests on the results') OVER () AS leaning
FROM prior_sensitivity AS s
LEFT JOIN hyperparameter AS h ON (h.league, h.fit_id, h.parameter) = (s.league, s.fit_id, s.quantity)
LEFT JOIN competitor AS c ON (c.league, c.competitor_id) = (s.league, s.quantity)
WHERE s.league = $league AND s.fit_id = $fit_id
QUALIFY s.kind = 'parameter' OR row_number() OVER (PARTITION BY s.kind <> 'parameter' ORDER BY s.prior DESC) <= 5
ORDER BY s.prior DESC, s.kind, s.quantity
