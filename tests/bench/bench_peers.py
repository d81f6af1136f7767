"""The peers: each is taught the same matches and asked for the same chances.

Those of the package index are in the dependency group `bench`; lme4, glmmTMB and rstan are Debian's packages of R.
"""

import importlib
import math
import subprocess
import warnings
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, ndtr

from bench_leagues import Matches
from bench_limits import timed

Array = NDArray[np.float64]

R_FITS = Path(__file__).parent / "bench_peers.R"
POINTS = 400 / math.log(10)  # of Elo in a logit
RIIX = {
    "riix Elo": ("elo", "Elo", [{"k": k} for k in (16.0, 24.0, 32.0, 48.0)]),
    "riix Glicko": ("glicko", "Glicko", [{"c": c} for c in (1.0, 3.0, 6.0, 12.0)]),
    "riix Glicko-2": ("glicko2", "Glicko2", [{"initial_sigma": one} for one in (0.01, 0.03, 0.06)]),
    "riix TrueSkill": ("trueskill", "TrueSkill", [{"tau": tau} for tau in (0.02, 0.0833, 0.2)]),
}


def scaled(chance: Array, won: Array) -> float:
    """The logit scale by which chances say most of the results."""
    x = logit(np.clip(chance, 1e-9, 1 - 1e-9))
    sign = 2 * won - 1
    found: Any = minimize_scalar(lambda k: np.logaddexp(0, -sign * k * x).mean(), bounds=(0.05, 3), method="bounded")
    return float(found.x)


def at_scale(chance: Array, scale: float) -> Array:
    return expit(scale * logit(np.clip(chance, 1e-9, 1 - 1e-9)))


def loss(chance: Array, won: Array) -> float:
    return -float(np.log(np.maximum(np.where(won == 1, chance, 1 - chance), 1e-12)).mean())


def riix(name: str, settings: dict[str, float], matches: Matches) -> tuple[Any, Array]:
    """(the system after all matches, its chances before each day). Its arrays are given as they are: the data frame's
    door of riix 0.0.6 joins without keeping the order, after which a forecast would see results of its own future."""
    module, system, _grid = RIIX[name]
    made = getattr(importlib.import_module(f"riix.models.{module}"), system)(
        competitors=list(range(matches.players)), **settings
    )
    dataset = importlib.import_module("riix.utils.data_utils").MatchupDataset.init_from_arrays(
        time_steps=(matches.day - matches.day[0] + 1).astype(np.int32),
        matchups=matches.pair, outcomes=matches.won, competitors=made.competitors,
    )  # fmt: skip
    return made, made.fit_dataset(dataset, return_pre_match_probs=True)


def riix_frozen(name: str, past: Matches, pairs: NDArray[np.int32], judged_from: int) -> Array:
    """Chances by the past alone, settings and scale by its last part, forecast frozen too."""
    early, late = past.of(past.day < judged_from), past.of(past.day >= judged_from)
    tried = []
    for settings in RIIX[name][2]:
        made = riix(name, settings, early)[0].predict(late.pair, time_step=int(late.day[0] - early.day[0] + 1))
        scale = scaled(made, late.won)
        tried.append((loss(at_scale(made, scale), late.won), settings, scale))
    _loss, settings, scale = min(tried, key=lambda one: one[0])
    after = int(past.day[-1] - past.day[0] + 2)
    return at_scale(riix(name, settings, past)[0].predict(pairs, time_step=after), scale)


def through_time(past: Matches, pairs: NDArray[np.int32], day: Array, sd: float, drift: float) -> Array:
    """TrueSkill Through Time by days, with the sds that our probit walk has learned from the same matches."""
    peer = importlib.import_module("trueskillthroughtime")
    order = np.where(past.won[:, None] == 1, past.pair, past.pair[:, ::-1])
    played = [[[str(a)], [str(b)]] for a, b in order]
    history = peer.History(
        played, times=past.day.tolist(), mu=0.0, sigma=sd, beta=math.sqrt(0.5), gamma=drift / math.sqrt(365.25)
    )
    history.convergence(epsilon=1e-3, iterations=30, verbose=False)
    mean, variance, last = np.zeros(past.players), np.full(past.players, sd**2), np.full(past.players, np.inf)
    for name, curve in history.learning_curves().items():
        when, belief = curve[-1]
        mean[int(name)], variance[int(name)], last[int(name)] = belief.mu, belief.sigma**2, when
    idle = np.maximum(day[:, None] - last[pairs], 0.0)
    wide = variance[pairs] + np.where(np.isfinite(idle), idle, 0.0) * drift**2 / 365.25
    return ndtr((mean[pairs[:, 0]] - mean[pairs[:, 1]]) / np.sqrt(1 + wide.sum(axis=1)))


