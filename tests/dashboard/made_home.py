"""Writes a small home through the real floor: warehouse tables, draws files, an edition. All of it is seeded.

Three leagues: `nations` (real, rated, its newest fit rejected, names that attack), `cup` (simulated, with the truth)
and `waiting` (results loaded, no fit).
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from store.edition import publish
from store.home import Home
from store.warehouse import writing

NOW = datetime(2024, 1, 10, 5, 0, tzinfo=UTC)
ATTACKS = ["<img src=x onerror=alert(1)>", "=cmd()|' /C calc'!A0", 'Curaçao, "the" team']
LEAGUES = ["nations", "cup", "waiting"]
DRAWS = 400
QUANTILES = {"q5": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
COMPONENTS = ("total", "attack", "defence")

type Row = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A league, or one kind of it, to make: its key, title, number of competitors, and whether the truth is known."""

    league: str
    title: str
    teams: int
    is_simulated: bool
    seed: int
    kind: str = "team"
    outcome: str = "score"

    @property
    def likelihood(self) -> str:
        """The likelihood of its outcome."""
        return {"score": "poisson", "order": "plackett_luce"}[self.outcome]

    @cached_property
    def ids(self) -> list[str]:
        """Ids of its competitors: "t:0" and so on for teams, "p:0" for players."""
        return [f"{self.kind[0]}:{number}" for number in range(self.teams)]


