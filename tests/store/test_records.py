"""Strength of record: results, and what the average competitor would have made of the same games, by SciPy."""

import math

import duckdb
import pytest
from scipy.special import expit
from scipy.stats import nbinom, norm, poisson
from scipy.stats import t as student

from store.edition import publish
from store.warehouse import writing

B, C = 0.0, -1.0  # ratings of whom A, the first, met: B at home, C away


def by_counts(own, other, excess=0.0):
    """The chance of the higher count with half of that of the same one."""
    counts = range(200)
    first, second = (
        nbinom.pmf(counts, 1 / excess, 1 / (1 + m * excess)) if excess else poisson.pmf(counts, m) for m in (own, other)
    )
    return sum(first[g] * (second[:g].sum() + 0.5 * second[g]) for g in counts)


CASES = {
    # case: outcome, likelihood, parameters, the chance of an average side against a rating, at home or away
    "counts": ("score", "poisson", {"intercept": 0.3, "home": 0.2},
               lambda r, at_home: by_counts(*expected(0.3, 0.2, r, at_home))),
    "wide_counts": ("score", "negative_binomial", {"intercept": 0.3, "home": 0.2, "overdispersion": 0.4},
                    lambda r, at_home: by_counts(*expected(0.3, 0.2, r, at_home), 0.4)),
    "margins": ("margin", "student", {"home": 2.0, "sigma": 5.0, "tails": 3.0},
                lambda r, at_home: student.cdf(((2.0 if at_home else -2.0) - r) / 5.0, 5.0)),
    "results": ("result", "logit", {"home": 0.4, "draw_width": 0.3},
                lambda r, at_home: result(expit, (0.4 if at_home else -0.4) - r)),
    "probits": ("result", "probit", {"home": 0.4, "draw_width": 0.3},
                lambda r, at_home: result(norm.cdf, (0.4 if at_home else -0.4) - r)),
}  # fmt: skip


def expected(intercept, home, rating, at_home):
    """Expected counts of the average side and of the other."""
    return math.exp(intercept + (home if at_home else 0.0)), math.exp(intercept + rating + (0.0 if at_home else home))


def result(cdf, z, width=0.3):
    return 0.5 + 0.5 * (cdf(z - width) - cdf(-z - width))


@pytest.mark.parametrize("name", ["counts", *(pytest.param(case, marks=pytest.mark.slow) for case in [*CASES][1:])])
def test_a_record_is_held_against_what_the_average_would_have_made_of_it(rated, now, name):
    outcome, likelihood, parameters, chance = CASES[name]
    with writing(rated) as con:
        con.execute("UPDATE league SET outcome = ?", [outcome])
        con.execute("UPDATE fit SET outcome = ?, design = json_object('likelihood_name', ?)", [outcome, likelihood])
        con.executemany(
            "INSERT INTO hyperparameter BY NAME SELECT ? AS league, ? AS fit_id, ? AS parameter, ? AS title,"
            " '' AS prior, ? AS mean, 0.1 AS sd, 0 AS q5, 0 AS q25, 0 AS q50, 0 AS q75, 0 AS q95",
            [["alps", "f1", parameter, parameter, value] for parameter, value in parameters.items()],
        )
    sql = "SELECT games, share, expected_share, record_strength FROM record WHERE name = 'A'"
    with duckdb.connect(str(publish(rated, ["alps"], now)), read_only=True) as con:
        ((games, share, held, strength),) = con.execute(sql).fetchall()
    assert (games, share) == (2, 0.5)  # won at home, lost away
    wanted = (chance(B, True) + chance(C, False)) / 2
    assert held == pytest.approx(wanted, abs=1e-4) and strength == pytest.approx(0.5 - wanted, abs=1e-4)
