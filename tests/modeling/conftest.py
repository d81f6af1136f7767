"""Simulated leagues as the frames that modeling reads, with known strengths."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from modeling.build import build_design
from modeling.design import Design
from modeling.engines import laplace
from modeling.field import make_field
from modeling.games import ATTRIBUTE, NO_APPEARANCES, NO_MEMBERSHIPS, Games
from modeling.outcomes.outcome import Outcome
from modeling.posterior import Posterior
from modeling.ratings import Ratings, make_ratings
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import writing

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class League:
    """A simulated league and the strengths it was made with."""

    games: Games
    attack: NDArray[np.float64]
    defence: NDArray[np.float64]


def make_league(teams: int = 10, rounds: int = 2, seed: int = 1, spread: float = 0.3, home: float = 0.25) -> League:
    rng = np.random.default_rng(seed)
    attack, defence = rng.normal(0, spread, teams), rng.normal(0, spread, teams)
    rows = []
    pairs = [(a, b) for _ in range(rounds) for a in range(teams) for b in range(teams) if a != b]
    for number, (a, b) in enumerate(rng.permutation(pairs)):
        for side, (own, other, is_home) in enumerate([(a, b, True), (b, a, False)], start=1):
            score = float(rng.poisson(np.exp(0.2 + home * is_home + attack[own] - defence[other])))
            rows.append(
                row(
                    f"g{number:05d}",
                    date(2024, 1, 1) + timedelta(days=number // 5),
                    side,
                    f"t:{own:02d}",
                    is_home,
                    score,
                )
            )
    return League(Games("simulated", rows[-1]["played_on"] + timedelta(days=1), pl.DataFrame(rows)), attack, defence)


def row(game: str, day: date, side: int, team: str, is_home: bool, score: float | None) -> dict:
    return {
        "game_id": game, "contest_id": game, "season": "2024", "played_on": day, "neutral": False, "side": side,
        "team": team, "is_home": is_home, "score": score, "finish": None, "won": None, "exposure": 1.0,
    }  # fmt: skip


START = date(2024, 1, 1)
SIDES_SCHEMA = {
    "game_id": pl.String, "contest_id": pl.String, "season": pl.String, "played_on": pl.Date, "neutral": pl.Boolean,
    "side": pl.Int16, "team": pl.String, "is_home": pl.Boolean, "score": pl.Float64, "finish": pl.Int32,
    "won": pl.Boolean, "exposure": pl.Float64,
}  # fmt: skip


def one_game(
    teams: tuple,
    scores: tuple = (None, None),
    day: date | int = 0,
    season: str = "2024",
    home: int | None = None,
    won: tuple | None = None,
    places: tuple | None = None,
    exposure: tuple | None = None,
    players: tuple = (),
    **attributes: str,
) -> dict:
    """A game for `games_of`: `home` is the number of the home side; `players` of each side are names, or a dict of
    shares."""
    nothing = (None,) * len(teams)
    return {
        "teams": teams, "scores": scores if len(scores) == len(teams) else nothing, "season": season, "home": home,
        "day": START + timedelta(days=day) if isinstance(day, int) else day, "won": won or nothing,
        "places": places or nothing, "exposure": exposure or (1.0,) * len(teams), "players": players,
        "attributes": attributes,
    }  # fmt: skip


def games_of(
    *games: dict, as_of: date | None = None, groups: dict[tuple[str, str], str] | None = None, asked: tuple = ()
) -> Games:
    """Games as they are read from the warehouse, in the order given; `groups` by competitor and season; `asked` are
    attributes that no game may have."""
    names = dict.fromkeys([*asked, *(name for game in games for name in game["attributes"])])
    rows, shares = [], []
    for number, game in enumerate(games):
        for side, team in enumerate(game["teams"]):
            rows.append(
                {
                    "game_id": f"g{number:05d}", "contest_id": f"g{number:05d}", "season": game["season"],
                    "played_on": game["day"], "neutral": game["home"] is None, "side": side + 1, "team": team,
                    "is_home": game["home"] == side, "score": game["scores"][side], "finish": game["places"][side],
                    "won": game["won"][side], "exposure": game["exposure"][side],
                    **{ATTRIBUTE + name: game["attributes"].get(name) for name in names},
                }
            )  # fmt: skip
        for side, playing in enumerate(game["players"], start=1):
            each = playing if isinstance(playing, dict) else dict.fromkeys(playing, 1.0)
            shares += [(f"g{number:05d}", side, player, float(share)) for player, share in each.items()]
    sides = pl.DataFrame(rows, schema=SIDES_SCHEMA | {ATTRIBUTE + name: pl.String for name in names})
    appearances = pl.DataFrame(shares, schema=NO_APPEARANCES.schema, orient="row")
    memberships = sorted((who, season, label) for (who, season), label in (groups or {}).items())
    until = as_of or max(game["day"] for game in games) + timedelta(days=1)
    return Games("x", until, sides, appearances, pl.DataFrame(memberships, schema=NO_MEMBERSHIPS.schema, orient="row"))


@pytest.fixture(scope="session")
def game() -> Callable[..., dict]:
    return one_game


@pytest.fixture(scope="session")
def games() -> Callable[..., Games]:
    return games_of


def of_known_sigma(outcome: Outcome, sigma: float) -> Outcome:
    """A Normal outcome whose sigma is known, so that its posterior at known scales is Gaussian, exactly."""

    def given(aux: dict) -> dict:
        return {**aux, "sigma": sigma}

    return replace(
        outcome,
        auxiliaries=lambda _unit: (),
        log_density=lambda tally, eta, aux: outcome.log_density(tally, eta, given(aux)),
        derivatives=lambda tally, eta, aux: outcome.derivatives(tally, eta, given(aux)),
        pymc=lambda tally, eta, aux: outcome.pymc(tally, eta, given(aux)),
        simulate=lambda rng, eta, exposure, aux, game: outcome.simulate(rng, eta, exposure, given(aux), game),
        losses=lambda y, exposure, eta, aux, game: outcome.losses(y, exposure, eta, given(aux), game),
    )


@pytest.fixture(scope="session")
def known_sigma() -> Callable[[Outcome, float], Outcome]:
    return of_known_sigma


@pytest.fixture(scope="session")
def league() -> League:
    return make_league()


@pytest.fixture(scope="session")
def league_maker() -> Callable[..., League]:
    return make_league


@pytest.fixture(scope="session")
def side_row() -> Callable[..., dict]:
    return row


@pytest.fixture(scope="session")
def stanza() -> Stanza:
    return Stanza(title="Simulated", feed="none", source=("none",), outcome="score", effects=("home",))


def fill_home(home: Home, name: str, sides: pl.DataFrame) -> None:
    """Puts a league's games into a home's warehouse, in the place of what it had."""
    with writing(home) as con:
        con.register("s", sides.to_arrow())
        for table in ("side", "game", "competitor", "league"):
            con.execute(f"DELETE FROM {table} WHERE league = ?", [name])
        con.execute(
            "INSERT INTO league VALUES (?, 'Simulated', 'none', 'score', ['none'], 'ours', true, '{}', ?)", [name, NOW]
        )
        con.execute("INSERT INTO competitor SELECT DISTINCT ?, team, 'team', 'Team ' || team, NULL FROM s", [name])
        con.execute(
            "INSERT INTO game SELECT DISTINCT ?, game_id, contest_id, 0, season, played_on, 'day', 'played', NULL,"
            " neutral, MAP {}, 'all' FROM s",
            [name],
        )
        con.execute(
            "INSERT INTO side SELECT ?, game_id, side, team, is_home, score, NULL, NULL, exposure FROM s", [name]
        )
        con.unregister("s")


@pytest.fixture(scope="session")
def fill() -> Callable[[Home, str, pl.DataFrame], None]:
    return fill_home


@pytest.fixture(scope="session")
def fitted(league: League, stanza: Stanza) -> tuple[Design, Posterior, list[Ratings]]:
    """The league at known scales: its Design, 4,000 draws as of four chains, and its ratings."""
    design = build_design(stanza, league.games)
    fit = laplace.fit_fixed_scales(design, {"attack": 0.3, "defence": 0.3}, np.ones(design.games, dtype=bool))
    draws = fit.draws(np.random.default_rng(1), 4000)
    scales = {name: np.abs(np.random.default_rng(2).normal(0.3, 0.02, 4000)) for name in ("attack", "defence")}
    posterior = Posterior(draws.level, draws.fixed, draws.blocks, scales, {}, 4)
    field = make_field(design, design.kind("team"), stanza, league.games.as_of)
    return design, posterior, [make_ratings(design, posterior, field, np.random.default_rng(3))]


@pytest.fixture
def design(games) -> Callable[..., Design]:
    """(games, keywords of the stanza) -> Design."""

    def make(*some, groups=None, as_of=None, asked=(), known=frozenset(), **stanza) -> Design:
        settings = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win"} | stanza
        found = games(*some, groups=groups, as_of=as_of, asked=asked)
        return build_design(Stanza.model_validate(settings), found, set(known))

    return make
