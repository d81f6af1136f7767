"""Leagues made from their own Design: known scales, effects drawn from the prior, results drawn by the outcome."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from modeling.build import build_design
from modeling.design import Design
from modeling.field import Field, make_field
from modeling.games import Games
from modeling.posterior import Posterior
from modeling.ratings import Ratings, Slope, make_ratings, slopes_of
from store.stanzas import Stanza

MEAN, UNIT = 60.0, 10.0  # of the scores that a schedule holds before there are results: UNIT is the size of priors

# Between them: every likelihood, and every two of competitor, players in teams, team beside player, group, walk, slope,
# covariate and noise in some league.
SETTINGS: dict[str, dict] = {
    "score-group": {"outcome": "score", "effects": ("home", "team:home"), "group": "division"},
    "score-walk": {"outcome": "score", "effects": ("home", "altitude"), "walk": "team", "group": "division"},
    "negative-slopes": {
        "outcome": "score", "likelihood": "negative_binomial", "effects": ("home", "home:crowd", "rest_days"),
    },
    "negative-players": {
        "outcome": "score", "likelihood": "negative_binomial", "rate": ("player", "team"), "effects": "altitude",
    },
    "points-players": {
        "outcome": "score", "likelihood": "normal", "rate": "player", "effects": "team:season", "group": "position",
    },
    "dixon-coles": {"outcome": "score", "likelihood": "dixon_coles", "effects": "home", "walk": "team"},
    "margin-walk": {"outcome": "margin", "effects": ("home", "rest_days"), "walk": "team", "noise": "best_of"},
    "student-players": {
        "outcome": "margin", "likelihood": "student", "rate": ("player", "team"), "effects": ("home", "player:surface"),
        "noise": "best_of",
    },
    "win-surfaces": {
        "outcome": "win", "rate": "player", "effects": "player:surface", "walk": "player", "group": "position",
        "noise": "best_of",
    },
    "win-pairs": {
        "outcome": "win", "link": "probit", "rate": ("player", "team"), "walk": "player", "group": "position",
    },
    "result-group": {"outcome": "result", "effects": ("home", "home:crowd"), "group": "division", "noise": "best_of"},
    "result-walk": {
        "outcome": "result", "link": "probit", "rate": "player", "effects": ("rest_days", "team:season"),
        "walk": "player", "noise": "best_of",
    },
    "order": {"outcome": "order", "rate": ("player", "team"), "effects": "team:season", "noise": "best_of"},
    "order-walk": {
        "outcome": "order", "likelihood": "worst_first", "rate": "player", "walk": "player", "group": "position",
    },
}  # fmt: skip
AUXILIARIES = {"sigma": 12.0, "tails": 4.0, "overdispersion": 0.3, "low_scores": -0.08, "draw_width": 0.6}
LOG_NOISE = -0.4
SEASONS, TEAMS, ROSTER, LINE_UP, RACERS = ("2021", "2022", "2023"), 12, 4, 3, 8


@dataclass(frozen=True)
class Simulated:
    """A league with the truth it was made from, as a posterior of one draw, and its ratings by kind."""

    design: Design
    truth: Posterior
    fields: tuple[Field, ...]
    games: Games
    """Who played whom and when; results are the Design's."""
    stanza: Stanza

    @property
    def scales(self) -> dict[str, float]:
        """True scale of each block."""
        return {name: float(value[0]) for name, value in self.truth.scales.items()}

    @property
    def auxiliaries(self) -> dict[str, float]:
        """True parameters of the likelihood."""
        return {name: float(value[0]) for name, value in self.truth.auxiliaries.items()}

    def ratings(self, posterior: Posterior, seed: int = 0) -> list[Ratings]:
        """Ratings of every kind under a posterior."""
        rng = np.random.default_rng(seed)
        return [make_ratings(self.design, posterior, field, rng) for field in self.fields]

    def slopes(self, posterior: Posterior, ratings: Ratings, seed: int) -> list[Slope]:
        """Ratings of one kind by what they vary by."""
        return list(slopes_of(self.design, posterior, ratings, np.random.default_rng(seed)))


def line_ups(rng: np.random.Generator) -> dict[str, list[list[str]]]:
    """Players of each team by season: each season one of four goes to the next team."""
    rosters = [[f"p{team:02d}{n}" for n in range(ROSTER)] for team in range(TEAMS)]
    found = {}
    for season in SEASONS:
        found[season] = [list(roster) for roster in rosters]
        movers = [roster.pop(int(rng.integers(ROSTER))) for roster in rosters]
        for team, mover in enumerate(movers):
            rosters[(team + 1) % TEAMS].append(mover)
    return found


