"""Forecasts of games: sums, sides and scores, and what ratings and games add to what is unsure."""

import numpy as np
import pytest
from scipy.stats import poisson

from modeling.outcomes.order import FORECAST_RACES
from modeling.outlook.forecasts import forecast_rows, place_rows

DAYS, LEFT = 120, 6
RNG_SEED = 7


@pytest.fixture(
    scope="module", params=["poisson", "dixon_coles", "negative_binomial", "normal", "margin", "win", "result"]
)
def made(request, game, games, known_league):
    """Games at random, the last few to come; the stored order of the sides is not that of home and away."""
    rng, rows = np.random.default_rng(3), []
    for day in range(DAYS + LEFT):
        a, b = rng.choice(5, 2, replace=False).tolist()
        score = (
            tuple(map(float, rng.poisson((1.7, 1.1)))) if request.param != "win" else ((1.0, 0.0), (0.0, 1.0))[a < b]
        )
        rows.append(game((f"t{a}", f"t{b}"), score, day, home=[0, 1, None][day % 3]))
    league = games(*rows)
    own = {"outcome": request.param} if request.param in ("margin", "win", "result") else {
        "outcome": "score", "likelihood": request.param}  # fmt: skip
    known = known_league(league, league.sides["played_on"].unique().sort()[DAYS], effects=("home",), **own)
    coming = known.coming()
    return request.param, known, coming, forecast_rows(coming, known.games, np.random.default_rng(RNG_SEED))


def test_chances_sum_to_one_and_lie_in_their_intervals(made):
    _, _, _, rows = made
    assert rows.height == LEFT
    assert np.allclose(rows.select("win", "draw", "loss").sum_horizontal(), 1)
    for name in ("win", "loss"):
        assert (rows[f"{name}_low"] <= rows[name]).all()
        assert (rows[name] <= rows[f"{name}_high"]).all()


def test_the_home_side_is_first_and_its_chance_is_its_own(made):
    """The chances are those that the outcome gives the stored sides, turned where the second is at home."""
    kind, known, coming, rows = made
    outcome = known.design.outcome
    draws = np.arange(len(coming.known))
    eta, arguments = coming.eta(draws, np.random.default_rng(1)), coming.arguments(draws)
    both = (eta[:, 0::2], eta[:, 1::2]) if outcome.row == "side" else (eta, np.zeros_like(eta))
    stored = outcome.chances(*both, arguments).mean(axis=0)
    sides = known.games.sides.tail(2 * LEFT)
    for number, row in enumerate(rows.iter_rows(named=True)):
        pair = sides.slice(2 * number, 2).to_dicts()
        turned = pair[1]["is_home"]
        assert (row["first"], row["second"]) == (pair[turned]["team"], pair[1 - turned]["team"])
        assert row["is_first_home"] == any(side["is_home"] for side in pair)
        expected = stored[number][::-1] if turned else stored[number]
        assert [row["win"], row["draw"], row["loss"]] == pytest.approx(expected.tolist())
    assert ("score_chances" in rows.columns) == (kind in ("poisson", "dixon_coles", "negative_binomial"))


def test_score_matrices_say_what_the_chances_say(made):
    kind, _, _, rows = made
    if kind not in ("poisson", "dixon_coles", "negative_binomial"):
        assert "likely_scores" not in rows.columns
        return
    for row in rows.iter_rows(named=True):
        matrix = np.array(row["score_chances"])
        assert 0.998 < matrix.sum() < 1 + 1e-5
        assert np.tril(matrix, -1).sum() == pytest.approx(row["win"], abs=2e-3)
        assert np.trace(matrix) == pytest.approx(row["draw"], abs=2e-3)
        first = (matrix.sum(axis=1) * np.arange(len(matrix))).sum()
        assert first == pytest.approx(row["expected_first"], abs=0.08)
        best = row["likely_scores"][0]
        assert best["chance"] == pytest.approx(matrix.max(), abs=1e-6)
        assert matrix[best["first"], best["second"]] == pytest.approx(matrix.max())
        totals = np.add.outer(np.arange(len(matrix)), np.arange(len(matrix)))
        for line in row["over"]:
            assert matrix[totals > line["line"]].sum() == pytest.approx(line["chance"], abs=0.025)


def test_margins_have_the_ratings_doubt_and_the_games_noise_apart(made):
    kind, known, _, rows = made
    if kind in ("win", "result"):
        assert "expected_margin" not in rows.columns
        return
    assert (rows["margin_q5"] <= rows["margin_q25"]).all()
    assert (rows["margin_q75"] <= rows["margin_q95"]).all()
    if kind == "margin":
        sigma = known.draws.parameters["sigma"][0]
        assert np.allclose(rows["margin_noise_sd"], sigma, rtol=0.1)
        whole = np.hypot(rows["margin_noise_sd"], rows["margin_rating_sd"])
        assert np.allclose(rows["margin_q95"] - rows["margin_q5"], 2 * 1.645 * whole, rtol=0.1)
    if kind == "poisson":
        both = rows["expected_first"] + rows["expected_second"]
        assert np.allclose(rows["margin_noise_sd"] ** 2, both, rtol=0.12)  # the variance of a difference of two


def test_a_known_rate_is_the_poisson_distribution(game, games, known_league):
    """Where every draw is the same, the matrix is the product of two Poisson distributions."""
    rng = np.random.default_rng(3)
    rows = [game(("t0", "t1"), tuple(map(float, rng.poisson((2.0, 1.0)))), day) for day in range(31)]
    league = games(*rows)
    known = known_league(league, league.sides["played_on"][-1], outcome="score")
    coming = known.coming()
    coming.known[:] = np.log([2.0, 1.0])
    row = forecast_rows(coming, known.games, np.random.default_rng(1)).row(0, named=True)
    matrix = np.array(row["score_chances"])
    own, other = (poisson.pmf(np.arange(len(matrix)), rate) for rate in (2.0, 1.0))
    assert np.allclose(matrix, np.outer(own, other), atol=1e-6)
    assert row["win_low"] == pytest.approx(row["win_high"])
    assert row["margin_rating_sd"] == pytest.approx(0)


@pytest.mark.parametrize("likelihood", ["plackett_luce", "worst_first"])
def test_places_of_a_race_sum_to_one(game, games, known_league, likelihood):
    rng = np.random.default_rng(5)
    teams = tuple(f"t{k}" for k in range(5))
    rows = [game(teams, day=day, places=tuple((rng.permutation(5) + 1).tolist())) for day in range(20)]
    league = games(*rows)
    known = known_league(league, league.sides["played_on"][-1], outcome="order", likelihood=likelihood)
    found = place_rows(known.coming(), known.games, np.random.default_rng(1))
    chances = np.array(found["place_chances"].to_list())
    assert sorted(found["entrant"]) == list(teams)
    assert found["expected_place"].is_sorted()
    assert np.allclose(chances.sum(axis=0), 1)
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.allclose(found["top3"], chances[:, :3].sum(axis=1), atol=1e-6)
    assert found["expected_place"].sum() == pytest.approx(15)
    order = rng.permutation(5)
    eta, places = known.coming().eta(np.arange(500), rng), known.design.outcome.places
    assert places is not None
    one, other = (places(np.random.default_rng(2), own, {"noise": 1.0}).chances for own in (eta, eta[:, order]))
    assert np.abs(one[order] - other).max() < 5 * np.sqrt(0.5 / FORECAST_RACES)  # the order is luck
