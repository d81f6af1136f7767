"""Names and priors of a Design: each name once, priors by name, pooling asked for, the intercept's centre, fit ids."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from modeling.build import build_design
from modeling.design import Design
from modeling.engines import laplace, nuts
from modeling.games import Games
from modeling.identity import fit_id
from modeling.names import INNER, RESERVED
from modeling.posterior import Posterior
from modeling.ratings import parameter_draws
from store.errors import FitError
from store.stanzas import Stanza

Make = Callable[..., Design]
SETTINGS = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win"}


def stanza_of(**settings: Any) -> Stanza:
    return Stanza.model_validate(SETTINGS | settings)


@pytest.fixture
def played(game, games) -> Callable[..., Games]:
    """(names of attributes) -> games of a, b and c over two seasons, each with those attributes."""

    def make(*names: str) -> Games:
        pairs = ["ab", "bc", "ca", "ba", "cb", "ac"]
        some = [
            game(pair, (n % 3, n // 2), day=200 * n, season=f"{2020 + n // 3}", home=0, **dict.fromkeys(names, str(n)))
            for n, pair in enumerate(pairs)
        ]
        divisions = {("a", "2020"): "1", ("b", "2020"): "2", ("c", "2020"): "2"}
        return games(*some, groups=divisions, asked=names)

    return make


# Names


def names_of(design: Design) -> list[str]:
    """What the engine's model calls its variables and dimensions, each once for each time it would be made."""
    found = [one.name for one in (*design.fixed, *design.auxiliaries)]
    for block in design.blocks:
        found += [block.name, f"scale_{block.name}", f"{block.name}_level", *(f"{block.name}{end}" for end in INNER)]
    return found


@pytest.mark.parametrize("name", ["level", "intercept", "attack", "scale_attack", "sigma", "draw", "defence_level"])
def test_a_covariate_called_like_a_parameter_has_another_name(played, name):
    design = build_design(stanza_of(outcome="score", likelihood="normal", effects=name), played(name))
    assert [one.name for one in design.fixed] == [f"{name}_attribute"]
    assert design.fixed[0].title == f"{name}, per sd"


@pytest.mark.parametrize(
    ("effects", "settings", "names"),
    [
        ("team:group", {"group": "division"}, ["team", "team_group", "team_group_attribute"]),
        ("team:group", {}, ["team", "team_group_attribute"]),
        ("team:walk", {"walk": "team", "period": "season"}, ["team", "team_walk", "team_walk_attribute"]),
        ("team:standard", {}, ["team", "team_standard_attribute"]),
        (
            ("team:walk", "team:home"),
            {"walk": ("team:home",), "period": "season"},
            ["team", "team_walk_attribute", "team_home", "team_home_walk"],
        ),
        (
            ("team:home", "team:home_walk"),
            {"walk": ("team:home",), "period": "season"},
            ["team", "team_home", "team_home_walk", "team_home_walk_attribute"],
        ),
    ],
)
def test_a_deviation_called_like_a_group_or_a_walk_has_another_name(played, effects, settings, names):
    wanted = [effects] if isinstance(effects, str) else list(effects)
    attributes = [effect.split(":")[1] for effect in wanted if effect != "team:home"]
    design = build_design(stanza_of(effects=effects, **settings), played(*attributes))
    assert [block.name for block in design.blocks] == names


def test_names_that_meet_nothing_stay_and_all_are_different(played):
    attributes = ["crowd", "level", "attack", "scale_home", "penalty_free"]
    effects = ["home", *attributes, "team:crowd", "home:crowd"]
    stanza = stanza_of(outcome="score", likelihood="negative_binomial", effects=effects, walk="team", period="season")
    design = build_design(stanza, played(*attributes))
    assert [one.name for one in design.fixed] == [
        "home", "crowd", "level_attribute", "attack_attribute", "scale_home", "penalty_free_attribute",
    ]  # fmt: skip
    names = names_of(design)
    assert len(set(names)) == len(names)
    assert not RESERVED & set(names)
    variables = nuts._model(design, design.collapsed(np.ones(design.games, dtype=bool)), ()).named_vars
    assert {one.name for one in (*design.fixed, *design.blocks)} <= set(variables)


