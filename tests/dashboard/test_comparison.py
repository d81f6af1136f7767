"""The sections on other models and on priors: what they show of stored comparisons, and what where there are none."""

from typing import Any

import duckdb

from dashboard.frame import View
from dashboard.pages.comparison import comparison_sections
from dashboard.reader import Reader
from store.home import Home

FIT = "nations-good"


def shown(home: Home, made: Any, league: str = "nations", fit: str = FIT) -> str:
    """The sections as JSON."""
    with Reader(home).answer() as answer:
        view = View(answer, [], {"league": league}, {}, made.NOW, made.NOW)
        return "".join(str(part.to_plotly_json()) for part in comparison_sections(view, fit))


def test_the_three_newest_comparisons_are_shown_with_what_they_mean(compared: Home, made: Any) -> None:
    text = shown(compared, made)
    assert [f"comparison-c{number}" in text for number in range(4)] == [True, True, True, False]
    assert text.index("Said of poisson.") < text.index(" Said of negative binomial.")
    assert (
        "'waic': -1991.0" in text and "Each game was forecast from all the others: 941 games before 10 Jan 2024" in text
    )


def test_games_that_weigh_most_are_listed_once_each(compared: Home, made: Any) -> None:
    text = shown(compared, made)
    assert "2 games that weigh most, or were expected least" in text
    assert "'variants': 'negative binomial, poisson'" in text and "31–0" in text
    assert text.index("'game_id': 'g1'") < text.index("'game_id': 'g0'"), "those expected least come first"


def test_what_leans_on_priors_is_counted_and_listed(compared: Home, made: Any) -> None:
    text = shown(compared, made)
    assert "11 of 12 ratings lean on the priors. Shown are every parameter and the 5 of 12 ratings" in text
    assert "'quantity': 'attack_sd'" in text and "'title': 'spread of attack'" in text
    assert "'quantity': 't:11'" in text and "'quantity': 't:1'," not in text


def test_a_league_that_was_never_compared_says_how_to(compared: Home, made: Any) -> None:
    text = shown(compared, made, "cup", "cup-good")
    assert "pooltable compare cup" in text and "This fit has none on record" in text


def test_the_page_of_fit_checks_has_both(compared: Home, made: Any) -> None:
    from dashboard.pages.checks import content

    with Reader(compared).answer() as answer:
        leagues = answer.rows("leagues")
        league = next(row for row in leagues if row["league"] == "nations")
        text = "".join(str(part) for part in content(View(answer, leagues, league, {}, made.NOW, made.NOW)) if part)
    assert "comparison-c0" in text and "prior-sensitivity" in text


def test_readers_of_sql_get_names_beside_what_leans_on_priors(compared: Home) -> None:
    from store.edition import current

    with duckdb.connect(str(current(compared)), read_only=True) as con:
        found = con.execute(
            "SELECT quantity, name FROM prior_sensitivity WHERE quantity IN ('attack_sd', 't:1') ORDER BY 1"
        ).fetchall()
    assert found == [("attack_sd", "spread of attack"), ("t:1", "Nations 2")]


def test_two_leagues_keep_their_own(compared: Home) -> None:
    from store.edition import current

    with duckdb.connect(str(current(compared)), read_only=True) as con:
        assert con.execute("SELECT count(DISTINCT comparison_id) FROM comparison").fetchall() == [(4,)]
        assert con.execute("SELECT count(*) FROM comparison WHERE league = 'cup'").fetchall() == [(0,)]
