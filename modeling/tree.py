"""What a posterior says of the games it was made from, and the DataTree of a fit, which holds all of it.

In: a Design, an engine's tree, its joint draws. Out: replications, a few draws at a time: the judge takes its
statistics from them as they pass, and as many as `KEPT_VALUES` allows stay in the tree, for ArviZ.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling.design import Design
from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.outcomes.shared import by_game
from modeling.posterior import HELD_AT_ONCE, Posterior

REPLICATIONS = 1000
FEWEST = 200  # replications of the largest leagues: p-values down to 0.005, which is where a check fails
REPLICATED_VALUES = 2e8
KEPT_VALUES = 2e7


@dataclass(frozen=True)
class Replication:
    """What some joint draws say of the games."""

    draws: NDArray[np.intp]
    """Their numbers in the posterior."""
    eta: Array
    """Linear predictor, shape (draws, rows)."""
    y: Array
    """Results that the model would make, shape (draws, rows)."""
    arguments: Auxiliaries
    """The likelihood's own parameters in the draws, to go with `eta`."""

    def log_likelihood(self, design: Design, rows: NDArray[np.intp] | None = None) -> Array:
        """Log likelihood of each game's result, shape (draws, games); only of some whole games' rows where given."""
        if rows is None:
            return by_game(design.outcome.log_density(design.tallies, self.eta, self.arguments), design.game)
        arguments, noise = dict(self.arguments), np.asarray(self.arguments["noise"])
        arguments["noise"] = noise[..., rows] if noise.ndim else noise
        arguments["layout"] = (
            design.outcome.layout(design.y[rows], design.game[rows]) if design.outcome.layout else None
        )
        return by_game(
            design.outcome.log_density(design.tallies[rows], self.eta[:, rows], arguments), design.game[rows]
        )


@dataclass
class Kept:
    """Replications of draws of equal number and spacing from each chain: all of them, or as many as are allowed."""

    draws: NDArray[np.intp]
    """Their numbers in the posterior."""
    y: NDArray[np.float32]
    """Shape (draws kept, rows)."""
    log_likelihood: NDArray[np.float32]
    """Shape (draws kept, games)."""


def replications(
    design: Design, posterior: Posterior, rng: np.random.Generator, progress: Callable[[float], None] | None = None
) -> Iterator[Replication]:
    """What at most 1,000 evenly spaced draws say of the games, a few draws at a time: never all at once."""
    tell = progress or (lambda share: None)
    draws = replicated(design, posterior)
    pieces = max(1, len(draws) // max(1, int(HELD_AT_ONCE / len(design.y))))
    for done, some in enumerate(np.array_split(draws, pieces)):
        tell(done / pieces)
        eta, arguments = posterior.chosen(some).seen(design)
        y = design.outcome.simulate(rng, eta, design.exposure, arguments, design.game)
        yield Replication(some, eta, y, arguments)


def replicated(design: Design, posterior: Posterior) -> NDArray[np.intp]:
    """Numbers of the draws that are replicated: fewer where there are many rows."""
    return posterior.evenly(int(np.clip(REPLICATED_VALUES / len(design.y), FEWEST, REPLICATIONS)))


def room_for(design: Design, posterior: Posterior) -> Kept:
    """Nothing kept yet, and which of the replications' draws are to be: as many of each chain as there is room for."""
    draws = replicated(design, posterior).reshape(posterior.chains, -1)
    most = max(1, int(KEPT_VALUES / len(design.y)) // posterior.chains)
    spaced = np.linspace(0, draws.shape[1] - 1, min(most, draws.shape[1])).astype(int)
    kept = draws[:, spaced].ravel()
    y, log_likelihood = (np.empty((len(kept), width), np.float32) for width in (len(design.y), design.games))
    return Kept(kept, y, log_likelihood)


def keeping(design: Design, parts: Iterable[Replication], kept: Kept) -> Iterator[Replication]:
    """The replications, passed on; what is to be kept of each is kept on the way."""
    for part in parts:
        chosen = np.isin(part.draws, kept.draws)
        if chosen.any():
            at = np.isin(kept.draws, part.draws)
            kept.log_likelihood[at], kept.y[at] = part.log_likelihood(design)[chosen], part.y[chosen]
        yield part


def complete(tree: xr.DataTree, design: Design, posterior: Posterior, kept: Kept) -> None:
    """Adds to an engine's tree what was observed, what was given, and what was kept of the replications.

    What a game or row had is called `y`, in observed_data and posterior_predictive (a value a row of the likelihood)
    and in log_likelihood (a value a game). `draw` is the number of the posterior's draw: of the `draws` in the
    attributes, `kept_draws` are in the last two groups.
    """
    rows: dict[str, Any] = {"row_game": ("row", np.asarray(design.game))}
    games = xr.Coordinates({"game": list(design.game_ids) or np.arange(design.games)})
    by_chain = kept.draws.reshape(posterior.chains, -1)
    sampled: dict[str, Any] = {"chain": np.arange(posterior.chains), "draw": by_chain[0]}

    def held(values: NDArray[np.float32], dim: str, coords: xr.Coordinates | dict[str, Any]) -> xr.DataTree:
        shaped = values.reshape(*by_chain.shape, -1)
        found = xr.Dataset({"y": (("chain", "draw", dim), shaped)}, coords=coords)
        return xr.DataTree(found.assign_coords(sampled))

    given = {
        "exposure": ("row", design.exposure),
        "home": ("row", design.home),
        "played_on": ("game", design.played_on),
    }
    given |= {f"covariate_{effect.name}": ("row", effect.values) for effect in design.fixed}
    tree["observed_data"] = xr.DataTree(xr.Dataset({"y": ("row", design.y)}, coords=rows))
    tree["constant_data"] = xr.DataTree(xr.Dataset(given, coords=games).assign_coords(rows))
    tree["log_likelihood"] = held(kept.log_likelihood, "game", games)
    tree["posterior_predictive"] = held(kept.y, "row", rows)
    tree.attrs |= {"draws": posterior.draws, "kept_draws": len(kept.draws)}
