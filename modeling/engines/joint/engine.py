"""The joint engine: the full posterior of a Design whose effects fit into one dense factor, without sampling.

Effects given the hyperparameters are Gaussian: around matched moments where single results are coarse (wins, results),
around the mode with its skewness corrected else, exactly so for Normal rows. Hyperparameters are maximised by the
evidence's gradient and integrated over a surface through few points; joint draws and their certificate follow from
the approximations at those points (draws.py).

The same seed gives the same draws, up to the rounding of a linear algebra library that may sum in another order on
another number of threads.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling.design import Design
from modeling.earlier import Start
from modeling.engines import laplace
from modeling.engines.climb import At, Climbed, climb
from modeling.engines.joint import exact, moments
from modeling.engines.joint.draws import Certificate, Draws, certify, draw, is_better_weighted, resample
from modeling.engines.joint.model import Approximation, Model, model_of, reformed, theta_of
from modeling.engines.surface import Surface, explore
from modeling.outcomes.outcome import Array
from store.errors import FitError

NAME = "joint"
MOST_LATENT = 5_000
NAMED = 3  # games that a diagnostic names

Progress = Callable[[float], None]


def takes(design: Design) -> str | None:
    """Why this engine cannot take a Design, or None where it can."""
    if design.effects > MOST_LATENT:
        return f"{design.effects:,} effects are more than one dense factor holds in time ({MOST_LATENT:,})"
    return None


def fit(
    design: Design,
    chosen: NDArray[np.bool_],
    seed: int,
    draws: int = 4000,
    start: Start | None = None,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Posterior of the Design given the chosen games, shape (games,): a DataTree with posterior and diagnostics.

    Variables as those of NUTS, one chain of joint draws. Raises FitError where an approximation does not converge.
    """
    if (reason := takes(design)) is not None:
        raise FitError(f"{design.league}: {reason}.", "Use another engine, a later `since` or a longer period.")
    tell = progress or (lambda share: None)
    first = model_of(design, chosen)
    theta = theta_of(first, start.parameters if start else {})
    model, climbed = top_of(first, *_begun(first, theta, start is not None))
    tell(0.3)
    explored = explore(model, approximating(model), climbed, seed)
    surface, points = explored.surface, explored.points
    tell(0.7)
    z, log_evidence = surface.draws((draws + 1) // 2, seed)
    rng = np.random.default_rng(seed)
    drawn, certificate = _drawn(model, surface, points, z, rng)
    tell(0.95)
    kept = resample(drawn, certificate, draws, rng)
    tree = _tree(model, drawn.theta[kept % len(z)], drawn.effects.reshape(2 * len(z), -1)[kept])
    tree["diagnostics"] = xr.DataTree(_diagnostics(model, climbed, points, drawn.theta))
    tree["diagnostics"].attrs |= {"log_evidence": log_evidence, "surface_error": explored.error}
    tree["diagnostics"].attrs |= {"k_hat": certificate.k_hat}
    tree["diagnostics"].attrs |= {"importance_ess": certificate.ess, "importance_draws": certificate.weights.size}
    tree["diagnostics"].attrs |= {"is_weighted": is_better_weighted(drawn, certificate)}
    method = "exact" if model.gram else "expectation propagation" if design.outcome.is_coarse else "Laplace"
    tree.attrs |= {"engine": NAME, "sampler": method, "seed": seed}
    tree.attrs |= {"league": design.league, "started_from": start.fit_id if start else ""}
    tell(1.0)
    return tree


def _begun(model: Model, theta: Array, is_known: bool) -> tuple[Array, tuple[Array, ...]]:
    """Theta and the state to begin a climb at; theta stays where it is known from another fit."""
    if model.gram is not None:
        return theta, ()
    theta, x = laplace.approach(model, theta, 0 if is_known else laplace.MOST_ROUNDS)
    return theta, moments.sites_at(model, theta, x) if model.design.outcome.is_coarse else (x,)


def approximating(model: Model, state: tuple[Array, ...] = ()) -> At:
    """The approximation that suits the model's outcome, begun where one nearby ended, or at a state."""
    if model.gram is not None:
        return lambda theta, _near: exact.approximate(model, theta)
    approximate = moments.approximate if model.design.outcome.is_coarse else laplace.approximate
    return lambda theta, near: approximate(model, theta, near.state if near else state)


def top_of(model: Model, theta: Array, state: tuple[Array, ...]) -> tuple[Model, Climbed]:
    """The climb from theta and a state; again from its top where that shows that other coordinates suit."""
    climbed = climb(model, approximating(model, state), theta)
    other, values = reformed(model, climbed.best), model.values(climbed.best.theta)
    if other.hypers == model.hypers:
        return model, climbed
    return other, climb(other, approximating(other, climbed.best.state), theta_of(other, values))


def _drawn(
    model: Model, surface: Surface, points: tuple[Approximation, ...], z: Array, rng: np.random.Generator
) -> tuple[Draws, Certificate]:
    """A pair of joint draws at each z of the surface, and how near they are to the exact posterior."""
    if model.spectrum is not None:
        return exact.draw(model, surface, model.spectrum, z, rng)
    drawn, origin = draw(model, surface, points, z, rng)
    return drawn, certify(model, surface, points, origin)


def _tree(model: Model, theta: Array, effects: Array) -> xr.DataTree:
    design = model.design
    values = {one.name: one.value(theta[:, i]) for i, one in enumerate(model.hypers)}
    values |= {f"scale_{name}": scale for name, scale in zip(model.latent.spans, model.scales(theta).T, strict=True)}
    found = laplace.effects_of(design, model.latent.spans, effects, {}, {})
    variables: dict[str, Any] = {
        name: (("chain", "draw"), draws[None]) for name, draws in (values | found.fixed).items()
    }
    if design.outcome.has_intercept:
        variables["level"] = (("chain", "draw"), found.level[None])
    for name, draws in found.blocks.items():
        variables[name] = (("chain", "draw", f"{name}_level"), draws[None])
    coords: dict[str, Any] = {f"{block.name}_level": list(block.levels) for block in design.blocks}
    coords |= {"chain": [0], "draw": np.arange(len(theta))}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(variables, coords)})


