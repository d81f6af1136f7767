"""Formula 1 2014-21 against the published study of the same races, point by point. Prints its tables with pytest -s.

Van Kesteren and Bergkamp (2023), "Bayesian analysis of Formula One race results: disentangling driver skill and
constructor advantage", Journal of Quantitative Analysis in Sports 19: rank-ordered logit from the winner, of those who
finished. Its sds and share are printed; skills are read off its figures. Skills of 2021 are driver plus driver-season;
the constructors' figure is of their average over the years, without the season's form. Both count from a prior mean of
zero, our ratings from the mean of the ranked, so the lists are compared about their own means.
"""

import numpy as np
import polars as pl
import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(14_400)]

DRIVERS_2021 = {
    "Max Verstappen": 1.51, "Lewis Hamilton": 1.19, "Lando Norris": 0.81, "Daniel Ricciardo": 0.47,
    "Valtteri Bottas": 0.41, "Carlos Sainz": 0.40, "Nicholas Latifi": -0.33, "Nikita Mazepin": -0.65,
    "Yuki Tsunoda": -0.79,
}  # fmt: skip
CONSTRUCTORS = {
    "Mercedes": 2.57, "Ferrari": 2.19, "Red Bull": 1.82, "AlphaTauri": 0.97, "Williams": -0.47, "Haas F1 Team": -0.98,
}  # fmt: skip
SDS = {"team": 1.63, "team_season": 0.73, "player": 0.54, "player_season": 0.35}
SHARE, SHARE_89 = 0.88, (0.775, 0.945)
FITS = ("formula_1_published", "formula_1_worst_first")


def share_of_constructors(draws: dict) -> np.ndarray:
    """Draws of the share of the variance that is between constructors and their seasons."""
    team = draws["scale_team"] ** 2 + draws["scale_team_season"] ** 2
    player = draws["scale_player"] ** 2 + draws["scale_player_season"] ** 2
    return team / (team + player)


def beside(rated, printed: dict[str, float], kind: str, component: str) -> pl.DataFrame:
    """Printed and our skills, each less the mean of those listed, with our sds."""
    rows = pl.DataFrame({"name": printed.keys(), "printed": printed.values()})
    for league in FITS:
        ours = rated.ratings(league, kind, component).select("name", pl.col("mean").alias(league), sd=pl.col("sd"))
        rows = rows.join(ours.rename({"sd": f"sd {league}"}), on="name", how="left", maintain_order="left")
    assert rows.null_count().sum_horizontal().item() == 0
    about = ["printed", *FITS]
    return rows.with_columns(pl.col(about) - pl.col(about).mean())


def test_skills_of_2021_are_the_published_ones(rated, show):
    rows = beside(rated, DRIVERS_2021, "player", "season:2021")
    show("Formula 1: driver skill of 2021 (driver + driver-season), about the mean of those listed", rows)
    ours = rows["formula_1_published"].to_numpy()
    printed = rows["printed"].to_numpy()
    assert np.corrcoef(ours, printed)[0, 1] > 0.95
    assert (np.abs(ours - printed) < rows["sd formula_1_published"].to_numpy()).all()
    assert rows["name"][int(np.argmax(ours))] == "Max Verstappen"


def test_constructors_advantages_are_the_published_ones(rated, show):
    rows = beside(rated, CONSTRUCTORS, "team", "total")
    show("Formula 1: average advantage of a constructor, about the mean of those listed", rows)
    season = beside(rated, CONSTRUCTORS, "team", "season:2021")
    show("The same with the form of 2021 (not what the figure shows)", season)
    ours, printed = rows["formula_1_published"].to_numpy(), rows["printed"].to_numpy()
    assert np.corrcoef(ours, printed)[0, 1] > 0.95
    assert (np.abs(ours - printed) < rows["sd formula_1_published"].to_numpy()).all()
    assert (np.argsort(-ours)[:3] == [0, 1, 2]).all()


def test_scales_and_the_share_of_the_constructors_are_the_published_ones(rated, show):
    draws = {league: rated.parameters(league) for league in FITS}
    rows = [{"quantity": f"sd {name}", "printed": printed} for name, printed in SDS.items()]
    for row, name in zip(rows, SDS, strict=True):
        for league in FITS:
            row[league] = _interval(draws[league][f"scale_{name}"])
    share = {"quantity": "share of constructors", "printed": f"{SHARE} [{SHARE_89[0]}, {SHARE_89[1]}]"}
    share |= {league: _interval(share_of_constructors(draws[league])) for league in FITS}
    rows = [row | {"printed": str(row["printed"])} for row in rows]
    show(
        "Formula 1: sds and the constructors' share of the variance, mean [89 % interval]", pl.DataFrame([*rows, share])
    )
    for name, printed in SDS.items():
        own = draws["formula_1_published"][f"scale_{name}"]
        assert abs(own.mean() - printed) < own.std()
    for league in FITS:
        own = share_of_constructors(draws[league])
        assert abs(own.mean() - SHARE) < 0.03
        assert np.percentile(own, [5.5, 94.5]) == pytest.approx(SHARE_89, abs=0.03)


def test_read_from_the_last_place_it_forecasts_better_and_passes_every_check(rated, show):
    """Both have the same data, so their forecasts of the held-out races of 2021 compare."""
    wanted = "SELECT statistic, observed, replicated_mean, p_value, status FROM predictive_check WHERE fit_id = $f"
    loss = "SELECT log_loss FROM pooling WHERE fit_id = $f AND pooling = 'partial'"
    found, losses = [], {}
    for league in FITS:
        fit = rated.fit(league)["fit_id"]
        found.append(rated.ask(wanted, f=fit).select(pl.lit(league).alias("fit"), pl.all()))
        losses[league] = rated.ask(loss, f=fit).item()
    show("Formula 1: predictive checks", pl.concat(found))
    show("Formula 1: log loss of a held-out race", pl.DataFrame([losses]))
    assert losses["formula_1_worst_first"] < losses["formula_1_published"]


def _interval(draws: np.ndarray) -> str:
    low, high = np.percentile(draws, [5.5, 94.5])
    return f"{draws.mean():.3f} [{low:.3f}, {high:.3f}]"
