-- Which engine computed a fit, and why that one.

ALTER TABLE fit ADD COLUMN engine_reason VARCHAR;
COMMENT ON COLUMN fit.engine_reason IS 'Why this engine: asked for, or what of the model or of another engine''s checks decided it; NULL before engines were chosen.';
COMMENT ON COLUMN fit.engine IS 'How it was computed: joint (deterministic, one dense factor) or nuts (PyMC sampled by nutpie).';
