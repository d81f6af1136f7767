"""Chances of the next game in SQL, for every outcome and likelihood, held to NumPy and SciPy on the same draws."""

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy.special import expit, ndtr, stdtr
from scipy.stats import nbinom, poisson

from store.edition import publish
from store.warehouse import writing

DRAWS = 300
COUNTS = np.arange(400)
MANY = np.arange(1200)


def chances_of(likelihood, first, second, parameters):
    """Chances of win, draw and loss in every draw, by the definition of each likelihood; shape (draws, 3)."""
    z, zero = first - second, np.zeros(len(first))
    if likelihood in ("logit", "plackett_luce", "worst_first", "probit"):
        cdf, width = ndtr if likelihood == "probit" else expit, parameters.get("draw_width", zero)
        win, loss = cdf(z - width), cdf(-z - width)
        return np.stack([win, 1 - win - loss, loss], axis=1)
    if likelihood in ("normal", "student", "normal_score"):
        z = z / parameters["sigma"] / (np.sqrt(2) if likelihood == "normal_score" else 1)
        win = stdtr(2 + parameters["tails"], z) if likelihood == "student" else ndtr(z)
        return np.stack([win, zero, 1 - win], axis=1)
    each = zip(np.exp(first), np.exp(second), *corners(parameters), strict=True)
    return np.array([grid(likelihood, *of_draw) for of_draw in each])


def corners(parameters):
    zero = np.zeros(DRAWS)
    return parameters.get("overdispersion", zero), parameters.get("low_scores", zero)


def grid(likelihood, mean, other, excess, low):
    """The joint chances of all scores, laid out whole and added up."""
    counts = COUNTS if max(mean, other) < 200 else MANY
    if likelihood == "negative_binomial":
        masses = [nbinom.pmf(counts, 1 / excess, 1 / (1 + m * excess)) for m in (mean, other)]
    else:
        masses = [poisson.pmf(counts, m) for m in (mean, other)]
    joint = np.outer(*masses)
    joint[:2, :2] *= np.array([[1 - mean * other * low, 1 + mean * low], [1 + other * low, 1 - low]])
    return np.tril(joint, -1).sum(), np.trace(joint), np.triu(joint, 1).sum()


CASES = {
    # case: outcome, likelihood, spread of ratings, parameters by name: mean and sd
    "win": ("win", "logit", 1.0, {"home": (0.2, 0.05)}),
    "win_probit": ("win", "probit", 1.0, {}),
    "result": ("result", "logit", 0.8, {"home": (0.3, 0.05), "draw_width": (0.5, 0.03)}),
    "result_probit": ("result", "probit", 0.8, {"draw_width": (0.5, 0.03)}),
    "margin": ("margin", "normal", 6.0, {"home": (2.5, 0.2), "sigma": (12.0, 0.3)}),
    "score": ("score", "poisson", 0.4, {"intercept": (0.2, 0.05), "home": (0.25, 0.05)}),
    "high_score": ("score", "poisson", 0.1, {"intercept": (4.6, 0.02), "home": (0.05, 0.01)}),
    "spread_score": ("score", "negative_binomial", 0.3, {"intercept": (1.5, 0.05), "overdispersion": (0.25, 0.02)}),
    "low_score": (
        "score", "dixon_coles", 0.4, {"intercept": (0.2, 0.05), "home": (0.25, 0.05), "low_scores": (-0.07, 0.02)}
    ),
    "points": ("score", "normal", 4.0, {"intercept": (55.0, 1.0), "home": (1.5, 0.3), "sigma": (11.0, 0.3)}),
    "order": ("order", "plackett_luce", 1.5, {}),
    "worst_first": ("order", "worst_first", 1.5, {}),
}  # fmt: skip
LARGE = {
    "poisson": ("score", "poisson", 0.01, {"intercept": (6.4, 0.01), "home": (0.02, 0.005)}),
    "negative_binomial": (
        "score",
        "negative_binomial",
        0.05,
        {"intercept": (6.0, 0.01), "overdispersion": (0.02, 0.002)},
    ),
}
STUDENT = ("margin", "student", 6.0, {"home": (2.5, 0.2), "sigma": (9.0, 0.3), "tails": (1.5, 0.6)})


