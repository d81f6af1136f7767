"""How often the judge rejects a fit that has nothing wrong: leagues made by the very model that is fitted."""

import numpy as np
import pytest
from scipy.stats import binom

from modeling.earlier import Audited, Before
from modeling.engines.choice import choose, prepare
from modeling.judging import Judged, fit_and_judge
from modeling.posterior import from_tree
from modeling.upheaval import upheaval_checks

SEEDS = 15
# Each of three hard checks fails by chance with probability 0.01 where its practical size is also passed, which small
# leagues do: at most a fit in thirty. What an engine's own checks refuse, auto has NUTS do again.
RATE = 1 / 30
ENGINES_OWN = ("k hat", "evidence", "surface", "residual")


def judged(league) -> Judged:
    """The judge's opinion of a league by the engine that auto chooses, without an audit."""
    return fit_and_judge(
        choose(league.design, "auto"), league.design, league.games, league.stanza, None, lambda *_: None, False,
        Audited(None), [],
    )[1]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_healthy_leagues_are_rarely_rejected(simulated, names):
    """210 leagues of every likelihood and effect."""
    rejected, again = [], 0
    for seed in range(SEEDS):
        for name in names:
            reasons = judged(simulated(name, seed)).reasons
            left = [one for one in reasons if not one.startswith(ENGINES_OWN)]
            again += len(reasons) > len(left)
            rejected += [(name, seed, left)] if left else []
    count = SEEDS * len(names)
    print(f"\n{len(rejected)} of {count} healthy leagues rejected, {again} left to NUTS: {rejected}")
    assert len(rejected) <= binom.ppf(0.999, count, RATE)


def after_more_games(league) -> list:
    """Checks of a fit of all games after one of the first nine tenths."""
    engine, everything = prepare("joint", league.design, None), np.ones(league.design.games, dtype=bool)
    earlier = np.arange(league.design.games) < 0.9 * league.design.games
    then, now = (
        league.ratings(from_tree(league.design, engine.sample(chosen, 1, 2000, lambda *_: None, 0.8)))
        for chosen in (earlier, everything)
    )
    known = {
        one.field.kind: {
            who: (mean, sd)
            for who, mean, sd in zip(
                one.field.competitors, one.components["total"].mean(axis=0), one.components["total"].std(axis=0),
                strict=True,
            )
        }
        for one in then
    }  # fmt: skip
    games = int(earlier.sum()) + 1  # so that new games explain nothing
    return upheaval_checks(league.design, now, Before("then", league.design.as_json(), "", games, 0, known), "")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_tenth_of_games_more_is_no_upheaval(simulated, names):
    found = [check for seed in range(3) for name in names for check in after_more_games(simulated(name, seed))]
    least = min(one.value or 1 for one in found if one.check_name == "upheaval")
    most = max(one.value or 0 for one in found if one.check_name == "jumped")
    print(f"\nleast correlation of orders: {least:.2f}; farthest move: {most:.2f} sd")
    assert [one for one in found if one.status == "fail"] == []
