"""Every real league is rated end to end, its convergence checked; one table of them all. Prints it with pytest -s."""

import json

import numpy as np
import polars as pl
import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(14_400)]

# Games and competitors that the model is of, counted in the files themselves (their PROVENANCE and the stanza's dates).
SIZES = {
    "internationals": (9_303, 299),
    "english": (15_522, 102),
    "atp_tour": (9_850, 660),
    "doubles": (6_746, 789),
    "formula_1_published": (160, 49 + 19),
    "formula_1_worst_first": (160, 49 + 19),
    "formula_1": (237, 93),
    "nhl": (64_569, 2_302),
    "nba": (23_190, 467),
    "nfl": (3_535, 32),
    "mlb": (7_287, 30 + 461),
    "mlb_margin": (7_287, 30 + 461),
    "demo_stints": (1_568, 64),
}
# Checks that fail, and why. Read from the winner, the published model of Formula 1 lets a slow car have a good day as
# easily as a fast one a bad day; in real races the places are further apart and the favourites win more often. Runs as
# counts make a tenth of baseball's games level, and extra innings leave none: its forecasts give those to nobody.
REJECTED = {
    "formula_1_published": {"spread", "dominance"},
    "mlb": {"home_wins", "draws", "held_out"},
}
CONVERGENCE = ("r_hat", "ess_bulk", "ess_tail", "divergences")


@pytest.mark.parametrize("league", SIZES)
def test_its_fit_converges_and_the_verdict_is_the_expected_one(rated, league):
    fit = rated.fit(league)
    games, competitors = SIZES[league]
    assert fit["games"] == games
    assert competitors in (None, fit["competitors"])
    checks = rated.ask("FROM fit_check WHERE fit_id = $fit_id", fit_id=fit["fit_id"])
    assert set(CONVERGENCE) <= set(checks["check_name"])
    failed = checks.filter(pl.col("status") == "fail")
    missed = rated.ask("FROM predictive_check WHERE fit_id = $fit_id AND status = 'fail'", fit_id=fit["fit_id"])
    assert not set(failed["check_name"]) & set(CONVERGENCE), failed.rows()
    assert {*failed["check_name"], *missed["statistic"]} == REJECTED.get(league, set())
    assert (fit["verdict"] == "rejected") == (league in REJECTED)
    assert len(fit["reasons"]) == len(REJECTED.get(league, ()))
    assert set(missed["message"]) <= set(fit["reasons"])


def test_partial_pooling_forecasts_the_last_games_no_worse_than_the_baseline_or_each_alone(rated, show):
    """Held-out log loss of a tenth of the games under one frozen fit of the rest; differences with standard errors."""
    rows = pl.concat(
        rated.ask(
            "SELECT * EXCLUDE (fit_id, log_loss_se) FROM pooling WHERE fit_id = $f",
            f=rated.fit(league)["fit_id"],
        )
        for league in SIZES
    )
    wide = rows.pivot("pooling", index=["league", "held_out_games"], values=["log_loss", "difference", "difference_se"])
    kept = ["league", "held_out_games", "log_loss_partial"]
    for other in ("none", "complete", "baseline"):
        kept += [f"difference_{other}", f"difference_se_{other}"]
    show("Held-out log loss of partial pooling, and how much more the others lose (with standard errors)", wide[kept])
    accepted = wide.filter(~pl.col("league").is_in(list(REJECTED)))
    assert (wide["difference_none"] > -3 * wide["difference_se_none"]).all()
    assert (accepted["difference_baseline"] > -3 * accepted["difference_se_baseline"]).all()


def test_the_table_of_every_rated_league(rated, show):
    rows = pl.DataFrame([_row(rated, league) for league in SIZES])
    show("Real leagues rated by nuts", rows)
    assert (rows["worst R-hat"] < 1.01).all()
    assert (rows["smallest ESS"] > 400).all()
    assert (rows["divergences"] == 0).all()


def _row(rated, league: str) -> dict[str, object]:
    fit = rated.fit(league)
    checks = rated.ask("SELECT check_name, value FROM fit_check WHERE fit_id = $fit_id", fit_id=fit["fit_id"])
    of = (
        checks.group_by("check_name")
        .agg(low=pl.min("value"), high=pl.max("value"))
        .rows_by_key("check_name", named=True)
    )
    design = json.loads(fit["design"])
    blocks = [f"{block['name']} ({block['levels']:,})" for block in design["blocks"]]
    draws = rated.parameters(league)
    scales = [
        f"{block['name']} {np.mean(draws[name]):.3g} ± {np.std(draws[name]):.2g}"
        for block in design["blocks"]
        if (name := f"scale_{block['name']}") in draws
    ]
    return {
        "league": league,
        "outcome": f"{design['outcome']}, {design['likelihood_name']}",
        "games": fit["games"],
        "effects (levels)": ", ".join([*blocks, *(effect["name"] for effect in design["fixed"])]),
        "verdict": fit["verdict"],
        "worst R-hat": of["r_hat"][0]["high"],
        "smallest ESS": round(min(of["ess_bulk"][0]["low"], of["ess_tail"][0]["low"])),
        "divergences": int(of["divergences"][0]["high"]),
        "draws": fit["draws"],
        "seconds": round(fit["seconds"]),
        "scales": ", ".join(scales),
    }


# Who any follower of the sport would name, and within how many of the first our rating has to have them.
KNOWN = [
    ("internationals", "team", "total", ["Brazil", "Argentina", "France", "Spain", "England"], 8),
    ("english", "team", "total", ["Manchester City FC", "Liverpool FC"], 2),
    ("atp_tour", "player", "total", ["Novak Djokovic", "Rafael Nadal"], 2),
    ("atp_tour", "player", "surface:Clay", ["Rafael Nadal", "Novak Djokovic"], 2),
    ("doubles", "player", "total", ["Jack Sock", "Nicolas Mahut", "Marcelo Melo"], 10),
    ("nfl", "team", "total", ["BUF", "KC", "SF", "PHI"], 6),
    ("mlb", "player", "total", ["Clayton Kershaw", "Jake Arrieta", "Max Scherzer"], 10),
    ("mlb_margin", "player", "total", ["Clayton Kershaw"], 3),
]


@pytest.mark.parametrize(("league", "kind", "component", "names", "within"), KNOWN)
def test_the_best_known_are_among_the_first(rated, league, kind, component, names, within):
    ranked = rated.ratings(league, kind, component).filter(pl.col("status") == "ranked")
    assert set(names) <= set(ranked["name"].head(within))
