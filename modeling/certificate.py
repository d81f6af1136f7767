"""What a fit without chains must show: each number of its diagnostics against a bound, as checks in words."""

import xarray as xr

from modeling.design import Design
from modeling.judge import Check

# Vehtari, Simpson, Gelman, Yao and Gabry (2024), "Pareto smoothed importance sampling", JMLR 25: above 0.7 the exact
# posterior has mass where the approximation has next to none.
K_HAT_BELOW = 0.7
GAIN_BELOW = 0.05  # nats the hyperparameters' top may still be above: a third of a sd
SURFACE_BELOW = 0.5  # nats by which the surface through the evidence was off at the last points tried
PRIOR_SCALES_BELOW = 4.0  # a half-normal prior has 1 in 16,000 of its mass beyond; the league does not fit its units


def certified(design: Design, tree: xr.DataTree) -> list[Check]:
    """The joint engine's diagnostics as checks; hyperparameters by their titles."""
    found = tree["diagnostics"]
    if "k_hat" not in found.attrs:
        return []
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
    ]  # fmt: skip
    scales = found["prior_scales"]
    for name, value in zip(scales["hyperparameter"].to_numpy(), scales.to_numpy(), strict=True):
        checks.append(
            _check(
                "prior_edge", design.parameters[str(name)][0], float(abs(value)), PRIOR_SCALES_BELOW,
                "Well inside its prior.",
                "At the far edge of its prior: the results are in other units than the prior expects.",
            )
        )  # fmt: skip
    return checks


def _check(name: str, subject: str, value: float, bound: float, passed: str, failed: str) -> Check:
    is_fine = value < bound
    return Check(name, subject, value, bound, "pass" if is_fine else "fail", passed if is_fine else failed)
