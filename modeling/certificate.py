"""What a fit without chains must show: each number of its diagnostics against a bound, as checks in words."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling.design import Design
from modeling.judge import Check


def certified(design: Design, tree: xr.DataTree) -> list[Check]:
    """The joint engine's diagnostics as checks; hyperparameters by their titles."""
    found, held_to = tree["diagnostics"], design.thresholds
    checks = [
        _check(
            "k_hat", "importance weights of the draws", float(found.attrs["k_hat"]), held_to.k_hat,
            "The exact posterior weighs the draws nearly alike.",
            "The exact posterior has mass where the approximation has too little.",
        ),
        _check(
            "evidence", "nats left to its top", float(found.attrs["gain_left"]), held_to.evidence,
            "The climb reached it, as near as matters.",
            "The climb to it ended early.",
        ),
        _check(
            "surface", "error between the points, nats", float(found.attrs["surface_error"]), held_to.surface,
            "Points tried later lay where it said.",
            "It is rougher than the points it rests on can tell.",
        ),
        _damped(found, held_to.damped),
    ]  # fmt: skip
    scales = found["prior_scales"]
    return checks + _edges(design, scales["hyperparameter"].to_numpy(), scales.to_numpy())


def chain_certified(design: Design, tree: xr.DataTree) -> list[Check]:
    """The chain engine's diagnostics as checks; hyperparameters by their titles."""
    found, held_to = tree["diagnostics"], design.thresholds

    def told(name: str) -> float:
        return float(found[name].to_numpy())

    checks = [
        _check(
            "residual", "means from their global solution, sds", told("residual"), held_to.residual,
            "Every chain's messages agree with the solution of the whole.",
            "The messages of the chains ended before they agreed with the solution of the whole.",
        ),
        _check(
            "evidence", "nats left to its top", told("decrement"), held_to.evidence,
            "The climb reached it, as near as matters.",
            "The climb to it ended early.",
        ),
        _check(
            "held_rows", "share of the rows, all sweeps at the top",
            told("held_rows") / told("rows"), held_to.held_rows,
            "Every row said something, or nearly.",
            "Too many rows had to be kept from saying less than nothing.",
        ),
        _check(
            "damped", "share of the sweeps", told("damped") / max(told("sweeps"), 1.0), held_to.damped,
            "The way to the solution was smooth.",
            "The way to the solution was rough, and was taken in shorter steps.",
            "warn",
        ),
    ]  # fmt: skip
    return checks + _edges(design, found["parameter"].to_numpy(), found["of_prior"].to_numpy())


def _damped(found: xr.DataTree | xr.DataArray, limit: float) -> Check:
    """How many updates of all evaluations were shortened, or held where a game's results say less than nothing."""
    number, steps, games = (found.attrs[name] for name in ("damped", "factorisations", "damped_where"))
    words = f"{number:,} over {steps:,} steps to the approximations, at {games}." if number else "None was needed."
    return _check("damped", "updates held short, a step", number / max(steps, 1), limit, words, words, "warn")


def _edges(design: Design, names: NDArray[np.str_], scales: NDArray[np.float64]) -> list[Check]:
    """How far each hyperparameter is out in its prior, in the prior's scales."""
    return [
        _check(
            "prior_edge", design.parameters[str(name)][0], float(abs(value)), design.thresholds.prior_edge,
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
