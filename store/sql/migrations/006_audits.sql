-- Fast fits that were made again by nuts, and how far the answers lie apart.

CREATE TABLE audit (
    league VARCHAR NOT NULL,
    fit_id VARCHAR PRIMARY KEY,
    audited_at_utc TIMESTAMP NOT NULL,
    engine VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL CHECK (verdict IN ('agrees', 'disagrees', 'unsettled')),
    message VARCHAR NOT NULL,
    is_whole BOOLEAN NOT NULL,
    games INTEGER NOT NULL,
    effects INTEGER NOT NULL,
    seconds DOUBLE NOT NULL,
    mean_difference DOUBLE,
    mean_difference_p99 DOUBLE,
    sd_ratio_low DOUBLE,
    sd_ratio_high DOUBLE,
    parameter_difference DOUBLE,
    parameter_sd_ratio_low DOUBLE,
    parameter_sd_ratio_high DOUBLE,
    chance_difference DOUBLE,
    rank_correlation DOUBLE,
    floor_mean_difference DOUBLE,
    floor_mean_difference_p99 DOUBLE,
    floor_sd_ratio_low DOUBLE,
    floor_sd_ratio_high DOUBLE,
    floor_parameter_difference DOUBLE,
    floor_parameter_sd_ratio_low DOUBLE,
    floor_parameter_sd_ratio_high DOUBLE,
    floor_chance_difference DOUBLE,
    floor_rank_correlation DOUBLE
);
COMMENT ON TABLE audit IS 'One row a fit by a fast engine that was audited: the same model of the same games was also fitted by nuts, and the answers compared.';
COMMENT ON COLUMN audit.league IS 'League of the fit.';
COMMENT ON COLUMN audit.fit_id IS 'The fit: the one whose answer was compared or, where nuts disagreed and engines were chosen by auto, the one that nuts made instead.';
COMMENT ON COLUMN audit.audited_at_utc IS 'When the fit was started, UTC.';
COMMENT ON COLUMN audit.engine IS 'The engine that was audited.';
COMMENT ON COLUMN audit.verdict IS 'agrees, disagrees (beyond the bounds: what this engine found is not published) or unsettled (nuts did not converge, so nothing can be said).';
COMMENT ON COLUMN audit.message IS 'What it means, in words.';
COMMENT ON COLUMN audit.is_whole IS 'True where the whole league was compared; false where a sub-league of its most-played competitors stood for it, the whole being too large for nuts.';
COMMENT ON COLUMN audit.games IS 'Games of what was compared.';
COMMENT ON COLUMN audit.effects IS 'Effects and states of what was compared.';
COMMENT ON COLUMN audit.seconds IS 'Wall time of the audit.';
COMMENT ON COLUMN audit.mean_difference IS 'Largest |difference| between the means of a published rating, the intercept or a fixed effect, in posterior sds by nuts; NULL, as all that follow, where unsettled.';
COMMENT ON COLUMN audit.mean_difference_p99 IS 'Its 99th percentile.';
COMMENT ON COLUMN audit.sd_ratio_low IS 'Smallest ratio of their sds, audited engine over nuts.';
COMMENT ON COLUMN audit.sd_ratio_high IS 'Largest ratio of their sds.';
COMMENT ON COLUMN audit.parameter_difference IS 'Largest |difference| between the means of a scale (as logarithm) or another parameter of the likelihood, in posterior sds by nuts.';
COMMENT ON COLUMN audit.parameter_sd_ratio_low IS 'Smallest ratio of their sds.';
COMMENT ON COLUMN audit.parameter_sd_ratio_high IS 'Largest ratio of their sds.';
COMMENT ON COLUMN audit.chance_difference IS 'Largest |difference| of P(a > b) over pairs of the first 60 ranked.';
COMMENT ON COLUMN audit.rank_correlation IS 'Spearman''s correlation of the mean ratings of the ranked; the least over kinds.';
COMMENT ON COLUMN audit.floor_mean_difference IS 'mean_difference of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_mean_difference_p99 IS 'mean_difference_p99 of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_sd_ratio_low IS 'sd_ratio_low of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_sd_ratio_high IS 'sd_ratio_high of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_parameter_difference IS 'parameter_difference of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_parameter_sd_ratio_low IS 'parameter_sd_ratio_low of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_parameter_sd_ratio_high IS 'parameter_sd_ratio_high of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_chance_difference IS 'chance_difference of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';
COMMENT ON COLUMN audit.floor_rank_correlation IS 'rank_correlation of the second halves of the chains of nuts from the first: what a full agreement looks like at half the draws.';

COMMENT ON COLUMN fit.engine IS 'How it was computed: joint (deterministic, one dense factor), chain (deterministic, messages between competitors and a global solve) or nuts (PyMC sampled by nutpie).';
