-- Joint posterior draws of the published fits: element k of every array of one fit is one joint draw. The variables
-- draw_files and draws_kept are set; draws are thinned evenly, so chains stay in equal shares.

CREATE TABLE rating_draw (
    league VARCHAR, kind VARCHAR, competitor_id VARCHAR, name VARCHAR, component VARCHAR, draws FLOAT[],
    ranks INTEGER[]
);
CREATE TABLE parameter_draw (league VARCHAR, parameter VARCHAR, draws FLOAT[]);
COMMENT ON TABLE rating_draw IS 'One row a component of a competitor''s rating: its joint posterior draws. Element k is the same joint draw in every row of a league. Key: league, kind, competitor_id, component.';
COMMENT ON COLUMN rating_draw.league IS 'League.';
COMMENT ON COLUMN rating_draw.kind IS 'team or player.';
COMMENT ON COLUMN rating_draw.competitor_id IS 'The competitor.';
COMMENT ON COLUMN rating_draw.name IS 'Name shown to people.';
COMMENT ON COLUMN rating_draw.component IS 'total, attack or defence.';
COMMENT ON COLUMN rating_draw.draws IS 'Ratings, in the unit of the league, as leaderboard.rating: less the mean of the ranked in the same draw. At most 1,000, thinned evenly.';
COMMENT ON COLUMN rating_draw.ranks IS 'Ranks among the ranked competitors in each draw, from 1; NULL unless component is total and the competitor is ranked.';
COMMENT ON TABLE parameter_draw IS 'One row a scale or fixed effect: its joint posterior draws, in step with rating_draw. Key: league, parameter.';
COMMENT ON COLUMN parameter_draw.league IS 'League.';
COMMENT ON COLUMN parameter_draw.parameter IS 'The parameter; intercept is the linear predictor of two reference sides on neutral ground.';
COMMENT ON COLUMN parameter_draw.draws IS 'Values, in units of the linear predictor, in step with rating_draw.draws.';
