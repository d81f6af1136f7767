"""What a fit without chains must show: each number of its diagnostics against a bound, as checks in words."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling.design import Design
from modeling.judge import Check

# Vehtari, Simpson, Gelman, Yao and Gabry (2024), "Pareto smoothed importance sampling", JMLR 25: above 0.7 the exact
# posterior has mass where the approximation has next to none.
K_HAT_BELOW = 0.7
GAIN_BELOW = 0.05  # nats the hyperparameters' top may still be above: a third of a sd
SURFACE_BELOW = 0.5  # nats by which the surface through the evidence was off at the last points tried
RESIDUAL_BELOW = 0.01  # sds that the means of a chain fit may be off: a twentieth of what a reader could notice
HELD_BELOW = 1e-3  # share of rows that tell nothing: one row in a thousand lost changes no rating by as much
DAMPED_BELOW = 0.25  # share of sweeps; a rough way, shown: whether the end of it is right the residual says
PRIOR_SCALES_BELOW = 4.0  # a half-normal prior has 1 in 16,000 of its mass beyond; the league does not fit its units


def certified(design: Design, tree: xr.DataTree) -> list[Check]:
    """The joint engine's diagnostics as checks; hyperparameters by their titles."""
    found = tree["diagnostics"]
    checks = [
        _check(
            "k_hat", "importance weights of the draws", float(found.attrs["k_hat"]), K_HAT_BELOW,
            "The exact posterior weighs the draws nearly alike.",
            "The exact posterior has mass where the approximation has too little.",
        ),
        _check(
            "evidence", "nats left to its top", float(found.attrs["gain_left"]), GAIN_BELOW,
            "The gradient there is zero, as near as matters.",
            "The climb to it ended early.",
        ),
        _check(
            "surface", "error between the points, nats", float(found.attrs["surface_error"]), SURFACE_BELOW,
            "Where it was tried, it was as foretold.",
            "It is rougher than the points it rests on can tell.",
        ),
        _damped(int(found.attrs["damped"]), int(found.attrs["factorisations"]), str(found.attrs["damped_where"])),
    ]  # fmt: skip
    scales = found["prior_scales"]
    return checks + _edges(design, scales["hyperparameter"].to_numpy(), scales.to_numpy())


def chain_certified(design: Design, tree: xr.DataTree) -> list[Check]:
    """The chain engine's diagnostics as checks; hyperparameters by their titles."""
    found = tree["diagnostics"]

    def told(name: str) -> float:
        return float(found[name].to_numpy())

    checks = [
        _check(
            "residual", "means from their global solution, sds", told("residual"), RESIDUAL_BELOW,
            "Every chain's messages agree with the solution of the whole.",
            "The messages of the chains ended before they agreed with the solution of the whole.",
        ),
        _check(
            "evidence", "nats left to its top", told("decrement"), GAIN_BELOW,
            "The gradient there is zero, as near as matters.",
            "The climb to it ended early.",
        ),
        _check(
            "held_rows", "share of the rows, all sweeps at the top", told("held_rows") / told("rows"), HELD_BELOW,
            "Every row said something, or nearly.",
            "Too many rows had to be kept from saying less than nothing.",
        ),
        _check(
            "damped", "share of the sweeps", told("damped") / max(told("sweeps"), 1.0), DAMPED_BELOW,
            "The way to the solution was smooth.",
            "The way to the solution was rough, and was taken in shorter steps.",
            "warn",
        ),
    ]  # fmt: skip
    return checks + _edges(design, found["parameter"].to_numpy(), found["of_prior"].to_numpy())


def _damped(number: int, steps: int, games: str) -> Check:
    """How many updates of all evaluations were shortened, or held where a game's results say less than nothing."""
    words = f"{number:,} over {steps:,} steps to the approximations, at {games}." if number else "None was needed."
    return _check("damped", "updates held short, a step", number / max(steps, 1), DAMPED_BELOW, words, words, "warn")


def _edges(design: Design, names: NDArray[np.str_], scales: NDArray[np.float64]) -> list[Check]:
    """How far each hyperparameter is out in its prior, in the prior's scales."""
    return [
        _check(
            "prior_edge", design.parameters[str(name)][0], float(abs(value)), PRIOR_SCALES_BELOW,
            "Well inside its prior.",
            "At the far edge of its prior: the results are in other units than the prior expects.",
        )
        for name, value in zip(names, scales, strict=True)
    ]  # fmt: skip


def _check(
    name: str, subject: str, value: float, bound: float, passed: str, failed: str, otherwise: str = "fail"
) -> Check:
    is_fine = value < bound
    return Check(name, subject, value, bound, "pass" if is_fine else otherwise, passed if is_fine else failed)


CERTIFIED = {"joint": certified, "chain": chain_certified}
