"""NHL goals 2002-13 against a re-run of the published lasso on 2002-14. Prints its table with pytest -s.

Gramacy, Jensen and Taddy (2013), "Estimating player contribution in hockey with regularized logistic regression",
Journal of Quantitative Analysis in Sports 9. Their players are penalised towards zero one by one and their team-seasons
not at all; ours share a learned spread, and so do team-seasons. Signs and order compare, digits do not.
"""

import polars as pl
import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(14_400)]

LASSO = {
    "Peter Forsberg": 0.757, "Zigmund Palffy": 0.452, "Sidney Crosby": 0.415, "Joe Thornton": 0.385,
    "Pavel Datsyuk": 0.380, "Martin Gelinas": 0.361,
}  # fmt: skip
LONG_CAREER = 190  # goals on the ice: as many as the least of those the lasso names (Palffy, 197)


@pytest.fixture(scope="module")
def players(rated) -> pl.DataFrame:
    """Players of a long career by rating, with the goals they were on the ice for."""
    on_ice = rated.ask(
        "SELECT player AS competitor_id, count(*) AS goals FROM appearance WHERE league = 'nhl' GROUP BY ALL"
    )
    long = rated.ratings("nhl", "player").join(on_ice, on="competitor_id").filter(pl.col("goals") >= LONG_CAREER)
    zero = long["mean"].mean()
    ordered = long.with_columns(pl.col("mean", "q5", "q95") - zero).sort("mean", descending=True)
    return ordered.with_row_index("place", 1)


def test_who_stands_out_in_the_lasso_stands_out_here(players, show):
    named = pl.DataFrame({"name": LASSO.keys(), "lasso": LASSO.values()})
    rows = named.join(players, on="name", how="left", maintain_order="left")
    columns = ["name", "goals", "lasso", "place", "mean", "sd", "q5", "q95", "unpooled", "unpooled_se"]
    show(
        f"NHL: effects of the {len(players):,} players on the ice for {LONG_CAREER} goals or more, about their mean",
        rows[columns],
    )
    show("NHL: our first twenty", players.head(20)[[column for column in columns if column != "lasso"]])
    assert (rows["mean"] > 0).all()
    assert rows["name"][0] == players["name"][0]
    assert (rows["place"] <= len(players) / 10).all()
