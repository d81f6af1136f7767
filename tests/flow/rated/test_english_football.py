"""English football 2013-24: a club starts at the division it enters in. Prints its tables with pytest -s."""

import numpy as np
import polars as pl
import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(14_400)]

DIVISIONS = ["en.1", "en.2", "en.3", "en.4"]
# Salford City's first game in the four divisions was the day before, at home to Stevenage: two to nil.
FIRST_DAY, NEWCOMER = "2019-08-04", "Salford City"
ENTRIES = """
SELECT competitor_id, min_by("group", season) AS division FROM membership
WHERE league = 'english' AND grouping = 'division' AND season <= $season GROUP BY ALL
"""


def entered(rated, season: str, as_of: str | None = None) -> pl.DataFrame:
    """The clubs' ratings with the division each entered in and the mean it was pooled to.

    That mean is the published distance solved for it: distance = 1 - (pooled - mean) / (unpooled - mean).
    """
    clubs = rated.ratings("english", "team", as_of=as_of).join(rated.ask(ENTRIES, season=season), on="competitor_id")
    distance = pl.col("shrinkage_by_distance")
    return clubs.with_columns(pooled_to=(pl.col("mean") - (1 - distance) * pl.col("unpooled")) / distance)


def test_divisions_means_are_in_the_order_of_the_divisions(rated, show):
    clubs = entered(rated, "2023/24")
    found = clubs.group_by("division").agg(
        pl.len().alias("clubs"),
        pl.median("pooled_to"),
        (pl.max("pooled_to") - pl.min("pooled_to")).alias("range"),
        pl.mean("mean").alias("mean rating"),
        pl.std("mean").alias("sd of ratings"),
    )
    found = found.sort("division")
    show("English football: what the clubs of each entry division are pooled to", found)
    assert found["division"].to_list() == DIVISIONS
    assert (found["range"] < 1e-6).all()  # one mean a division
    assert (np.diff(found["pooled_to"].to_numpy()) < -0.05).all()


def test_a_club_new_to_the_divisions_starts_at_the_lowest(rated, show):
    clubs = entered(rated, "2019/20", FIRST_DAY)
    newcomer = clubs.filter(pl.col("name") == NEWCOMER)
    means = (
        clubs.group_by("division").agg(pl.mean("mean").alias("rating"), pl.std("mean").alias("spread")).sort("division")
    )
    columns = ["name", "division", "games", "status", "mean", "sd", "q5", "q95", "unpooled", "shrinkage"]
    show(f"English football as of {FIRST_DAY}: {NEWCOMER} after one game", newcomer[columns])
    show(f"English football as of {FIRST_DAY}: mean rating by division of entry", means)
    ((division, games, mean, sd),) = newcomer[["division", "games", "mean", "sd"]].rows()
    assert (division, games) == ("en.4", 1)
    assert abs(mean - means["rating"][3]) < sd / 2
    assert mean < means["rating"][2]
    scales = rated.parameters("english", FIRST_DAY)
    before = np.sqrt(np.mean(scales["scale_attack"] ** 2 + scales["scale_defence"] ** 2))
    assert 0.85 < sd / before < 1.15  # one game says little: about as uncertain as any club of a known division