def made(home, outcome, likelihood, spread, parameters, seed=1):
    """Makes the league's fit one of this outcome; returns its draws by competitor and component, and by parameter."""
    rng = np.random.default_rng(seed)
    names = ("attack", "defence") if outcome == "score" else ("total",)
    ratings = {(who, part): rng.normal(0, spread, DRAWS) for who in ("fifa:A", "fifa:B", "fifa:C") for part in names}
    if outcome == "score":
        ratings |= {
            (who, "total"): np.sum([ratings[who, part] for part in names], axis=0)
            for who in ("fifa:A", "fifa:B", "fifa:C")
        }
    shared = {name: np.abs(rng.normal(0, sd, DRAWS) + mean) * np.sign(mean) for name, (mean, sd) in parameters.items()}
    kept = {key: draws.astype(np.float32) for key, draws in (ratings | shared).items()}
    rows = [
        {"league": "alps", "kind": "team", "competitor_id": key[0], "component": key[1], "draws": draws}
        if isinstance(key, tuple)
        else {"league": "alps", "parameter": key, "draws": draws}
        for key, draws in kept.items()
    ]
    schema = dict.fromkeys(("league", "kind", "competitor_id", "component", "parameter"), pl.String)
    schema |= {"draws": pl.List(pl.Float32), "ranks": pl.List(pl.Int32)}
    pl.DataFrame(rows, schema=schema).write_parquet(home.draws_of("f1"))
    with writing(home) as con:
        con.execute("UPDATE league SET outcome = ?", [outcome])
        con.execute("UPDATE fit SET outcome = ?, design = json_object('likelihood_name', ?)", [outcome, likelihood])
    return {key: draws.astype(float) for key, draws in kept.items()}