def made_home(root: Path, teams: int = 40, now: datetime = NOW) -> Home:
    """A home with three leagues, published at `now`; the top team of a league is called "<title> 1"."""
    home = Home(root)
    nations = Made("nations", "Nations", teams, False, 1)
    cup = Made("cup", "Simulated cup", max(12, teams // 2), True, 2)
    with writing(home) as con:
        for made in (nations, cup, Made("waiting", "Stints in waiting", 6, True, 3)):
            add_league(con, made, now)
        add_fit(con, home, nations, "nations-good", now - timedelta(days=2))
        add_fit(con, home, nations, "nations-bad", now - timedelta(hours=1), rejected=True)
        add_fit(con, home, cup, "cup-good", now - timedelta(hours=2))
    publish(home, LEAGUES, now)
    return home


def add_races(home: Home, now: datetime = NOW) -> None:
    """A league of races to a home, with drivers and constructors rated beside one another, in a new edition."""
    drivers = Made("races", "Races", 20, False, 4, "player", "order")
    cars = Made("races", "Constructors", 8, False, 5, "team", "order")
    with writing(home) as con:
        add_league(con, drivers, now)
        names = zip(cars.ids, team_names(cars), strict=True)
        insert(con, "competitor", [
            {"league": "races", "competitor_id": one, "kind": "team", "name": name} for one, name in names
        ])  # fmt: skip
        add_fit(con, home, drivers, "races-good", now - timedelta(hours=3))
        add_ratings(con, home, cars, "races-good")
    publish(home, [*LEAGUES, "races"], now + timedelta(minutes=1))


def add_league(con: duckdb.DuckDBPyConnection, made: Made, now: datetime) -> None:
    """A league's own row, its teams, two games, and the truth where it is simulated."""
    stamp = now.replace(tzinfo=None)
    league = {
        "league": made.league, "title": made.title, "feed": "csv", "outcome": made.outcome, "source": ["games.csv"],
        "licence": "CC0", "is_simulated": made.is_simulated, "stanza": "{}", "updated_at_utc": stamp,
    }  # fmt: skip
    insert(con, "league", [league])
    names = team_names(made)
    insert(con, "competitor", [
        {"league": made.league, "competitor_id": one, "kind": made.kind, "name": name}
        for one, name in zip(made.ids, names, strict=True)
    ])  # fmt: skip
    groups = ("North", "South") if made.league == "nations" else ("All",)
    insert(con, "membership", [
        {"league": made.league, "competitor_id": one, "season": "2023", "grouping": "side",
         "group": groups[number % len(groups)]}
        for number, one in enumerate(made.ids)
    ])  # fmt: skip
    add_games(con, made)
    if made.is_simulated:
        values = strengths(made)["true"]
        insert(con, "truth", [
            {"league": made.league, "competitor_id": f"t:{i}", "component": "total", "value": float(value) + 5}
            for i, value in enumerate(values)
        ])  # fmt: skip


def add_games(con: duckdb.DuckDBPyConnection, made: Made) -> None:
    """Two games a league."""
    games = [f"g{number}" for number in range(2)]
    rows = [
        {"league": made.league, "game_id": game, "contest_id": game, "sequence": 0, "season": "2023",
         "played_on": date(2023, 12, 30), "played_on_precision": "day", "status": "played", "neutral": False,
         "slice": "a"}
        for game in games
    ]  # fmt: skip
    insert(con, "game", rows, ", MAP {}::MAP(VARCHAR, VARCHAR) AS attributes")
    insert(con, "side", [
        {"league": made.league, "game_id": game, "side": side, "team": f"t:{side}", "is_home": side == 1, "score": 1.0,
         "exposure": 1.0}
        for game in games for side in (1, 2)
    ])  # fmt: skip


def team_names(made: Made) -> list[str]:
    """Names in order of strength as fitted; the third to fifth of `nations` are attacks."""
    names = [f"{made.title} {number + 1}" for number in range(made.teams)]
    if made.league == "nations":
        names[2:5] = ATTACKS
    return names


def strengths(made: Made) -> dict[str, np.ndarray]:
    """True strength, games, estimate alone and its error, pooled estimate and sd of every team, best pooled first."""
    rng = np.random.default_rng(made.seed)
    scale = 0.6
    true = rng.normal(0, scale, made.teams)
    games = np.maximum(1, rng.lognormal(3.2, 1.1, made.teams).astype(int))
    error = 1.2 / np.sqrt(games)
    alone = true + rng.normal(0, error)
    shrinkage = error**2 / (error**2 + scale**2)
    pooled, sd = (1 - shrinkage) * alone, scale * np.sqrt(shrinkage)
    order = np.argsort(-pooled)
    found = {
        "true": true,
        "games": games,
        "alone": alone,
        "error": error,
        "pooled": pooled,
        "sd": sd,
        "shrinkage": shrinkage,
    }
    return {name: values[order] for name, values in found.items()}


def add_fit(
    con: duckdb.DuckDBPyConnection, home: Home, made: Made, fit_id: str, fitted_at: datetime, rejected: bool = False
) -> None:
    """One fit with everything it leaves behind: rows in seven tables and a file of draws."""
    reasons = (
        ["R-hat of the scale of attack is 1.04, above 1.01.", "The share of draws is off by .07."] if rejected else []
    )
    insert(con, "fit", [{
        "fit_id": fit_id, "league": made.league, "as_of": date(2024, 1, 9 if rejected else 1), "is_dated": False,
        "fitted_at_utc": fitted_at.replace(tzinfo=None), "current_at_utc": fitted_at.replace(tzinfo=None),
        "engine": "nuts",
        "verdict": "rejected" if rejected else "accepted", "reasons": reasons, "outcome": made.outcome,
        "unit": "logits" if made.outcome == "order" else "log goals",
        "games": 9876, "competitors": made.teams, "first_game_on": date(2014, 1, 3), "last_game_on": date(2023, 12, 31),
        "draws": 4000, "seed": 7, "seconds": 11.4, "design": json.dumps({"likelihood_name": made.likelihood}),
         "games_fingerprint": "f", "code_hash": "c",
        "versions": "{}",
    }])  # fmt: skip
    key = {"league": made.league, "fit_id": fit_id}
    insert(con, "fit_check", [key | row for row in fit_checks(rejected)])
    insert(con, "predictive_check", [key | row for row in predictive_checks(rejected)])
    insert(con, "pooling", [key | row for row in poolings()])
    insert(con, "hyperparameter", [key | row for row in hyperparameters(rejected)])
    for table, rows in evidence().items():
        insert(con, table, [key | row for row in rows])
    add_ratings(con, home, made, fit_id)


def add_ratings(con: duckdb.DuckDBPyConnection, home: Home, made: Made, fit_id: str) -> None:
    """Ratings, standings and draws that agree with one another."""
    found = strengths(made)
    rng = np.random.default_rng(made.seed + 100)
    draws = found["pooled"][:, None] + found["sd"][:, None] * rng.normal(size=(made.teams, DRAWS))
    is_active = np.arange(made.teams) % 9 != 8
    status = np.where(~is_active, "inactive", np.where(found["games"] < 5, "provisional", "ranked"))
    ranked = np.flatnonzero(status == "ranked")
    draws -= draws[ranked].mean(axis=0)
    ranks = np.argsort(np.argsort(-draws[ranked], axis=0), axis=0) + 1
    insert(con, "rating", [row for i in range(made.teams) for row in rating_rows(made, fit_id, found, draws, i)])
    insert(con, "standing", standing_rows(made, fit_id, found, draws, status, ranked, ranks))
    write_draws(home, made, fit_id, draws, ranked, ranks)


def rating_rows(made: Made, fit_id: str, found: dict[str, np.ndarray], draws: np.ndarray, i: int) -> list[Row]:
    """The three components of one team; the last but one of a league has no unpooled estimate."""
    is_finite = i != made.teams - 2
    return [
        {
            "league": made.league, "fit_id": fit_id, "kind": made.kind, "competitor_id": made.ids[i],
            "component": component,
            "mean": float(draws[i].mean() * part), "sd": float(draws[i].std() * part),
            **{name: float(np.quantile(draws[i], q) * part) for name, q in QUANTILES.items()},
            "unpooled": float(found["alone"][i] * part) if is_finite else None,
            "unpooled_se": float(found["error"][i]) if is_finite else None,
            "unpooled_reason": None if is_finite else "never scored",
            "shrinkage": float(found["shrinkage"][i]), "shrinkage_by_distance": None,
        }
        for component, part in zip(COMPONENTS, (1, 0.6, 0.4), strict=True)
        if component == "total" or made.outcome == "score"
    ]  # fmt: skip


def standing_rows(
    made: Made, fit_id: str, found: dict[str, np.ndarray], draws: np.ndarray, status: np.ndarray, ranked: np.ndarray,
    ranks: np.ndarray,
) -> list[Row]:  # fmt: skip
    """One row a team, with the ranks of the ranked by mean."""
    place = {int(i): position for position, i in enumerate(ranked)}
    by_mean = {int(i): rank + 1 for rank, i in enumerate(sorted(ranked, key=lambda i: -draws[i].mean()))}
    rows: list[Row] = []
    for i in range(made.teams):
        of_team = ranks[place[i]] if i in place else None
        rows.append({
            "league": made.league, "fit_id": fit_id, "kind": made.kind, "competitor_id": made.ids[i],
            "status": str(status[i]),
            "pool": 1, "rank": by_mean.get(i), "tier": 1 + (by_mean[i] - 1) // 4 if i in by_mean else None,
            "rank_low": None if of_team is None else int(np.quantile(of_team, 0.05)),
            "rank_high": None if of_team is None else int(np.quantile(of_team, 0.95)),
            **{name: None if of_team is None else float((of_team <= k).mean())
               for name, k in (("p_best", 1), ("p_top3", 3), ("p_top10", 10))},
            "games": int(found["games"][i]), "last_played": date(2023, 12, 1),
            "expected_margin": expected(draws[i], made.outcome),
        })  # fmt: skip
    return rows


def expected(draws: np.ndarray, outcome: str) -> float:
    """Mean margin against the reference in goals; of a race, the chance to be ahead of it, less one half."""
    return float(np.tanh(draws / 2).mean() / 2) if outcome == "order" else float(draws.mean() * 1.3)


def write_draws(home: Home, made: Made, fit_id: str, draws: np.ndarray, ranked: np.ndarray, ranks: np.ndarray) -> None:
    """The fit's Parquet file."""
    place = {int(i): position for position, i in enumerate(ranked)}
    rows: list[Row] = [
        {"league": made.league, "kind": made.kind, "competitor_id": made.ids[i], "component": "total",
         "parameter": None,
         "draws": draws[i].tolist(), "ranks": ranks[place[i]].tolist() if i in place else None}
        for i in range(made.teams)
    ]  # fmt: skip
    for name, value in (("intercept", 0.2), ("scale_attack", 0.5)):
        rows.append({"league": made.league, "parameter": name, "draws": [value] * DRAWS})
    home.draws.mkdir(parents=True, exist_ok=True)
    schema = {
        "league": pl.String, "kind": pl.String, "competitor_id": pl.String, "component": pl.String,
        "parameter": pl.String, "draws": pl.List(pl.Float32), "ranks": pl.List(pl.Int32),
    }  # fmt: skip
    frame, path = pl.DataFrame(rows, schema=schema), home.draws_of(fit_id)
    if path.exists():  # of another kind; the parameters are there already
        frame = pl.concat([pl.read_parquet(path), frame.filter(pl.col("parameter").is_null())])
    frame.write_parquet(path)


def fit_checks(rejected: bool) -> list[Row]:
    """Checks of a fit; where rejected, one of them fails."""
    return [
        {"check_name": "r_hat", "subject": "scale of attack", "value": 1.04 if rejected else 1.002, "bound": 1.01,
         "status": "fail" if rejected else "pass", "message": "Chains agree where R-hat is below the bound."},
        {"check_name": "ess_bulk", "subject": "worst rating", "value": 1843.0, "bound": 400.0, "status": "pass",
         "message": "Enough independent draws for the middle of every published rating."},
        {"check_name": "divergences", "subject": "the whole fit", "value": 0.0, "bound": 0.0, "status": "pass",
         "message": "No divergent transitions."},
        {"check_name": "held_out_log_loss", "subject": "the whole fit", "value": 0.871, "bound": 1.02, "status": "pass",
         "message": "On the last 10 % of games it forecast better than shares of past results."},
        {"check_name": "connection", "subject": "the whole fit", "value": None, "bound": None, "status": "warn",
         "message": "Two competitors are linked to the rest by a single game; their ratings are honest but wide."},
    ]  # fmt: skip


def predictive_checks(rejected: bool) -> list[Row]:
    """Predictive checks: hard ones on draws (failing where rejected) and goals, and one on home wins that warns."""
    drawn = (0.301, 0.231, 0.221, 0.241, 0.0) if rejected else (0.232, 0.231, 0.221, 0.241, 0.47)
    said = "Draws are as common as in replicated results."
    warned = "More home wins than replicated results have, by less than matters in practice."
    return [
        predictive("draws", "share of drawn games", drawn, True, "fail" if rejected else "pass", said),
        predictive("goals", "mean goals a game", (2.71, 2.70, 2.66, 2.75, 0.41), True, "pass", "As expected."),
        predictive("home_wins", "share of home wins", (0.477, 0.459, 0.451, 0.468, 0.001), False, "warn", warned),
    ]


def predictive(key: str, title: str, numbers: tuple[float, ...], is_hard: bool, status: str, message: str) -> Row:
    """One predictive check; `numbers` are observed, mean, 5 %, 95 % and p."""
    observed, mean, q5, q95, p = numbers
    return {
        "statistic": key, "title": title, "observed": observed, "replicated_mean": mean, "replicated_sd": 0.006,
        "q5": q5, "q95": q95,
        "p_value": p, "practical_size": 0.05, "is_hard": is_hard, "status": status, "message": message,
    }  # fmt: skip


def poolings() -> list[Row]:
    """Held-out log loss of four ways of pooling."""
    values = {"partial": (0.871, 0.0, 0.0), "none": (0.902, 0.031, 0.008), "complete": (1.041, 0.17, 0.014),
              "baseline": (1.052, 0.181, 0.014)}  # fmt: skip
    return [
        {"pooling": name, "held_out_games": 941, "log_loss": loss, "log_loss_se": 0.013, "difference": gap,
         "difference_se": se}
        for name, (loss, gap, se) in values.items()
    ]  # fmt: skip


def hyperparameters(rejected: bool) -> list[Row]:
    """Scales and the home advantage."""
    chosen = {"intercept": ("log goals of two average sides", 0.21), "home": ("home advantage", 0.24),
              "attack_sd": ("spread of attack", 0.52), "defence_sd": ("spread of defence", 0.41)}  # fmt: skip
    return [
        {"parameter": name, "title": title, "prior": "HalfNormal(0.5)" if name.endswith("sd") else "Normal(0, 0.5)",
         "mean": mean, "sd": 0.02, **{key: mean + 0.04 * (q - 0.5) for key, q in QUANTILES.items()},
         "r_hat": 1.04 if rejected and name == "attack_sd" else 1.001, "ess_bulk": 2400.0, "ess_tail": 2900.0}
        for name, (title, mean) in chosen.items()
    ]  # fmt: skip


def evidence() -> dict[str, list[Row]]:
    """What stands beside the checks: histograms, forecasts by chance, counts, residuals, what converged least."""
    bins = range(1, 21)
    return {
        "pit": [
            {"kind": kind, "bin": one, "results": 1884, "observed": 0.05 + 0.004 * ((one % 3) - 1), "expected": 0.05,
             "low": 0.035, "high": 0.067}
            for kind in ("held_out", "loo", "in_sample") for one in bins
        ],
        "calibration": [
            {"event": event, "bin": one, "games": 94, "forecast": one / 11,
             "observed": one / 11 + (0.2 if one == 7 else 0), "low": one / 11 - 0.08, "high": one / 11 + 0.08}
            for event in ("win", "draw", "loss") for one in range(1, 11)
        ],
        "rootogram": [
            {"count": one, "is_or_more": one == 6, "observed": 900.0 / (one + 1), "expected": 880.0 / (one + 1),
             "low": 800.0 / (one + 1), "high": 950.0 / (one + 1)}
            for one in range(7)
        ],
        "residual": [
            {"dimension": dimension, "level": level, "measure": measure, "games": 380, "observed": 0.4 + mean,
             "expected": 0.4, "mean": mean, "low": mean - 0.1, "high": mean + 0.1, "z": mean / 0.06, "status": status,
             "message": "Home sides' results were off."}
            for dimension, level, measure, mean, status in (
                ("season", "2021", "home", 0.02, "pass"), ("season", "2022", "home", -0.31, "warn"),
                ("season", "2022", "total", 0.05, "pass"), ("team", "<b>Nations 3</b>", "own", 0.11, "pass"),
            )
        ],
        "diagnosis": [
            {"place": one, "quantity": f"attack of team {one}", "family": "rating", "r_hat": 1.004, "ess_bulk": 900.0,
             "ess_tail": 950.0}
            for one in range(1, 11)
        ],
    }  # fmt: skip


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[Row], extra: str = "") -> None:
    """Inserts dicts by column name; `extra` is more of the SELECT list."""
    con.register("rows_to_insert", pl.DataFrame(rows, infer_schema_length=None).to_arrow())
    con.execute(f"INSERT INTO {table} BY NAME SELECT *{extra} FROM rows_to_insert")
    con.unregister("rows_to_insert")