def whole_history(past: Matches, pairs: NDArray[np.int32], drift: float) -> Array:
    """whole-history-rating with the drift that our logit walk has learned from the same matches."""
    peer = importlib.import_module("whr.whole_history_rating").WHR({"w2": (drift * POINTS) ** 2 / 365.25})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for (a, b), won, day in zip(past.pair, past.won, past.day, strict=True):
            peer.create_game(str(a), str(b), "B" if won else "W", int(day - past.day[0]), 0)
        peer.auto_iterate(precision=1e-2)
        found = [peer.probability_future_match(str(a), str(b), account_for_uncertainty=True)[0] for a, b in pairs]
    return np.array(found)


def openskill(matches: Matches) -> tuple[Any, list[Any], Array]:
    """(the model, ratings after all matches, chances before each day) of openskill's Plackett-Luce as it comes."""
    model = importlib.import_module("openskill.models").PlackettLuce()
    rated = [model.rating() for _ in range(matches.players)]
    found, begin = np.empty(len(matches.day)), 0
    for end in np.append(np.flatnonzero(np.diff(matches.day)) + 1, len(matches.day)):
        for k in range(begin, end):
            a, b = matches.pair[k]
            found[k] = model.predict_win([[rated[a]], [rated[b]]])[0]
        for k in range(begin, end):
            a, b = matches.pair[k] if matches.won[k] else matches.pair[k][::-1]
            (rated[a],), (rated[b],) = model.rate([[rated[a]], [rated[b]]])
        begin = end
    return model, rated, found


def openskill_frozen(past: Matches, pairs: NDArray[np.int32]) -> Array:
    """Chances by the past alone."""
    model, rated, _found = openskill(past)
    return np.array([model.predict_win([[rated[a]], [rated[b]]])[0] for a, b in pairs])


def choix(past: Matches, pairs: NDArray[np.int32]) -> Array:
    """choix's Bradley-Terry of players who do not change, by Luce spectral ranking with a little regularisation."""
    peer = importlib.import_module("choix")
    order = np.where(past.won[:, None] == 1, past.pair, past.pair[:, ::-1])
    strength = peer.ilsr_pairwise(past.players, [tuple(one) for one in order.tolist()], alpha=0.01)
    return np.array([peer.probabilities(pair, strength)[0] for pair in pairs.tolist()])


def penaltyblog(
    home: list[str], away: list[str], goals: NDArray[np.int_], coming: list[tuple[str, str]]
) -> tuple[float, Array]:
    """(seconds of the fit, chances of win, draw and loss of the coming games) of its Poisson model of goals."""
    peer = importlib.import_module("penaltyblog.models")
    model = peer.PoissonGoalsModel(goals[:, 0], goals[:, 1], np.array(home), np.array(away))
    seconds = timed(model.fit)[0]
    return seconds, np.array([model.predict(*pair).home_draw_away for pair in coming])


class Effects(NamedTuple):
    """What R fitted to rows of goals: seconds without start-up, and effects by team, in order of their names."""

    seconds: float
    intercept: float
    at_home: float
    attack: Array
    defence: Array


def missing_in_r(package: str) -> str | None:
    """What the report says of a package of R that is not there, or None."""
    asked = f"quit(status = !requireNamespace('{package}', quietly = TRUE))"
    if which("Rscript") and subprocess.run(["Rscript", "-e", asked], capture_output=True, check=False).returncode == 0:
        return None
    return f"not installed: apt-get install r-cran-{package.lower()}"


def in_r(package: str, rows: pl.DataFrame, folder: Path) -> Effects:
    """Poisson goals by attack, defence and home as `package` of R fits them; columns goals, at_home, attack, defence
    (the team whose it is). RuntimeError with R's last words where it does not."""
    given, found = folder / f"{package}-rows.csv", folder / f"{package}-effects.csv"
    rows.write_csv(given)
    command = ["Rscript", str(R_FITS), package, str(given), str(found)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(" ".join(ran.stderr.split("Error", 1)[-1].split()))
    table = pl.read_csv(found)
    one = {name: table.filter(pl.col("what") == name)["value"].to_numpy() for name in Effects._fields}
    seconds, intercept, at_home = (float(one[name][0]) for name in ("seconds", "intercept", "at_home"))
    return Effects(seconds, intercept, at_home, one["attack"], one["defence"])
