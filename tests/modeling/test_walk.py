"""The walk of a rating: its prior is a random walk's, or one's that forgets; NUTS finds the exact posterior, idle years
widen it exactly."""

import numpy as np
import pytest
from scipy.stats import halfnorm

from modeling.block import Block
from modeling.build import build_design
from modeling.design import Design
from modeling.engines import laplace, nuts
from modeling.field import make_field
from modeling.outcomes import outcome_of
from modeling.outcomes.symbols import pt
from modeling.posterior import Posterior, from_tree
from modeling.ratings import current, make_ratings, prior_variance
from store.stanzas import Stanza

SIGMA, UNIT = 3.0, 2.0
STANZA = Stanza.model_validate(
    {"title": "x", "feed": "none", "source": ("none",), "outcome": "margin", "walk": "team", "period": "season"}
    | {"min_games": 1, "active_days": 3000, "priors": {"team": UNIT, "team_walk": UNIT}}
)
# Season, first, second, margin: c misses 2022 and d leaves after 2022.
PLAYED = [
    ("2021", "a", "b", 4.0), ("2021", "c", "d", -1.0), ("2021", "a", "d", 2.0), ("2021", "b", "c", 3.0),
    ("2022", "a", "b", 1.0), ("2022", "d", "b", 5.0), ("2022", "a", "d", 0.0),
    ("2023", "c", "a", 6.0), ("2023", "b", "a", -2.0), ("2023", "c", "b", 7.0), ("2023", "b", "a", 1.0),
]  # fmt: skip


@pytest.fixture(scope="module", params=[1.0, 0.5], ids=["keeps", "forgets"])
def design(request, game, games, known_sigma) -> Design:
    """What a year leaves of a strength is all of it, or a half."""
    played = [
        game((one, other), (margin, 0.0), season=season, day=365 * (int(season) - 2021) + number)
        for number, (season, one, other, margin) in enumerate(PLAYED)
    ]
    found = build_design(STANZA.model_copy(update={"persistence": request.param}), games(*played))
    outcome = known_sigma(outcome_of("margin", "normal"), SIGMA)
    return Design(**{**vars(found), "outcome": outcome})


def blocks(design: Design) -> tuple[Block, Block]:
    base, walk = design.blocks
    assert (base.role, walk.role) == ("base", "walk")
    return base, walk


def year_of(level: str) -> int:
    return int(level.split("@")[1])


def spread_of(years: float, kept: float) -> float:
    """By hand: the integral of kept^(2 t) over so many years, what a drift of 1 a year is spread to."""
    return years if kept == 1 else (1 - kept ** (2 * years)) / (-2 * np.log(kept))


def states_covariance(walk: Block, base: Block, tau: float, drift: float) -> np.ndarray:
    """By hand: of states of the same team tau^2 + drift^2 x years from entry to the earlier of the two, or what is left
    of these; a base level is the state at entry, and a walk's level the state then."""
    kept = walk.persistence
    entry = {"a": 2021, "b": 2021, "c": 2021, "d": 2021}
    states = [(team, entry[team]) for team in base.levels]
    states += [(level.split("@")[0], year_of(level)) for level in walk.levels]
    size = len(states)
    found = np.zeros((size, size))
    for i, (one, when) in enumerate(states):
        for j, (other, then) in enumerate(states):
            if one == other:
                first, between = min(when, then) - entry[one], abs(when - then)
                found[i, j] = kept**between * (kept ** (2 * first) * tau**2 + drift**2 * spread_of(first, kept))
    return found


def of_states(base: Block, walk: Block) -> np.ndarray:
    """Matrix from (base effects, walk effects) to states."""
    four = np.eye(len(base.levels))
    left = {level: walk.persistence ** (year_of(level) - 2021) for level in walk.levels}
    rows = [*four, *(left[level] * four[base.levels.index(level.split("@")[0])] for level in walk.levels)]
    return np.hstack([np.array(rows), np.vstack([np.zeros((4, len(walk.levels))), np.eye(len(walk.levels))])])


