-- The evidence beside the checks of each fit that `fit` holds. `warehouse` is attached.

CREATE TABLE diagnosis AS
SELECT t.* FROM warehouse.diagnosis AS t WHERE t.fit_id IN (SELECT fit_id FROM fit) ORDER BY t.league, t.fit_id, t.place;
COMMENT ON TABLE diagnosis IS 'One row a quantity: of a fit by chains the ten that agree least, of all there are: parameters, ratings and every other effect. Fits without chains have none; of parameters see hyperparameter too. Key: fit_id, place.';

CREATE TABLE pit AS
SELECT t.* FROM warehouse.pit AS t WHERE t.fit_id IN (SELECT fit_id FROM fit) ORDER BY t.league, t.fit_id, t.kind, t.bin;
COMMENT ON TABLE pit IS 'One row a bin of a histogram: where results lie among what was forecast of them (probability integral transform). Flat where forecasts are right, hollow where they are too sure, heaped where too wide. Key: fit_id, kind, bin.';
COMMENT ON COLUMN pit.expected IS 'Share of the results in the bin where forecasts are right.';
COMMENT ON COLUMN pit.high IS 'All bins together lie between low and high in 95 % of leagues whose forecasts are right.';

CREATE TABLE rootogram AS
SELECT t.* FROM warehouse.rootogram AS t WHERE t.fit_id IN (SELECT fit_id FROM fit) ORDER BY t.league, t.fit_id, t.count;
COMMENT ON TABLE rootogram IS 'One row a count: how many sides scored it, and how many would in leagues that the model makes (Kleiber and Zeileis, 2016). Only of outcomes that count. Key: fit_id, count.';

CREATE TABLE calibration AS
SELECT t.* FROM warehouse.calibration AS t WHERE t.fit_id IN (SELECT fit_id FROM fit) ORDER BY t.league, t.fit_id, t.event, t.bin;
COMMENT ON TABLE calibration IS 'One row a bin of forecasts of games that the fit had not seen, of much the same chance: how often the event came. Key: fit_id, event, bin.';
COMMENT ON COLUMN calibration.forecast IS 'Mean chance that was forecast in the bin.';
COMMENT ON COLUMN calibration.low IS '5 % quantile of the observed share in leagues drawn from the forecasts.';
COMMENT ON COLUMN calibration.high IS '95 % quantile of the observed share in leagues drawn from the forecasts.';

CREATE TABLE residual AS
SELECT t.* FROM warehouse.residual AS t WHERE t.fit_id IN (SELECT fit_id FROM fit) ORDER BY t.league, t.fit_id, t.dimension, t.level, t.measure;
COMMENT ON TABLE residual IS 'One row a group of games: by how much its results were above what the fit makes of them, on average. Of competitors the twenty that stand out most; the fit has seen these games, so that what stands out is real, and more may hide. Key: fit_id, dimension, level, measure.';
COMMENT ON COLUMN residual.low IS 'Lower end of the 90 % interval of the mean: what chance alone leaves open.';
COMMENT ON COLUMN residual.high IS 'Upper end of the 90 % interval of the mean.';
