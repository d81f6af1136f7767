"""What differences of forecasts come to in words, at each threshold."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from modeling.compared import Scored, difference, headline, se_of_sum, sentence, table

GAMES = 400


def scored(title: str, elpd: np.ndarray, **more) -> Scored:
    doubtful = more.pop("doubtful", np.zeros(len(elpd), bool))
    names = tuple(f"g{number}" for number in range(len(elpd)))
    return Scored(title, more.pop("settings", ""), "joint", "loo", names, elpd, doubtful, **more)


def apart_by(total: float, se: float, games: int = GAMES, doubtful: int = 0) -> tuple[Scored, Scored]:
    """Two models whose difference and its standard error are these."""
    noise = np.random.default_rng(1).standard_normal(games)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    own = scored("poisson", np.full(games, -2.0), is_own=True)
    elpd = own.elpd + total / games + noise * se / np.sqrt(games)
    return scored("negative binomial", elpd, doubtful=np.arange(games) < doubtful), own


def test_a_difference_is_paired_by_game():
    rng = np.random.default_rng(2)
    shared, own_noise = rng.normal(0, 5, GAMES), rng.normal(0, 0.1, GAMES)
    one, own = scored("a", shared + own_noise + 0.1), scored("b", shared, is_own=True)
    found = difference(one, own)
    assert found.total == pytest.approx(own_noise.sum() + 0.1 * GAMES)
    assert found.se == pytest.approx(np.sqrt(GAMES) * own_noise.std(ddof=1))
    assert found.se < 3 < 90 < se_of_sum(shared)
    assert found.p_better == pytest.approx(norm.cdf(found.total / found.se))


@pytest.mark.parametrize(
    ("total", "se", "games", "verdict"),
    [
        (12.3, 4.1, 400, "better"),
        (-12.3, 4.1, 400, "worse"),
        (12.3, 7.0, 400, "probably better"),
        (-12.3, 7.0, 400, "probably worse"),
        (12.3, 13.0, 400, "alike"),
        (3.9, 0.5, 400, "alike"),
        (4.1, 0.5, 400, "better"),
        (12.3, 4.1, 99, "probably better"),
        (12.3, 4.1, 100, "better"),
        (0.0, 0.0, 400, "alike"),
    ],
)
def test_thresholds(total, se, games, verdict):
    one, own = apart_by(total, se, games)
    found = difference(one, own)
    assert found.verdict == verdict
    assert (found.p_better is None) == (abs(total) < 4 or games < 100)


def test_the_sentence_says_which_by_how_much_and_how_sure():
    one, own = apart_by(12.3, 4.1)
    said = "Negative binomial forecasts better than poisson by 12.3 ± 4.1 on 400 games (30.8 per 1,000): surely, P = "
    assert sentence(one, own) == f"{said}0.999."
    one, own = apart_by(-9.0, 6.0)
    assert "forecasts worse than poisson by 9.0 ± 6.0 on 400 games (22.5 per 1,000): probably, P = 0.933." in sentence(
        one, own
    )
    assert sentence(*apart_by(-40.0, 4.0)).endswith("surely, P > 0.999.")
    one, own = apart_by(12.3, 4.1, 60)
    assert sentence(one, own).endswith("probably; with fewer than 100 games the standard error is a guess.")


def test_what_cannot_be_told_apart_is_said_so_with_its_reason():
    one, own = apart_by(2.0, 0.5)
    assert "cannot be told apart: +2.0 ± 0.5 on 400 games; of a difference below 4" in sentence(one, own)
    one, own = apart_by(12.0, 20.0)
    assert sentence(one, own) == "Negative binomial and poisson cannot be told apart: +12.0 ± 20.0 on 400 games."
    assert "−12.0 ± 20.0" in sentence(*apart_by(-12.0, 20.0))


def test_games_that_cannot_be_relied_on_leave_open_what_they_decide():
    one, own = apart_by(30.0, 5.0)
    harmless = replace(one, doubtful=np.arange(GAMES) == 7)
    assert difference(harmless, own).verdict == "better"
    elpd = own.elpd.copy()
    elpd[:10] += 5.0
    absurd = replace(one, elpd=elpd, doubtful=np.arange(GAMES) < 10)
    assert difference(absurd, own).verdict == "open"
    assert difference(absurd, own).p_better is None
    assert sentence(absurd, own).endswith("what 10 games whose estimate is in doubt would say decides.")


def named(verdicts: dict[str, tuple[float, float]]) -> list[Scored]:
    own = apart_by(0, 1)[1]
    return [own, *(replace(apart_by(*one)[0], title=title) for title, one in verdicts.items())]


def test_the_headline_names_the_best_or_says_that_there_is_none():
    assert headline(named({"a": (20, 4), "b": (40, 4)})) == "B forecasts best."
    assert headline(named({"a": (20, 4), "b": (25, 20)})) == "B forecasts best, probably."
    assert headline(named({"a": (-20, 4), "b": (-40, 4)})) == "Poisson forecasts best."
    assert headline(named({"a": (-20, 12), "b": (-40, 4)})) == "Poisson forecasts best, probably."
    said = headline(named({"a": (1, 4), "b": (-1, 4), "c": (-40, 4)}))
    assert said == "Nothing surely forecasts better than poisson; a and b cannot be told from it."


def test_the_headline_is_not_the_second_best_where_games_in_doubt_decide_on_the_first():
    own, second, first = named({"second": (20, 4), "first": (0, 4)})
    elpd = own.elpd.copy()
    elpd[:10] += 5.0
    said = headline([own, second, replace(first, elpd=elpd, doubtful=np.arange(GAMES) < 10)])
    assert said == "Whether first forecasts best is open: games whose estimate is in doubt decide."


def test_a_row_for_each_model_and_method_with_what_is_wrong_with_its_fit():
    one, own = apart_by(12.3, 4.1)
    k_hat = np.linspace(0, 0.9, GAMES)
    left_out = k_hat > 0.8
    one = replace(
        one, k_hat=k_hat, is_refitted=left_out, doubtful=(k_hat > 0.7) & ~left_out, warning="Its fit fails k_hat."
    )
    rows = table([own, one, replace(own, method="waic"), replace(one, method="waic", k_hat=None, is_refitted=None)])
    assert [(row["method"], row["is_own"]) for row in rows] == [
        ("loo", True), ("loo", False), ("waic", True), ("waic", False),
    ]  # fmt: skip
    assert [row["difference"] is None for row in rows] == [True, False, True, False]
    assert rows[1]["high_k"] == (k_hat > 0.7).sum() and rows[1]["refitted"] == left_out.sum()
    assert rows[1]["worst_k"] == pytest.approx(0.9) and rows[3]["worst_k"] is None
    assert rows[1]["sentence"].endswith(" Its fit fails k_hat.")