def test_the_prior_is_that_of_a_random_walk(design):
    base, walk = blocks(design)
    tau, drift = 1.3, 0.7
    inverse = np.linalg.inv(walk.steps.toarray())
    of_walk = inverse @ np.diag((drift * walk.step_sd) ** 2) @ inverse.T
    both = np.block([[tau**2 * np.eye(4), np.zeros((4, len(of_walk)))], [np.zeros((len(of_walk), 4)), of_walk]])
    to_states = of_states(base, walk)
    assert to_states @ both @ to_states.T == pytest.approx(states_covariance(walk, base, tau, drift))
    assert walk.precision(drift).toarray() == pytest.approx(np.linalg.inv(of_walk))
    assert walk.reach.toarray() == pytest.approx(walk.loading.toarray() @ inverse)


@pytest.mark.parametrize("design", [0.5], indirect=True)
def test_rows_and_ratings_have_what_is_left_of_the_entry_states(design):
    base, walk = blocks(design)
    of_c = abs(base.weights.toarray())[:, base.levels.index("c")]
    assert of_c.tolist() == [0, 1, 0, 1, 0, 0, 0, 0.25, 0, 0.25, 0]  # 2021, and twice in 2023
    assert base.loading.diagonal().tolist() == [0.25] * 4
    assert base.last.diagonal().tolist() == [0.25, 0.25, 0.25, 0.5]  # d was seen last a year before
    assert walk.loading.max(axis=1).toarray().ravel().tolist() == [1, 1, 1, 0.5]


def test_draws_of_the_prior_spread_with_the_root_of_time(design):
    _, walk = blocks(design)
    rng = np.random.default_rng(1)
    z = rng.standard_normal((len(walk.levels), 40_000))
    draws = np.linalg.solve(walk.steps.toarray(), 0.7 * walk.step_sd[:, None] * z)
    spread = [spread_of(year_of(level) - 2021, walk.persistence) for level in walk.levels]
    assert draws.std(axis=1) == pytest.approx(0.7 * np.sqrt(spread), rel=0.02)