def test_ratings_of_two_names_that_met_are_apart_in_the_tables(played):
    design = build_design(stanza_of(outcome="score", effects="intercept"), played("intercept"))
    found = laplace.no_pooling(design, np.ones(design.games, dtype=bool)).draws(np.random.default_rng(1), 5)
    assert set(parameter_draws(design, found, [])) == {"intercept", "intercept_attribute"}


# Priors by name


def test_priors_of_single_parameters_are_set_by_their_names(played):
    priors = {"intercept": 7.0, "home": 0.3, "sigma": 2.5, "attack": 0.2}
    design = build_design(stanza_of(outcome="score", likelihood="normal", effects="home", priors=priors), played())
    assert (design.intercept_sd, design.fixed[0].prior_sd, design.blocks[0].prior_scale) == (7.0, 0.3, 0.2)
    assert {one.name: one.scale for one in design.auxiliaries}["sigma"] == 2.5
    told = {name: prior for name, (_, prior) in design.parameters.items()}
    assert told["intercept"].startswith(f"Normal({design.centre:g}, 7)")
    assert (told["home"], told["sigma"], told["scale_attack"]) == (
        "Normal(0, 0.3)", "HalfNormal(2.5)", "HalfNormal(0.2)",
    )  # fmt: skip
    assert design.as_json()["intercept"] == f"Normal({design.centre:g}, 7)"


def test_the_prior_of_a_noise_factor_is_set_by_its_name(game, games):
    some = games(*(game("ab", (1, 0), best_of=text) for text in ("3", "3", "5")))
    design = build_design(stanza_of(noise="best_of", priors={"noise_best_of_5": 0.1}), some)
    assert [one.scale for one in design.auxiliaries] == [0.1]


def test_engines_use_the_priors_that_are_set(played):
    priors = {"intercept": 0.01, "home": 0.02}
    design = build_design(stanza_of(outcome="score", effects="home", priors=priors), played())
    found = laplace.no_pooling(design, np.ones(6, dtype=bool))
    assert found.prior.diagonal()[:2] == pytest.approx([0.01**-2, 0.02**-2])
    assert np.abs(found.mode[:2] / [0.01, 0.02]).max() < 1  # far from what the scores alone would say


def test_a_prior_of_what_the_model_has_not_is_refused(played):
    with pytest.raises(FitError, match='no prior called "intercept"') as caught:
        build_design(stanza_of(priors={"intercept": 1.0}), played())
    assert caught.value.hint == "Priors can be set for team."


# Pooling


@pytest.mark.parametrize(("pooling", "factor"), [("none", 10.0), ("complete", 1e-3)])
def test_pooling_that_is_asked_for_fixes_every_scale(played, pooling, factor):
    settings = {"walk": "team", "period": "season", "effects": "team:home", "priors": {"team": 0.4}}
    free = build_design(stanza_of(**settings), played())
    fixed = build_design(stanza_of(pooling=pooling, **settings), played())
    assert [block.fixed_scale for block in free.blocks] == [None] * 3
    for one, other in zip(fixed.blocks, free.blocks, strict=True):
        assert one.fixed_scale == pytest.approx(factor * other.prior_scale)
        assert one.prior_scale == other.prior_scale
    assert fixed.blocks[0].prior_scale == 0.4
    assert [name for name in free.parameters if name not in fixed.parameters] == [
        "scale_team", "scale_team_walk", "scale_team_home",
    ]  # fmt: skip
    assert fixed.as_json()["blocks"][0]["scale"] == f"fixed at {0.4 * factor:g}"


def test_a_scale_that_is_given_is_no_parameter_of_the_tables(played):
    scales = {"team": np.full(3, 0.5)}
    for pooling, names in (("partial", {"scale_team"}), ("none", set())):
        design = build_design(stanza_of(pooling=pooling), played())
        assert set(parameter_draws(design, Posterior(np.zeros(3), {}, {}, scales), [])) == names


# The intercept's centre


