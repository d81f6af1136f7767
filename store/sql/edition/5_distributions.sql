-- Distribution functions that DuckDB lacks: what the macros of games are made of.

-- A count of mean m and variance m + k m^2 (negative binomial; Poisson where k = 0) is g with log chance
--   g ln(m / (1 + m k)) - ln(1 + m k) / k - ln g! + ln(1 (1 + k) ... (1 + (g - 1) k)),
-- the last being ln Gamma(g + 1/k) - ln Gamma(1/k) + g ln k. What many counts share is made once and comes in.
CREATE MACRO count_chance(goals, log_factorial, log_slope, log_start, excess) AS exp(
    goals * log_slope - log_start - log_factorial
    + CASE WHEN excess > 0 THEN lgamma(goals + 1 / excess) - lgamma(1 / excess) + goals * ln(excess) ELSE 0 END
);
COMMENT ON MACRO count_chance IS 'count_chance(goals, log_factorial, log_slope, log_start, excess): the chance of a count, given the logarithm of its factorial and, for mean m and variance m + excess * m^2, log_slope = ln(m / (1 + m * excess)) and log_start = ln(1 + m * excess) / excess; for a Poisson count excess = 0, log_slope = ln(m) and log_start = m. Example: SELECT count_chance(2, ln(2), ln(1.4), 1.4, 0)';

CREATE MACRO logistic(z_value) AS 0.5 + 0.5 * tanh(0.5 * z_value);
COMMENT ON MACRO logistic IS 'logistic(z_value): the logistic distribution function. Example: SELECT logistic(0.5)';

-- Hart (1968) in the form of West (2005), "Better approximations to cumulative normal functions": to double precision.
CREATE MACRO normal_cdf(z_value) AS CASE WHEN z_value > 0 THEN 1.0 ELSE 0.0 END + CASE WHEN z_value > 0 THEN -1 ELSE 1 END
    * exp(-0.5 * z_value * z_value) * CASE
    WHEN abs(z_value) < 7.07106781186547 THEN
        ((((((3.52624965998911e-02 * abs(z_value) + 0.700383064443688) * abs(z_value) + 6.37396220353165)
            * abs(z_value) + 33.912866078383) * abs(z_value) + 112.079291497871) * abs(z_value) + 221.213596169931)
            * abs(z_value) + 220.206867912376)
        / (((((((8.83883476483184e-02 * abs(z_value) + 1.75566716318264) * abs(z_value) + 16.064177579207)
            * abs(z_value) + 86.7807322029461) * abs(z_value) + 296.564248779674) * abs(z_value) + 637.333633378831)
            * abs(z_value) + 793.826512519948) * abs(z_value) + 440.413735824752)
    ELSE
        1 / ((abs(z_value) + 1 / (abs(z_value) + 2 / (abs(z_value) + 3 / (abs(z_value) + 4 / (abs(z_value) + 0.65)))))
            * 2.506628274631)
    END;
COMMENT ON MACRO normal_cdf IS 'normal_cdf(z_value): the standard normal distribution function. Example: SELECT normal_cdf(1.96)';

-- Hill (1970), "Algorithm 395: Student's t-distribution", Communications of the ACM 13. Against the exact distribution
-- function the error is at most 0.0003, at two degrees of freedom, and below 0.00002 from three on.
CREATE MACRO student_as_normal(t_value, freedom) AS sign(t_value) * list_transform(
    [(freedom - 0.5) * ln(1 + t_value * t_value / freedom)],
    lambda y: sqrt(y) * (
        1 + (y + 3 + (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + 48 * (freedom - 0.5) * (freedom - 0.5)))
        / (48 * (freedom - 0.5) * (freedom - 0.5))
    )
)[1];
COMMENT ON MACRO student_as_normal IS 'student_as_normal(t_value, freedom): the z whose normal_cdf is Student''s distribution function at t, to 0.0003 for two degrees of freedom or more. Example: SELECT normal_cdf(student_as_normal(1.5, 4))';

CREATE MACRO margin_chance(z_value, freedom) AS
    normal_cdf(CASE WHEN freedom IS NULL THEN z_value ELSE student_as_normal(z_value, freedom) END);
COMMENT ON MACRO margin_chance IS 'margin_chance(z_value, freedom): the chance that a margin is below z standard deviations above its mean: Student''s distribution function, the normal one where freedom is NULL. Example: SELECT margin_chance(-0.5, NULL)';

CREATE MACRO margin_density(z_value, freedom) AS CASE
    WHEN freedom IS NULL THEN exp(-0.5 * z_value * z_value) / sqrt(2 * pi())
    ELSE exp(lgamma(0.5 * (freedom + 1)) - lgamma(0.5 * freedom) - 0.5 * (freedom + 1) * ln(1 + z_value * z_value / freedom))
        / sqrt(pi() * freedom)
END;
COMMENT ON MACRO margin_density IS 'margin_density(z_value, freedom): the density of margin_chance. Example: SELECT margin_density(-0.5, NULL)';
