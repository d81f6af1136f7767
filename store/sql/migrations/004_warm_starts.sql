-- Where the chains of a fit started: from an earlier fit, or from the prior.

ALTER TABLE fit ADD COLUMN started_from VARCHAR;
COMMENT ON COLUMN fit.started_from IS 'The earlier accepted fit whose posterior means the sampler started around; NULL where it started from the prior. It changes how soon the chains settle, not what they settle on.';
COMMENT ON COLUMN pooling.pooling IS 'partial (scales learned; published unless the stanza asks otherwise), none (each competitor alone), complete (all alike), or baseline (shares of past results).';
COMMENT ON COLUMN pooling.difference IS 'Log loss less that of the published model on the same games; above 0: the published one forecasts better.';