@pytest.mark.parametrize("mean", [0.0, 2000.0])
def test_a_normal_score_far_from_zero_is_pooled_as_one_near_it(game, games, mean):
    """What a level is must not matter: evidence of any scales, and estimates but for the level, are the same."""
    rng = np.random.default_rng(5)
    pairs = [(a, b) for a in "abcd" for b in "abcd" if a != b] * 4
    noise = rng.normal(0, 10, (len(pairs), 2))
    strength = dict(zip("abcd", (-8.0, -2.0, 3.0, 7.0), strict=True))
    designs = []
    for level in (0.0, mean):
        some = [
            game(pair, (level + strength[pair[0]] + one, level + strength[pair[1]] + other), day=n)
            for n, (pair, (one, other)) in enumerate(zip(pairs, noise, strict=True))
        ]
        designs.append(build_design(stanza_of(outcome="score", likelihood="normal"), games(*some)))
    everything = np.ones(len(pairs), dtype=bool)
    assert designs[1].centre - designs[0].centre == pytest.approx(mean)
    for scales in ({"attack": 5.0, "defence": 5.0}, {"attack": 20.0, "defence": 1.0}):
        near, far = (laplace.fit_fixed_scales(one, scales, everything, {"sigma": 10.0}) for one in designs)
        assert far.evidence == pytest.approx(near.evidence, abs=1e-6)
        assert far.mode == pytest.approx(near.mode, abs=1e-6)
        drawn = far.draws(np.random.default_rng(1), 2000)
        assert drawn.eta(designs[1]).mean() == pytest.approx(designs[1].y.mean(), abs=1.0)


def test_the_prior_of_the_intercept_is_about_the_centre(played):
    """With no games at all the level is its prior's draw."""
    design = replace(build_design(stanza_of(outcome="score"), played()), centre=3.0, own_priors={"intercept": 0.5})
    nothing = laplace.fit_fixed_scales(design, {}, np.zeros(design.games, dtype=bool))
    level = nothing.draws(np.random.default_rng(1), 20_000).level
    assert level.mean() == pytest.approx(3.0, abs=5 * 0.5 / np.sqrt(20_000))
    assert level.std() == pytest.approx(0.5, rel=0.03)
    assert design.as_json()["intercept"] == "Normal(3, 0.5)"


# What a fit is called


def test_another_model_of_as_many_levels_is_another_fit(game, games):
    """Games in February and May: months and quarters have as many periods, and other years between them."""
    days = [date(year, month, 3) for year in (2020, 2021, 2022) for month in (2, 5)]
    some = games(*(game("ab", (n, 1), day=day, pitch=str(n % 2)) for n, day in enumerate(days)))
    settings = {"outcome": "score", "walk": "team"}
    month, quarter = (stanza_of(period=period, **settings) for period in ("month", "quarter"))
    one, other = build_design(month, some), build_design(quarter, some)
    assert one.as_json() == other.as_json()
    assert fit_id(month, some, one, "nuts", 1) != fit_id(quarter, some, other, "nuts", 1)
    assert fit_id(month, some, build_design(month, some), "nuts", 1) == fit_id(month, some, one, "nuts", 1)


def test_every_array_of_the_model_is_in_its_fingerprint(played):
    settings = {"outcome": "margin", "walk": "team", "period": "season", "effects": ["home", "team:pitch"]}
    design = build_design(stanza_of(**settings), played("pitch"))
    base, walk, slope = design.blocks
    idle, years = np.asarray(walk.idle), np.asarray(walk.years)
    assert design.fingerprint == replace(design).fingerprint
    changed = [
        replace(design, blocks=(replace(base, weights=2 * base.weights), walk, slope)),
        replace(design, blocks=(base, replace(walk, idle=idle + 1), slope)),
        replace(design, blocks=(base, replace(walk, years=2 * years), slope)),
        replace(design, blocks=(base, walk, replace(slope, weights=slope.weights[::-1]))),
        replace(design, fixed=(replace(design.fixed[0], values=-design.fixed[0].values),)),
        replace(design, y=design.y + 1),
    ]
    assert len({design.fingerprint, *(one.fingerprint for one in changed)}) == 7
