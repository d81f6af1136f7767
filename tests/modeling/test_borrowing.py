"""Borrowing on cases solved by hand: where the information of a rating came from."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.sparse import csr_array

from modeling.block import Block
from modeling.borrowing import SOURCES, borrow
from modeling.build import build_design
from modeling.design import Design, Kind
from modeling.engines import laplace
from modeling.field import Field, make_field
from modeling.outcomes import outcome_of, outcomes
from modeling.posterior import Posterior
from modeling.ratings import make_ratings, prior_variance
from store.stanzas import Stanza

SIGMA, TAU = 2.0, 1.5
STANZA = Stanza.model_validate({"title": "x", "feed": "none", "source": ("none",), "outcome": "margin", "min_games": 1})
DAY = date(2024, 1, 1)
Shares = dict[str, np.ndarray]


def field_of(design: Design, kind: str = "team", stanza: Stanza = STANZA) -> Field:
    """Everybody ranked, so that the zero is the mean of all."""
    after = design.played_on[-1].astype(object) + timedelta(days=1)
    field = make_field(design, design.kind(kind), stanza, after)
    return replace(field, status=np.full(len(field.competitors), "ranked"))


def shares_of(design: Design, scales: dict[str, float], kind: str = "team", stanza: Stanza = STANZA) -> Shares:
    fit = laplace.fit_fixed_scales(
        design, scales, np.ones(design.games, dtype=bool), {one.name: one.start for one in design.auxiliaries}
    )
    return borrow(design, fit, field_of(design, kind, stanza)).shares


@pytest.fixture
def one_way(known_sigma) -> Callable[..., Design]:
    """Groups of rows around means of their own, the mean of all known: y_ij ~ N(theta_i, sigma^2), theta_i ~ N(0,
    tau^2); `counts` are the rows of each."""

    def make(*counts: int) -> Design:
        normal = known_sigma(outcome_of("score", "normal"), SIGMA)
        outcome = replace(normal, has_intercept=False, components=("total",))
        who = np.repeat(np.arange(len(counts)), counts)
        rows, names = len(who), tuple(f"c{n:02d}" for n in range(len(counts)))
        weights = csr_array((np.ones(rows), (np.arange(rows), who)))
        identity = csr_array(np.eye(len(counts)))
        block = Block("team", "strength of a team", "team", "total", "base", names, weights, TAU, identity)
        y = np.random.default_rng(1).normal(size=rows)
        days = np.full(rows, np.datetime64(DAY))
        number = np.arange(rows)
        return Design(
            "one way", outcome, 1.0, y, np.ones(rows), number, np.zeros(rows, int), who, np.full(rows, -1),
            (block,), (), (), (Kind("team", names, weights),), number, days, number,
        )  # fmt: skip

    return make


def test_with_a_known_mean_own_is_the_weight_and_the_rest_is_the_prior(one_way):
    """The contrast is to the mean of n, of which 1 / n is itself: own and prior are w and 1 - w, each times
    (n - 1) / n, and the same of the other n - 1 makes up the rest."""
    n, per = 10, 4
    found = shares_of(one_way(*[per] * n), {"team": TAU})
    w = TAU**2 / (TAU**2 + SIGMA**2 / per)
    assert found["own"] == pytest.approx(w * (n - 1) / n)
    assert found["prior"] == pytest.approx((1 - w) * (n - 1) / n)
    assert found["opponents"] == pytest.approx(w / n)
    assert found["group"] == pytest.approx((1 - w) / n)
    assert found["teammates"] == pytest.approx(0)


def test_with_many_others_own_is_the_weight_of_each(one_way):
    """With unequal games: v_i is the posterior variance of c_i, and row and prior terms are v_i^2 over theirs."""
    counts = np.array([1, 2, 4, 8, *[4] * 60])
    found = shares_of(one_way(*counts), {"team": TAU})
    w = TAU**2 / (TAU**2 + SIGMA**2 / counts)
    assert found["own"] == pytest.approx(w, abs=0.03)
    assert found["prior"] == pytest.approx(1 - w, abs=0.03)
    assert (np.diff(found["own"][:4]) > 0).all()
    ratio = found["own"] / found["prior"]
    assert ratio == pytest.approx(counts * TAU**2 / SIGMA**2)


@pytest.mark.parametrize("per", [1, 5, 25])
def test_shrinkage_is_one_minus_the_weight_where_the_model_is_balanced(one_way, per):
    """The variance ratio of contrasts in a balanced normal-normal model, and the shares of information, agree."""
    design = one_way(*[per] * 8)
    fit = laplace.fit_fixed_scales(design, {"team": TAU}, np.ones(design.games, dtype=bool), {})
    field = field_of(design)
    scales = {"team": np.array([TAU])}
    prior = prior_variance(design, Posterior(np.zeros(1), {}, {}, scales), field, "total")
    centre = np.eye(8) - 1 / 8
    posterior = np.diag(centre @ fit.covariance @ centre)
    w = TAU**2 / (TAU**2 + SIGMA**2 / per)
    assert posterior / prior == pytest.approx(1 - w)
    found = borrow(design, fit, field).shares
    assert found["prior"] + found["group"] == pytest.approx(1 - w)
    draws = fit.draws(np.random.default_rng(1), 20_000)
    drawn = Posterior(draws.level, {}, draws.blocks, {"team": np.full(20_000, TAU)})
    ratings = make_ratings(design, drawn, field, np.random.default_rng(2))
    assert ratings.components["total"].var(axis=0) / prior == pytest.approx(1 - w, rel=0.05)


@pytest.fixture
def played(game, games, known_sigma) -> Callable[..., Design]:
    """(lists of players of two sides, ...) -> the Design of margins of known sigma between them."""

    def make(*line_ups: tuple[str, str], **stanza) -> Design:
        some = [game((None, None), (1.0, 0.0), players=sides) for sides in line_ups]
        found = build_design(STANZA.model_copy(update={"rate": ("player",)} | stanza), games(*some))
        return replace(found, outcome=known_sigma(found.outcome, SIGMA))

    return make


def test_two_who_always_play_together_share_evenly_what_their_games_say(played):
    design = played(*[("pq", "rs")] * 3, *[("pq", "tu")] * 3)
    found = shares_of(design, {"player": TAU}, "player")
    p, q = (design.kind("player").competitors.index(name) for name in "pq")
    for source in SOURCES:
        assert found[source][p] == pytest.approx(found[source][q])
    assert found["teammates"][p] == 0  # they have no games without each other
    fit = laplace.fit_fixed_scales(design, {"player": TAU}, np.ones(design.games, dtype=bool), {})
    covariance = fit.covariance
    # Only the sum of the two is seen: its half is each one's estimate, and their difference stays at the prior.
    assert fit.mode[p] == pytest.approx(fit.mode[q])
    assert covariance[p, p] + covariance[q, q] - 2 * covariance[p, q] == pytest.approx(2 * TAU**2)


def test_who_plays_without_the_other_informs_them_through_teammates(played):
    """q's games without p tell what of their common games is p's."""
    together, apart = [("pq", "rs")] * 4, [("q", "r")] * 4
    design = played(*together, *apart)
    names = design.kind("player").competitors
    alone = shares_of(played(*together), {"player": TAU}, "player")
    found = shares_of(design, {"player": TAU}, "player")
    p, q = names.index("p"), names.index("q")
    assert alone["teammates"] == pytest.approx(0)
    assert found["teammates"][p] > 0.01
    assert found["teammates"][q] == 0  # p has no games without q
    assert found["own"][q] > found["own"][p]


def test_teammates_by_hand(known_sigma):
    """One game of p and q together against nobody, one of q alone: H = [[1/s2 + 1/t2, 1/s2], [1/s2, 2/s2 + 1/t2]]."""
    s2, t2 = SIGMA**2, TAU**2
    weights = csr_array(np.array([[1.0, 1, 0], [0, 1, 0]]))
    sides = csr_array(np.array([[1.0, 1, 0], [0, 1, 0]]))
    names = ("p", "q", "z")
    block = Block("player", "", "player", "attack", "base", names, weights, TAU, csr_array(np.eye(3)))
    outcome = replace(known_sigma(outcome_of("score", "normal"), SIGMA), has_intercept=False)
    days, two = np.full(2, np.datetime64(DAY)), np.arange(2)
    design = Design(
        "x", outcome, 1.0, np.ones(2), np.ones(2), two, np.zeros(2, int), np.zeros(2, int), np.full(2, -1),
        (block,), (), (), (Kind("player", names, sides),), two, days, two,
    )  # fmt: skip
    fit = laplace.fit_fixed_scales(design, {"player": TAU}, np.ones(2, dtype=bool), {})
    h = np.array([[1 / s2 + 1 / t2, 1 / s2], [1 / s2, 2 / s2 + 1 / t2]])
    assert fit.covariance[:2, :2] == pytest.approx(np.linalg.inv(h))
    field = make_field(
        design, Kind("player", names, csr_array(np.array([[1.0, 1, 0], [0, 1, 1e-9]]))), STANZA, DAY
    )  # z is only there so that the reference may be somebody nothing is known of
    only_z = replace(field, status=np.array(["provisional", "provisional", "ranked"]))
    shares = borrow(design, fit, only_z).shares
    v = np.linalg.solve(h, [1.0, 0.0])  # of p's contrast; z adds -t2 with prior alone
    rows = np.array([(v[0] + v[1]) ** 2, v[1] ** 2]) / s2
    priors = np.array([v[0] ** 2, v[1] ** 2, t2**2]) / t2
    total = rows.sum() + priors.sum()
    assert total == pytest.approx(np.linalg.inv(h)[0, 0] + t2)
    assert shares["own"][0] == pytest.approx(rows[0] / total)
    assert shares["teammates"][0] == pytest.approx(rows[1] / total)
    assert shares["prior"][0] == pytest.approx(priors[0] / total)
    assert shares["group"][0] == pytest.approx(priors[1:].sum() / total)
    assert shares["opponents"][0] == pytest.approx(0)


def test_a_group_gives_more_to_who_played_less(played, game, games, known_sigma):
    """b has one game and a hundred of its division stand behind it; a has as many games as the rest together."""
    some = [game((f"c{n}", "z"), (1.0, 0.0)) for n in range(8) for _ in range(20)] + [game(("b", "z"), (1.0, 0.0))]
    divisions = {(f"c{n}", "2024"): "one" for n in range(8)} | {("b", "2024"): "one", ("z", "2024"): "two"}
    found = build_design(STANZA.model_copy(update={"group": "division"}), games(*some, groups=divisions))
    design = replace(found, outcome=known_sigma(found.outcome, SIGMA))
    scales = {"team": 1.0, "team_group": 2.0}
    shares = shares_of(design, scales)
    names = list(design.kind("team").competitors)
    b, c = names.index("b"), names.index("c0")
    assert shares["own"][b] < shares["own"][c]
    assert shares["prior"][b] > shares["prior"][c]
    assert shares["group"][b] > shares["group"][c]


EVERY = [outcome for family in outcomes().values() for outcome in family]


@pytest.mark.parametrize("outcome", EVERY, ids=lambda one: f"{one.name}-{one.likelihood}")
def test_shares_sum_to_one_and_own_games_add_to_ones_own_share(outcome, game, games):
    rng = np.random.default_rng(4)
    names, many = "abcdef", 4 if outcome.row == "entrant" else 2
    some = []
    for number in range(80):
        teams = list(rng.choice(list(names[: 5 if number % 5 else 6]), many, replace=False))
        scores = tuple(rng.poisson(1.5, many).astype(float))
        won = (True, False) if number % 3 else (False, True)
        places = tuple(range(1, many + 1)) if many > 2 else None
        some.append(game(tuple(teams), scores, won=won if many == 2 and outcome.name == "win" else None, places=places))
    link = {"link": outcome.likelihood} if outcome.name in ("win", "result") else {"likelihood": outcome.likelihood}
    stanza = STANZA.model_copy(update={"outcome": outcome.name} | link)
    design = build_design(stanza, games(*some))
    shares = shares_of(design, {block.name: block.prior_scale for block in design.blocks}, stanza=stanza)
    assert np.sum(list(shares.values()), axis=0) == pytest.approx(1)
    if outcome.likelihood != "student":  # a margin far out counts against its own precision
        assert min(share.min() for share in shares.values()) >= -1e-9
    seldom = list(design.kind("team").competitors).index("f")
    assert (shares["own"] / (shares["own"] + shares["prior"])).argmin() == seldom
    assert shares["prior"].argmax() == seldom