def exact(design: Design, tau: float, drift: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and covariance of all states given the margins, and the log evidence, by hand at known scales."""
    base, walk = blocks(design)
    prior = states_covariance(walk, base, tau, drift)
    state_of = {(team, 2021): i for i, team in enumerate(base.levels)}
    state_of |= {(level.split("@")[0], year_of(level)): 4 + i for i, level in enumerate(walk.levels)}
    x = np.zeros((len(PLAYED), len(prior)))
    for row, (season, one, other, _) in enumerate(PLAYED):
        x[row, state_of[one, int(season)]] += 1
        x[row, state_of[other, int(season)]] -= 1
    y = np.array([margin for *_, margin in PLAYED])
    total = x @ prior @ x.T + SIGMA**2 * np.eye(len(y))
    gain = prior @ x.T @ np.linalg.inv(total)
    evidence = -0.5 * y @ np.linalg.solve(total, y) - 0.5 * np.linalg.slogdet(total)[1]
    return gain @ y, prior - gain @ x @ prior, float(evidence)


def contrast(states: np.ndarray) -> np.ndarray:
    """States less the mean of the four at entry: what the games determine."""
    return states - states[..., :4].mean(axis=-1, keepdims=True)


def test_at_known_scales_the_posterior_is_the_closed_form(design):
    fit = laplace.fit_fixed_scales(design, {"team": 1.3, "team_walk": 0.7}, np.ones(design.games, dtype=bool))
    mean, covariance, evidence = exact(design, 1.3, 0.7)
    to_states = of_states(*blocks(design))
    assert to_states @ fit.mode == pytest.approx(mean, abs=1e-8)
    assert to_states @ fit.covariance @ to_states.T == pytest.approx(covariance, abs=1e-8)
    other = laplace.fit_fixed_scales(design, {"team": 0.4, "team_walk": 2.0}, np.ones(design.games, dtype=bool))
    assert fit.evidence - other.evidence == pytest.approx(evidence - exact(design, 0.4, 2.0)[2])


@pytest.mark.parametrize("design", [0.5], indirect=True)
def test_nuts_agrees_with_the_exact_posterior_of_a_walk(design):
    """Against integration over both scales on a grid; tolerances are some five Monte Carlo standard errors."""
    grid = np.linspace(0.02, 9, 70)
    to_contrast = contrast(np.eye(4 + len(design.blocks[1].levels)).T).T
    log_mass, means, seconds = [], [], []
    for tau in grid:
        for drift in grid:
            mean, covariance, evidence = exact(design, tau, drift)
            log_mass.append(evidence + halfnorm.logpdf(tau, scale=UNIT) + halfnorm.logpdf(drift, scale=UNIT))
            means.append(to_contrast @ mean)
            seconds.append(np.diag(to_contrast @ covariance @ to_contrast.T) + means[-1] ** 2)
    mass = np.exp(np.array(log_mass) - max(log_mass))
    mass /= mass.sum()
    mean = mass @ np.array(means)
    sd = np.sqrt(mass @ np.array(seconds) - mean**2)
    tree = nuts.sample(nuts.compile_design(design), np.ones(design.games, dtype=bool), seed=3, draws=2000)
    posterior = from_tree(design, tree)
    effects = np.hstack([posterior.blocks["team"], posterior.blocks["team_walk"]])
    states = contrast(effects @ of_states(*blocks(design)).T)
    assert np.abs(states.mean(axis=0) - mean).max() < 0.09 * sd.max()
    assert states.std(axis=0) == pytest.approx(sd, rel=0.08)
    scales = np.repeat(grid, len(grid)), np.tile(grid, len(grid))
    for name, at in zip(("team", "team_walk"), scales, strict=True):
        assert posterior.scales[name].mean() == pytest.approx(mass @ at, rel=0.08)


def test_idle_years_widen_a_rating_by_the_drift_times_their_root(design):
    """d has not played in the last season, c missed one in between: exactly drift x sqrt(idle) x one normal draw."""
    walk = blocks(design)[1]
    spread = np.array([spread_of(years, walk.persistence) for years in (0, 0, 0, 1)])
    assert walk.idle is not None
    assert walk.idle.tolist() == [0, 0, 0, 1]
    draws = np.random.default_rng(1).normal(size=(500, len(walk.levels)))
    drift = np.linspace(0.5, 1.0, 500)
    posterior = Posterior(np.zeros(500), {}, {"team_walk": draws}, {"team_walk": drift})
    found = current(walk, posterior, np.random.default_rng(7))
    state = draws @ walk.loading.toarray().T
    normal = np.random.default_rng(7).standard_normal(state.shape)
    assert found - state == pytest.approx(np.outer(drift, np.sqrt(spread)) * normal)


@pytest.mark.parametrize("kept", [1.0, 0.5])
def test_the_prior_variance_of_an_idle_rating_has_the_idle_years_too(game, games, kept):
    """As of a later day everything is as before but for the years that nobody played."""
    played = [game("ab", (n, 0.0), day=30 * n) for n in range(6)] + [game("cd", (1.0, 0.0), day=180)]
    stanza = STANZA.model_copy(update={"period": "month", "persistence": kept})
    variances = []
    for as_of in (None, played[-1]["day"].replace(year=2026)):
        found = games(*played, as_of=as_of)
        made = build_design(stanza, found)
        field = make_field(made, made.kind("team"), stanza, found.as_of)
        scales = {"team": np.array([1.5, 0.5]), "team_walk": np.array([0.6, 0.8])}
        posterior = Posterior(np.zeros(2), {}, {}, scales)
        variances.append(prior_variance(made, posterior, field, "total"))
        reference, idle = field.reference, made.blocks[1].idle
        assert idle is not None
        n = reference.sum()
        base, drift = 1.25, 0.5  # mean squared scales
        since_entry = np.array([4, 4, 0, 0]) / 12 + idle  # their last month is May, their first January
        own = base * kept ** (2 * since_entry) + drift * np.array([spread_of(years, kept) for years in since_entry])
        weight = reference / n
        by_hand = own * (1 - 2 * weight) + weight**2 @ own
        assert variances[-1] == pytest.approx(by_hand)
    assert (variances[1] > variances[0]).all() or kept < 1


def test_an_idle_rating_is_wider_by_its_drift_in_the_ratings_themselves(design, game, games):
    """The last rating of d has the variance of its last state and one idle year's, beside that of the reference."""
    fit = laplace.fit_fixed_scales(design, {"team": 1.3, "team_walk": 0.7}, np.ones(design.games, dtype=bool))
    drawn = fit.draws(np.random.default_rng(1), 40_000)
    scales = {"team": np.full(40_000, 1.3), "team_walk": np.full(40_000, 0.7)}
    posterior = Posterior(drawn.level, {}, drawn.blocks, scales)
    field = make_field(design, design.kind("team"), STANZA, design.played_on[-1].astype(object))
    ratings = make_ratings(design, posterior, field, np.random.default_rng(2))
    _, covariance, _ = exact(design, 1.3, 0.7)
    base, walk = blocks(design)
    last = np.zeros((4, len(covariance)))
    for team in range(4):
        entries = walk.loading.toarray()[team]
        last[team, 4 + entries.argmax() if entries.any() else team] = 1
    last[3] *= walk.persistence
    own = last @ covariance @ last.T + np.diag([0, 0, 0, 0.7**2 * spread_of(1, walk.persistence)])
    centre = np.eye(4) - 0.25
    assert ratings.components["total"].var(axis=0) == pytest.approx(np.diag(centre @ own @ centre.T), rel=0.03)
    assert base.levels == ("a", "b", "c", "d")


def test_who_is_away_goes_back_to_the_mean_and_is_wider_up_to_what_the_walk_spreads_in_the_long_run(game, games):
    """a wins all its games of one year: three years on a half a year is left of an eighth, in twenty nothing."""
    played = [game("ab", (6.0 + n % 3, 0.0), day=n) for n in range(20)]
    played += [game("bc", (float(n % 3), 1.0), season="2025", day=365 + n) for n in range(20)]
    draws, found = 20_000, []
    for season, day in (("2025", 0), ("2028", 3 * 365), ("2045", 20 * 365)):
        some = [*played, game("bc", (1.0, 1.0), season=season, day=400 + day)]
        made = build_design(STANZA.model_copy(update={"persistence": 0.5}), games(*some))
        scales = {"team": 1.5, "team_walk": 2.0}
        fit = laplace.fit_fixed_scales(made, scales, np.arange(made.games) < 40, {"sigma": SIGMA})
        drawn = fit.draws(np.random.default_rng(1), draws)
        posterior = Posterior(drawn.level, {}, drawn.blocks, {name: np.full(draws, v) for name, v in scales.items()})
        parts = [current(block, posterior, np.random.default_rng(2)) for block in made.blocks]
        found.append(np.sum(parts, axis=0)[:, 0])
    mean, sd = np.array([one.mean() for one in found]), np.array([one.std() for one in found])
    stationary = 2.0 / np.sqrt(2 * np.log(2))
    assert mean[0] > 1
    assert mean == pytest.approx(mean[0] * np.array([1, 2.0**-3, 2.0**-20]), abs=5 * stationary / np.sqrt(draws))
    assert sd[0] < sd[1] < 1.02 * stationary
    assert sd[2] == pytest.approx(stationary, rel=0.02)


@pytest.mark.parametrize("kept", [1 - 1e-9, 0.6, 0.01])
def test_fading_sums_of_long_walks_are_those_one_by_one(game, games, kept):
    """Sixty years in a row, one state alone and a gap of thirty; nearly nothing forgotten is a random walk."""
    played = [game("ab", (1.0, 0.0), season=str(1950 + n), day=365 * n) for n in range(60)]
    played += [game("cd", (1.0, 0.0), season=str(year), day=365 * (year - 1950)) for year in (1950, 1980)]
    played += [game("ef", (1.0, 0.0), season="2000", day=365 * 50)]
    walk = blocks(build_design(STANZA.model_copy(update={"persistence": kept}), games(*played)))[1]
    steps = np.random.default_rng(3).normal(size=len(walk.levels))
    symbol = pt.vector("steps")
    found = nuts._fading_sums(walk, symbol).eval({symbol: steps}, mode="FAST_COMPILE")
    assert found == pytest.approx(np.linalg.solve(walk.steps.toarray(), steps), rel=1e-9)
    if kept > 0.999:
        plain = blocks(build_design(STANZA, games(*played)))[1]
        assert found == pytest.approx(np.linalg.solve(plain.steps.toarray(), steps), rel=1e-6, abs=1e-6)
        assert walk.step_sd == pytest.approx(plain.step_sd)
        assert walk.reach.toarray() == pytest.approx(plain.reach.toarray())
