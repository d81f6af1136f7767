"""The sections on other models and on priors: what they show of stored comparisons, and what where there are none."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest

from dashboard.frame import View
from dashboard.pages.comparison import comparison_sections
from dashboard.reader import Reader
from store.edition import publish
from store.home import Home
from store.warehouse import writing

FIT = "nations-good"


def model(comparison: str, variant: str, total: float, made: Any, method: str = "loo", **more: Any) -> dict[str, Any]:
    is_own = variant == "poisson"
    return {
        "league": "nations", "comparison_id": comparison, "variant": variant, "settings": "", "is_own": is_own,
        "method": method, "engine": "joint", "games": 941, "elpd": -2000.0 + total, "elpd_se": 20.0, "p_eff": 40.0,
        "worst_k": 0.9, "high_k": 1, "refitted": 1, "doubtful": 0, "difference": None if is_own else total,
        "difference_se": None if is_own else 2.0, "p_better": None, "verdict": None if is_own else "better",
        "sentence": f"Said of {variant}.", "as_of": made.NOW.date(),
        "made_at_utc": made.NOW.replace(tzinfo=None), **more,
    }  # fmt: skip


@pytest.fixture
def compared(own_home: Home, made: Any) -> Home:
    """Four comparisons of which three are shown, the newest by two methods, and sensitivities of a fit."""
    rows = []
    for number in range(4):
        when = made.NOW.replace(tzinfo=None) - timedelta(days=number)
        for variant, total in (("poisson", 0.0), ("negative binomial", 9.0 + number)):
            rows += [model(f"c{number}", variant, total, made, method, made_at_utc=when) for method in ("loo", "waic")]
    games = [
        {"league": "nations", "comparison_id": "c0", "variant": variant, "game_id": game, "played_on": made.NOW.date(),
         "sides": f"{made.ATTACKS[0]} – B", "result": "31–0", "elpd": elpd, "k_hat": k, "is_high": True,
         "is_refitted": False}
        for game, k, elpd in (("g0", 0.9, -9.0), ("g1", None, -30.0)) for variant in ("poisson", "negative binomial")
    ]  # fmt: skip
    leaning = [("parameter", "attack_sd", 0.2), *(("team", f"t:{number}", 0.04 + number / 100) for number in range(12))]
    found = [
        {"league": "nations", "fit_id": FIT, "kind": kind, "quantity": name, "prior": prior, "likelihood": 0.3,
         "diagnosis": "rests on the results" if prior < 0.05 else "rests on the results and on the prior"}
        for kind, name, prior in leaning
    ]  # fmt: skip
    with writing(own_home) as con:
        for table, inserted in (("comparison", rows), ("influential_game", games), ("prior_sensitivity", found)):
            made.insert(con, table, inserted)
    publish(own_home, made.LEAGUES, made.NOW)
    return own_home


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
    assert "11 of 12 ratings lean on the priors." in text
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


def test_two_leagues_keep_their_own(compared: Home) -> None:
    from store.edition import current

    with duckdb.connect(str(current(compared)), read_only=True) as con:
        assert con.execute("SELECT count(DISTINCT comparison_id) FROM comparison").fetchall() == [(4,)]
        assert con.execute("SELECT count(*) FROM comparison WHERE league = 'cup'").fetchall() == [(0,)]
