"""Hyperparameters in coordinates in which their posterior is nearly Gaussian, and what is known at a point of them.

Signed ones as they stand; positive ones by their square roots, for where the results hardly tell a scale from zero its
logarithm has a long tail to the left; scales of few but well-known levels by their logarithms, for the scale itself
then has a long tail to the right. The Jacobian is part of the prior.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array


@dataclass(frozen=True)
class Hyper:
    """One hyperparameter: HalfNormal(prior), or Normal(0, prior) where it is signed."""

    name: str
    prior: float
    form: Literal["signed", "root", "log"]
    start: float

    def value(self, point: Array) -> Array:
        """The parameter at a coordinate of theta."""
        return point if self.form == "signed" else np.square(point) if self.form == "root" else np.exp(point)

    def coordinate(self, value: Array | float) -> Array:
        """The coordinate of theta at a value."""
        given = np.asarray(value, dtype=float)
        return given if self.form == "signed" else np.sqrt(given) if self.form == "root" else np.log(given)

    def log_prior(self, point: Array) -> Array:
        """Log prior density of the coordinate."""
        inner = -0.5 * (self.value(point) / self.prior) ** 2 - np.log(self.prior) - 0.5 * np.log(2 * np.pi)
        if self.form == "signed":
            return inner
        return inner + np.log(2) + (np.log(2 * np.abs(point)) if self.form == "root" else point)

    def prior_slope(self, point: float) -> float:
        """Its derivative."""
        if self.form == "signed":
            return -point / self.prior**2
        share = float(self.value(np.array(point)) / self.prior) ** 2
        return 1 / point - 2 * share / point if self.form == "root" else 1 - share

    def prior_information(self, point: float) -> float:
        """Minus its second derivative."""
        if self.form == "signed":
            return self.prior**-2
        share = float(self.value(np.array(point)) / self.prior) ** 2
        return (1 + 6 * share) / point**2 if self.form == "root" else 2 * share

    def by_log(self, point: float) -> float:
        """Derivative of the value's logarithm."""
        return 2 / point if self.form == "root" else 1.0

    def longest_step(self, point: float) -> float:
        """How far to go at once: to about half or double the value."""
        return self.prior if self.form == "signed" else 0.6 / abs(self.by_log(point))


class Hypers:
    """Of whatever has hyperparameters their prior, at a point theta."""

    hypers: tuple[Hyper, ...]

    def log_prior(self, theta: Array) -> float:
        """Log prior density of theta."""
        return float(sum(one.log_prior(point) for one, point in zip(self.hypers, theta, strict=True)))

    def prior_slope(self, theta: Array) -> Array:
        """Its gradient."""
        return np.array([one.prior_slope(point) for one, point in zip(self.hypers, theta, strict=True)], dtype=float)

    @property
    def is_root(self) -> NDArray[np.bool_]:
        """Which coordinates of theta are roots, and so positive."""
        return np.array([one.form == "root" for one in self.hypers], dtype=bool)

    def prior_information(self, theta: Array) -> Array:
        """Minus its second derivative in each coordinate."""
        return np.array([one.prior_information(x) for one, x in zip(self.hypers, theta, strict=True)], dtype=float)

    def longest_step(self, theta: Array) -> Array:
        """How far to go at once in each coordinate."""
        return np.array([one.longest_step(x) for one, x in zip(self.hypers, theta, strict=True)], dtype=float)


@dataclass(frozen=True)
class Evaluated:
    """Gaussian approximation of the effects at one theta, with the evidence of theta."""

    theta: Array
    log_evidence: float
    """Log p(y | theta)."""
    slope: Array
    """Its gradient."""
    information: Array
    """Rough curvature of minus it, each coordinate alone: what to step by at first; empty where that is known."""
    mean: Array
    sd: Array
    state: tuple[Array, ...]
    """Where the same at a theta nearby starts from."""