def schedule(
    rng: np.random.Generator, outcome: str, size: int, one_game: Callable[..., dict], games_of: Callable[..., Games]
) -> Games:
    """Games without meaning: who plays whom when, where, with whom; every fourth team pauses in the second season."""
    rosters, found, many = line_ups(rng), [], RACERS if outcome == "order" else 2
    for number in range(size):
        season = number * len(SEASONS) // size
        there = [team for team in range(TEAMS) if season != 1 or team % 4]
        teams = rng.choice(there, many, replace=False)
        playing = LINE_UP if many == 2 else 1
        players = [rng.choice(rosters[SEASONS[season]][team], playing, replace=False) for team in teams]
        shares = [dict(zip(map(str, who), rng.choice([0.5, 1.0], playing), strict=True)) for who in players]
        found.append(
            one_game(
                tuple(f"t{team:02d}" for team in teams), tuple(np.rint(rng.normal(MEAN, UNIT, many))),
                day=365 * season + (number * len(SEASONS) % size) * 300 // size, season=SEASONS[season],
                home=[0, 1, None][rng.integers(3)] if many == 2 else None, won=(True, False) if many == 2 else None,
                places=tuple(range(1, many + 1)) if many > 2 else None,
                exposure=tuple(rng.choice([0.5, 1.0, 2.0], many)), players=tuple(shares),
                surface=str(rng.choice(["clay", "grass"])), best_of=str(rng.choice(["3", "5"], p=[0.6, 0.4])),
                crowd=str(rng.choice(["full", "empty", "half"])), altitude=f"{rng.normal(500, 200):.0f}",
            )
        )  # fmt: skip
    everybody = sorted({player for roster in rosters.values() for team in roster for player in team})
    groups = {(f"t{team:02d}", "2021"): f"division {team % 4}" for team in range(TEAMS)}
    groups |= {(player, "2021"): f"position {player[-1]}" for player in everybody}
    return games_of(*found, groups=groups)


def simulate(design: Design, rng: np.random.Generator) -> tuple[Design, Posterior]:
    """The Design with results of its own, and the truth behind them."""
    scales = {block.name: block.prior_scale * rng.uniform(0.4, 1.2) for block in design.blocks}
    effects = {
        block.name: np.linalg.solve(
            block.steps.toarray(), scales[block.name] * block.step_sd * rng.standard_normal(len(block.levels))
        )
        for block in design.blocks
    }
    fixed = {one.name: np.array([0.4 * design.unit_sd * rng.choice([-1, 1])]) for one in design.fixed}
    truth = Posterior(
        np.array([design.centre + 0.3 * design.unit_sd * design.outcome.has_intercept]),
        fixed,
        {name: effect[None] for name, effect in effects.items()},
        {name: np.array([scale]) for name, scale in scales.items()},
        {one.name: np.array([AUXILIARIES.get(one.name, LOG_NOISE)]) for one in design.auxiliaries},
    )
    aux = design.likelihood_arguments({name: value[0] for name, value in truth.auxiliaries.items()})
    y = design.outcome.simulate(rng, truth.eta(design)[0], design.exposure, aux, design.game)
    return replace(design, y=y), truth


@pytest.fixture(scope="session")
def simulated(game, games) -> Callable[..., Simulated]:
    """(name of the settings, seed, games) -> a simulated league."""

    def make(name: str, seed: int, size: int | None = None) -> Simulated:
        rng = np.random.default_rng([seed, *name.encode()])
        settings = {"title": name, "feed": "none", "source": ("none",), "min_games": 1, "active_days": 10_000}
        stanza = Stanza.model_validate(
            settings | ({"period": "season"} if "walk" in SETTINGS[name] else {}) | SETTINGS[name]
        )
        found = schedule(rng, stanza.outcome, size or (80 if stanza.outcome == "order" else 400), game, games)
        design, truth = simulate(build_design(stanza, found), rng)
        fields = tuple(make_field(design, kind, stanza, found.as_of) for kind in design.kinds)
        return Simulated(design, truth, fields, found, stanza)

    return make


@pytest.fixture(scope="session")
def names() -> tuple[str, ...]:
    """The simulated leagues there are."""
    return tuple(SETTINGS)