def frame(result) -> pl.DataFrame:
    found = pl.from_arrow(result.to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found


def asked(home, now, a="A", b="B"):
    with duckdb.connect(str(publish(home, ["alps"], now)), read_only=True) as con:
        return frame(con.sql("FROM win_probability('alps', $a, $b)", params={"a": a, "b": b}))


def predictors(draws, outcome, a_home, b_home):
    """Linear predictors of A against B, by the definition of a rating."""
    start, home = draws.get("intercept", 0), draws.get("home", 0)
    if outcome == "score":
        a = draws["fifa:A", "attack"] - draws["fifa:B", "defence"]
        b = draws["fifa:B", "attack"] - draws["fifa:A", "defence"]
    else:
        a, b = draws["fifa:A", "total"], draws["fifa:B", "total"]
    return start + a_home * home + a, start + b_home * home + b


def compared(rated, now, case, within):
    outcome, likelihood, _, parameters = case
    draws = made(rated, *case)
    found = asked(rated, now)
    venues = {"a at home": (1, 0), "neutral": (0, 0), "b at home": (0, 1)}
    assert found["venue"].to_list() == (list(venues) if "home" in parameters else ["neutral"])
    for row in found.iter_rows(named=True):
        first, second = predictors(draws, outcome, *venues[row["venue"]])
        name = "normal_score" if (outcome, likelihood) == ("score", "normal") else likelihood
        each = chances_of(name, first, second, draws)
        assert [row["win"], row["draw"], row["loss"]] == pytest.approx(each.mean(axis=0), abs=within)
        assert [row["win_q5"], row["win_q95"]] == pytest.approx(np.quantile(each[:, 0], [0.05, 0.95]), abs=within)


@pytest.mark.parametrize("name", CASES)
def test_chances_are_those_of_the_likelihood_on_the_same_draws(rated, now, name):
    compared(rated, now, CASES[name], 1e-9)


def test_student_margins_are_within_their_stated_error(rated, now):
    compared(rated, now, STUDENT, 3e-4)


@pytest.mark.parametrize("name", LARGE)
def test_scores_of_hundreds_are_within_their_stated_error(rated, now, monkeypatch, name):
    monkeypatch.setitem(globals(), "DRAWS", 12)
    compared(rated, now, LARGE[name], 1e-3)


def test_the_normal_approximation_of_students_distribution_has_the_error_that_is_written(rated, now):
    path = publish(rated, ["alps"], now)
    t = np.round(np.linspace(-60, 60, 2401), 3)
    with duckdb.connect(str(path), read_only=True) as con:
        con.register("points", pl.DataFrame({"t": t}).to_arrow())
        for freedom, within in ((2.0, 3e-4), (2.5, 1e-4), (3.0, 2e-5), (8.0, 1e-6), (60.0, 1e-9)):
            sql = f"SELECT normal_cdf(student_as_normal(t, {freedom})) FROM points ORDER BY t"
            found = np.array(con.execute(sql).fetchall())[:, 0]
            assert np.abs(found - stdtr(freedom, t)).max() < within, freedom
        found = np.array(con.execute("SELECT normal_cdf(t), logistic(t) FROM points ORDER BY t").fetchall())
    assert found[:, 0] == pytest.approx(ndtr(t), abs=1e-14)
    assert found[:, 1] == pytest.approx(expit(t), abs=1e-14)


def test_expected_scores_and_margins_stand_only_where_the_outcome_has_them(rated, now):
    answers = {}
    for name in ("score", "margin", "order"):
        made(rated, *CASES[name])
        answers[name] = asked(rated, now).row(0, named=True)
    goals, points, race = answers.values()
    assert goals["margin"] == pytest.approx(goals["a_expected"] - goals["b_expected"])
    assert points["a_expected"] is None
    assert points["margin"] is not None
    assert race["margin"] is None
    assert race["draw"] == pytest.approx(0)


def test_two_leagues_do_not_mix(rated, now):
    """Every draw of another league carries the same ids and other values."""
    case = CASES["score"]
    made(rated, *case)
    alone = asked(rated, now)
    other = pl.read_parquet(rated.draws_of("f1")).with_columns(
        pl.lit("andes").alias("league"), pl.col("draws").list.eval(pl.element() + 1)
    )
    with writing(rated) as con:
        for table in ("league", "competitor", "fit", "rating", "standing"):
            columns = {row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()}
            change = "'andes' AS league" + (", 'f9' AS fit_id" if "fit_id" in columns else "")
            con.execute(f"INSERT INTO {table} SELECT * REPLACE ({change}) FROM {table}")
    other.write_parquet(rated.draws_of("f9"))
    with duckdb.connect(str(publish(rated, ["alps", "andes"], now)), read_only=True) as con:
        assert frame(con.sql("FROM win_probability('alps', 'A', 'B')")).equals(alone)


def test_what_cannot_meet_is_an_error_in_words(rated, now):
    made(rated, *CASES["win"])
    with writing(rated) as con:
        con.execute("INSERT INTO competitor VALUES ('alps', 'p:1', 'player', 'Ann', NULL)")
        con.execute("INSERT INTO competitor VALUES ('alps', 'p:2', 'player', 'Ben', NULL)")
        for table in ("rating", "standing"):
            for player in ("p:1", "p:2"):
                con.execute(
                    f"INSERT INTO {table} SELECT * REPLACE ('player' AS kind, ? AS competitor_id)"
                    f" FROM {table} WHERE competitor_id = 'fifa:A'",
                    [player],
                )
        for side in (1, 2):
            for number in range(5):
                con.execute("INSERT INTO appearance VALUES ('alps', 'g0', ?, ?, 1, NULL)", [side, f"p:{side}{number}"])
    with pytest.raises(duckdb.Error, match='"Ann" is a player and "B" a team: only two of a kind meet'):
        asked(rated, now, "Ann", "B")
    with pytest.raises(duckdb.Error, match='A side of league "alps" has 5 players'):
        asked(rated, now, "Ann", "Ben")
    with pytest.raises(duckdb.Error, match='"A" cannot play itself'):
        asked(rated, now, "A", "fifa:A")
    with pytest.raises(duckdb.Error, match='Did you mean "A"'):
        asked(rated, now, "a", "B")
    with writing(rated) as con:
        con.execute("UPDATE fit SET design = json_object('likelihood_name', 'new')")
    with pytest.raises(duckdb.Error, match='likelihood "new" are not known'):
        asked(rated, now)
    with writing(rated) as con:
        con.execute("UPDATE fit SET design = '{}'")
    with pytest.raises(duckdb.Error, match="does not name its likelihood"):
        asked(rated, now)