def _diagnostics(model: Model, climbed: Climbed, points: tuple[Approximation, ...], theta: Array) -> xr.Dataset:
    """What the judge asks of a fit: by hyperparameter, and of the whole."""
    best, every = climbed.best, (*climbed.tried, *points[1:])
    values = [one.value(theta[:, i]) for i, one in enumerate(model.hypers)]
    by_name = {
        "slope": best.slope + model.prior_slope(best.theta),
        "mode": best.theta,
        "sd": theta.std(axis=0),
        "prior_scales": np.array([np.mean(v) / one.prior for v, one in zip(values, model.hypers, strict=True)]),
    }
    whole: dict[str, Any] = {
        "gain_left": climbed.gain,
        "evaluations": len(every),
        "factorisations": sum(one.steps for one in every),
        "damped": sum(one.damped for one in every),
        "residual": max(one.residual for one in every),
    }
    whole["damped_where"] = _where(model.design, np.unique(np.concatenate([one.touched for one in every])))
    coords = {"hyperparameter": [one.name for one in model.hypers]}
    return xr.Dataset({name: ("hyperparameter", value) for name, value in by_name.items()}, coords, whole)


def _where(design: Design, cells: NDArray[np.intp]) -> str:
    """The games of some cells in words: the first few by day and id; empty where there are none."""
    games = np.unique(design.game[np.isin(design.cells, cells)])
    named = [f"{design.game_ids[one]} of {design.played_on[one]}" for one in games[:NAMED]]
    more = [f"{len(games) - NAMED:,} more"] if len(games) > NAMED else []
    return ", ".join([*named, *more])
