"""The joint engine on leagues made by the model itself: truth is inside intervals as often as they say."""

import numpy as np
from scipy.stats import binom

from modeling.engines.joint import engine as joint
from modeling.posterior import Posterior, from_tree
from modeling.ratings import parameter_draws

LEVELS = (0.5, 0.9)
ALIKE = 4  # ratings of a league share their scales and their zero: so many count as one in bounds


def fitted(league, seed: int = 3):
    tree = joint.fit(league.design, np.ones(league.design.games, dtype=bool), seed, draws=4000)
    return tree, from_tree(league.design, tree)


def inside(league, posterior: Posterior) -> dict[float, list[bool]]:
    """For each level whether each rating's truth is inside its central interval."""
    found: dict[float, list[bool]] = {level: [] for level in LEVELS}
    for true, estimate in zip(league.ratings(league.truth, 11), league.ratings(posterior, 12), strict=True):
        pairs = [(true.components[one], estimate.components[one]) for one in true.components]
        pairs += [(a.draws, b.draws) for a, b in zip(true.slopes, estimate.slopes, strict=True)]
        for value, draws in pairs:
            for level in LEVELS:
                low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
                found[level] += ((low <= value[0]) & (value[0] <= high))[draws.std(axis=0) > 0].tolist()
    return found


def test_every_league_is_taken_and_truth_is_inside_at_its_rates(simulated, names):
    hits: dict[float, list[bool]] = {level: [] for level in LEVELS}
    ranks = []
    for name in names:
        league = simulated(name, 1)
        assert joint.takes(league.design) is None
        tree, posterior = fitted(league)
        found = tree["diagnostics"].attrs
        assert found["gain_left"] < 0.01, name
        assert found["k_hat"] < 0.7, name
        for level, some in inside(league, posterior).items():
            hits[level] += some
        draws = parameter_draws(league.design, posterior, league.ratings(posterior))
        truth = parameter_draws(league.design, league.truth, league.ratings(league.truth))
        ranks += [np.mean(draws[one] < truth[one][0]) for one in draws if one != "intercept"]
    for level, found in hits.items():
        count = len(found) // ALIKE
        low, high = binom.interval(0.998, count, level)
        assert low / count <= np.mean(found) <= high / count, f"{level:.0%}: {np.mean(found):.1%} of {len(found)}"
    assert np.sum((np.array(ranks) < 0.005) | (np.array(ranks) > 0.995)) <= binom.ppf(0.999, len(ranks), 0.01)
