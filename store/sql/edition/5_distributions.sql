-- Distribution functions that DuckDB lacks: what the macros of games are made of.

-- A count of mean m and variance m + k m^2 (negative binomial; Poisson where k = 0) is g with log chance
--   g ln(m / (1 + m k)) - ln(1 + m k) / k - ln g! + ln(1 (1 + k) ... (1 + (g - 1) k)),
-- the last being ln Gamma(g + 1/k) - ln Gamma(1/k) + g ln k. What many counts share is made once and comes in.
CREATE MACRO log_excess(goals, excess) AS CASE
    WHEN excess > 0 THEN lgamma(goals + 1 / excess) - lgamma(1 / excess) + goals * ln(excess) ELSE 0
END;
COMMENT ON MACRO log_excess IS 'log_excess(goals, excess): the last part of the logarithm of a count''s chance, which a Poisson count (excess = 0) has not: see count_chance. Example: SELECT log_excess(2, 0.1)';

CREATE MACRO log_slope(mean_value, excess) AS ln(mean_value / (1 + mean_value * excess));
COMMENT ON MACRO log_slope IS 'log_slope(mean_value, excess): log_slope of count_chance. Example: SELECT log_slope(1.4, 0)';

CREATE MACRO log_start(mean_value, excess) AS CASE
    WHEN excess > 0 THEN ln(1 + mean_value * excess) / excess ELSE mean_value
END;
COMMENT ON MACRO log_start IS 'log_start(mean_value, excess): log_start of count_chance. Example: SELECT log_start(1.4, 0)';

CREATE MACRO count_chance(goals, log_factorial, log_slope, log_start, excess) AS
    exp(goals * log_slope - log_start - log_factorial + log_excess(goals, excess));
COMMENT ON MACRO count_chance IS 'count_chance(goals, log_factorial, log_slope, log_start, excess): the chance of a count, given the logarithm of its factorial and, for mean m and variance m + excess * m^2, log_slope = ln(m / (1 + m * excess)) and log_start = ln(1 + m * excess) / excess; for a Poisson count excess = 0, log_slope = ln(m) and log_start = m. Example: SELECT count_chance(2, ln(2), log_slope(1.4, 0), log_start(1.4, 0), 0)';

-- The characteristic function of a count at angle t is exp(m (e^it - 1)), or (1 - m k (e^it - 1))^(-1/k) where k > 0. That of
-- the difference of two is that of the one times that of the other at -t.
CREATE MACRO poisson_wave(a_mean, b_mean, less, sine) AS
    {'size': exp(-(a_mean + b_mean) * less), 'phase': (a_mean - b_mean) * sine};
COMMENT ON MACRO poisson_wave IS 'poisson_wave(a_mean, b_mean, less, sine): modulus (size) and argument (phase) of the characteristic function of the difference of two Poisson counts at an angle, given 1 less its cosine, and its sine. Example: SELECT poisson_wave(1.4, 1.1, 1 - cos(0.5), sin(0.5))';

CREATE MACRO binomial_wave(a_mean, b_mean, excess, less, sine) AS {
    'size': pow(
        (pow(1 + a_mean * excess * less, 2) + pow(a_mean * excess * sine, 2))
        * (pow(1 + b_mean * excess * less, 2) + pow(b_mean * excess * sine, 2)),
        -0.5 / excess
    ),
    'phase': (atan2(a_mean * excess * sine, 1 + a_mean * excess * less) - atan2(b_mean * excess * sine, 1 + b_mean * excess * less)) / excess
};
COMMENT ON MACRO binomial_wave IS 'binomial_wave(a_mean, b_mean, excess, less, sine): poisson_wave for counts of mean m and variance m + excess * m^2, excess being above 0. Example: SELECT binomial_wave(1.4, 1.1, 0.1, 1 - cos(0.5), sin(0.5))';

-- From an angle of pi / (2 * how_many) on, halfway between those of a discrete Fourier transform: see game_draw.
CREATE MACRO difference_angles(how_many) AS
    [{'angle': t, 'less': 1 - cos(t), 'sine': sin(t)} FOR t IN [pi() * (j - 0.5) / how_many FOR j IN range(1, how_many + 1)]];
COMMENT ON MACRO difference_angles IS 'difference_angles(how_many): angles at which poisson_wave or binomial_wave is summed to give the chances of a difference, each with 1 less its cosine, and its sine. Example: SELECT difference_angles(3)';

CREATE MACRO difference_reach(a_mean, b_mean, spread, excess) AS 5 + abs(a_mean - b_mean) + 7 * spread
    + CASE WHEN excess > 0 THEN 21 / ln(1 + 1 / (greatest(a_mean, b_mean) * excess)) ELSE 0 END;
COMMENT ON MACRO difference_reach IS 'difference_reach(a_mean, b_mean, spread, excess): how far the difference of two counts, of standard deviation spread, may be from 0: beyond lies less than 1e-9 of Poisson counts, and of a negative binomial''s geometric tail. Example: SELECT difference_reach(1.4, 1.1, sqrt(2.5), 0)';

CREATE MACRO logistic(z_value) AS 0.5 + 0.5 * tanh(0.5 * z_value);
COMMENT ON MACRO logistic IS 'logistic(z_value): the logistic distribution function. Example: SELECT logistic(0.5)';

-- Hart (1968) in the form of West (2005), "Better approximations to cumulative normal functions": to double precision. What is
-- asked for is named once and the polynomials are lists: a macro's argument is planned as often as its body says it.
CREATE MACRO normal_cdf(z_value) AS list_transform([z_value], lambda z: (z > 0)::INTEGER + CASE WHEN z > 0 THEN -1 ELSE 1 END
    * exp(-0.5 * z * z) * CASE
    WHEN abs(z) < 7.07106781186547 THEN
        list_reduce([
            3.52624965998911e-02, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931,
            220.206867912376
        ]::DOUBLE[], lambda so_far, next: so_far * abs(z) + next)
        / list_reduce([
            8.83883476483184e-02, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
            793.826512519948, 440.413735824752
        ]::DOUBLE[], lambda so_far, next: so_far * abs(z) + next)
    ELSE
        1 / ((abs(z) + 1 / (abs(z) + 2 / (abs(z) + 3 / (abs(z) + 4 / (abs(z) + 0.65))))) * 2.506628274631)
    END
)[1];
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
