-- How competitors of one kind are learned to differ before anything is known of one: the density of Normal(0, scale) at each
-- distance x from their mean, as a mean over the joint draws of the scale with its 90 % interval; and the scale itself. Where
-- there are attack and defence, and where there are groups, their scales add as squares do. Of ratings that walk it is how
-- they begin.
WITH part AS (
    SELECT parameter, draws FROM parameter_draw
    WHERE league = $league AND parameter IN (
        'scale_' || $kind, 'scale_' || $kind || '_group', 'scale_attack', 'scale_attack_group', 'scale_defence',
        'scale_defence_group', 'scale_' || $kind || '_attack', 'scale_' || $kind || '_attack_group',
        'scale_' || $kind || '_defence', 'scale_' || $kind || '_defence_group'
    )
),
scale AS MATERIALIZED (
    SELECT number, sqrt(sum(value * value)) AS scale
    FROM (SELECT generate_subscripts(draws, 1) AS number, unnest(draws)::DOUBLE AS value FROM part)
    GROUP BY number
),
told AS MATERIALIZED (
    SELECT avg(scale) AS scale, quantile_cont(scale, 0.05) AS scale_q5, quantile_cont(scale, 0.95) AS scale_q95 FROM scale
),
place AS (
    SELECT unnest(range(-35, 36)) * told.scale / 10 AS x FROM told
),
density AS (
    SELECT x, exp(-0.5 * x * x / (scale * scale)) / (scale * sqrt(2 * pi())) AS height
    FROM place CROSS JOIN scale
    WHERE scale > 0
)
SELECT
    x, avg(height) AS density, quantile_cont(height, 0.05) AS density_q5, quantile_cont(height, 0.95) AS density_q95,
    any_value(told.scale) AS scale, any_value(told.scale_q5) AS scale_q5, any_value(told.scale_q95) AS scale_q95,
    (SELECT count(*) > 0 FROM parameter_draw WHERE league = $league AND parameter IN (
        'scale_' || $kind || '_walk', 'scale_attack_walk', 'scale_defence_walk', 'scale_' || $kind || '_attack_walk',
        'scale_' || $kind || '_defence_walk'
    )) AS is_walk
FROM density CROSS JOIN told
GROUP BY x
ORDER BY x
