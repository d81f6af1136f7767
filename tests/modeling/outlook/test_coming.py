"""Linear predictors of games to come, from the rows of a fit's draws file."""

from datetime import timedelta

import numpy as np
import pytest

from modeling.block import added_over
from store.errors import FitError

START = 300  # day of the first game to come
DRAWS = 500


def played(game, teams: int, days: int, *, seed: int = 1, newcomer: str = "", **attributes) -> list[dict]:
    """Games at random, one a day; those from START on are to come, and may have a newcomer."""
    rng, found = np.random.default_rng(seed), []
    for day in range(days):
        a, b = rng.choice(teams, 2, replace=False).tolist()
        names = (f"t{a}", newcomer if newcomer and day >= START else f"t{b}")
        found.append(
            game(names, tuple(map(float, rng.poisson(1.3, 2))), day, home=0, season=f"{2024 + day // 365}",
                 surface=str(rng.choice(["hard", "clay"])), heat=str(rng.normal()))
        )  # fmt: skip
    return found


@pytest.mark.parametrize(
    "settings",
    [
        {"outcome": "score", "effects": ("home",)},
        {"outcome": "margin", "effects": ("home", "team:surface", "home:surface", "team:heat")},
        {"outcome": "result", "effects": ("home", "rest_days"), "noise": ("surface",)},
        {"outcome": "score", "effects": ("home", "heat", "team:home"), "group": "division"},
    ],
    ids=["score", "slopes", "noise", "groups"],
)
def test_what_a_fit_says_of_games_to_come_is_what_its_posterior_says(game, games, known_league, settings):
    """Of competitors that the fit knows, and without a walk, to the digits of the draws file."""
    groups = {(f"t{k}", season): "ab"[k % 2] for k in range(6) for season in ("2024", "2025")}
    league = games(*played(game, 6, START + 20), groups=groups if "group" in settings else None,
                   asked=("surface", "heat"))  # fmt: skip
    first = league.sides["played_on"].min() + timedelta(days=START)
    found = known_league(league, first, min_games=1, **settings)
    coming = found.coming()
    by_name = {block.name: block for block in found.design.blocks}
    total = np.repeat(found.posterior.level[:, None], len(coming.rows), axis=1)
    for fixed in found.design.fixed:
        total += found.posterior.fixed[fixed.name][:, None] * fixed.values[coming.rows]
    for block in found.past.blocks:
        new = by_name[block.name]
        place = [new.levels.index(level) for level in block.levels]
        total += (new.weights[coming.rows][:, place] @ found.posterior.blocks[block.name].T).T
    assert np.abs(coming.eta(np.arange(len(total)), np.random.default_rng(1)) - total).max() < 1e-5


@pytest.mark.parametrize("persistence", [1.0, 0.5])
def test_ratings_walk_on_as_the_blocks_say(game, games, known_league, persistence):
    """Each draw's own states, carried on by the Design of past and future without anything new; then the noise."""
    league = games(*played(game, 4, START + 400))
    first = league.sides["played_on"].min() + timedelta(days=START)
    found = known_league(league, first, outcome="score", walk=("team",), period="month", persistence=persistence)
    coming = found.coming()
    draw = np.zeros(4000, int)
    eta = coming.eta(draw, np.random.default_rng(1))
    scale = sum(found.draws.parameters[f"scale_{name}_walk"][0] ** 2 for name in ("attack", "defence"))
    assert coming.years[0] < 0.1
    assert coming.years.max() > 1
    assert np.allclose(eta.var(axis=0), scale * added_over(coming.years, persistence), rtol=0.15, atol=1e-12)
    total = np.repeat(found.posterior.level[:, None], len(coming.rows), axis=1)
    for block in found.past.blocks:
        new = next(one for one in found.design.blocks if one.name == block.name)
        known = dict(zip(block.levels, found.posterior.blocks[block.name].T, strict=True))
        states = np.zeros((len(new.levels), DRAWS))
        for number, level in enumerate(new.levels):
            if level in known:
                states[number] = known[level]
            elif new.previous[number] >= 0:
                states[number] = new.kept[number] * states[new.previous[number]]
        total += (new.weights[coming.rows] @ states).T
    assert np.abs(coming.known - total).max() < 1e-5


def test_ways_on_are_one_way_for_games_of_one_period(game, games, known_league):
    """Two games of one month between the same two see the same ratings, whatever these have become."""
    rows = [*played(game, 3, START), *(game(("t0", "t1"), (1.0, 1.0), START + day, home=0) for day in (40, 41))]
    league = games(*rows)
    first = league.sides["played_on"].min() + timedelta(days=START)
    coming = known_league(league, first, outcome="score", walk=("team",), period="month").coming()
    eta = coming.eta(np.zeros(50, int), np.random.default_rng(1))
    assert np.array_equal(eta[:, :2], eta[:, 2:])
    assert eta[:, 0].std() > 0


def test_a_newcomer_is_drawn_around_his_group(game, games, known_league):
    groups = {(f"t{k}", "2024"): "ab"[k % 2] for k in range(6)} | {("new", "2024"): "b"}
    rows = played(game, 6, START + 5, newcomer="new")
    league = games(*rows, groups=groups)
    first = league.sides["played_on"].min() + timedelta(days=START)
    found = known_league(league, first, outcome="score", group="division")
    columns, entry = found.draws.states["team", "entry:attack"]
    from modeling.outlook.coming import _states

    block = next(block for block in found.design.blocks if block.name == "attack")
    level = np.array([block.levels.index("new")])
    drawn = _states(found.design, block, level, found.draws, np.random.default_rng(1))[:, 0]
    scale = found.draws.parameters["scale_attack"][0]
    apart = drawn - entry[:, columns["b"]]
    assert abs(apart.mean()) < 5 * scale / np.sqrt(len(apart))
    assert apart.std() == pytest.approx(scale, rel=0.15)


def test_another_model_than_the_fits_is_told(game, games, known_league):
    league = games(*played(game, 4, START + 5))
    first = league.sides["played_on"].min() + timedelta(days=START)
    found = known_league(league, first, outcome="score", effects=("home",))
    del found.draws.parameters["home"]
    with pytest.raises(FitError, match="the stanza asks for home"):
        found.coming()
