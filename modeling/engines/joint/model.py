"""What deterministic inference works on: a Design's latent vector, chosen games, and hyperparameters as one vector.

Hyperparameters theta are the blocks' scales and the likelihood's own parameters, in the coordinates of hyper.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modeling.design import Design
from modeling.engines.hyper import Evaluated, Hyper, Hypers
from modeling.engines.joint.algebra import Curvature, Latent, factorise, latent_of, products
from modeling.engines.joint.gram import Gram, Spectrum, spectrum_of
from modeling.outcomes.outcome import Array, Auxiliaries

START = 0.5  # of a scale, in prior scales
FEW, WELL_KNOWN = 12, 0.7  # levels of a block, and share of them that the results determine: its scale by its logarithm


@dataclass(frozen=True)
class Model(Hypers):
    """A Design given some of its games."""

    design: Design
    latent: Latent
    tally: Array
    given: Array
    """Scale of each block where it is given, NaN where it is learned."""
    hypers: tuple[Hyper, ...]
    """Scales that are learned, then the likelihood's own parameters."""

    @cached_property
    def learned(self) -> NDArray[np.intp]:
        """Numbers of the blocks whose scales are learned."""
        return np.flatnonzero(np.isnan(self.given))

    def eta(self, x: Array) -> Array:
        """Linear predictor of each cell at effects of shape (latent,) or (draws, latent)."""
        return np.ascontiguousarray((self.latent.x @ x.T).T) + self.design.centre

    def scales(self, theta: Array) -> Array:
        """Scales of the blocks at one theta or at many, shape (..., blocks)."""
        found = np.tile(self.given, (*theta.shape[:-1], 1))
        for number, block in enumerate(self.learned):
            found[..., block] = self.hypers[number].value(theta[..., number])
        return found

    def values(self, theta: Array) -> dict[str, float]:
        """Every hyperparameter by name."""
        return {one.name: float(one.value(point)) for one, point in zip(self.hypers, theta, strict=True)}

    def arguments(self, theta: Array) -> Auxiliaries:
        """What the likelihood needs beside eta, at theta."""
        return self.design.likelihood_arguments(self.values(theta), self.design.cell_rows)

    def by_scale(self, theta: Array, by_block: Array, power: int = 1) -> Array:
        """Derivatives in the logs of scales, by block, as those in the coordinates of the learned ones."""
        turn = np.array([self.hypers[number].by_log(theta[number]) for number in range(len(self.learned))])
        return by_block[self.learned] * turn**power

    @cached_property
    def gram(self) -> Gram | None:
        """The rows put together where all are Normal with one variance, else None."""
        outcome, latent = self.design.outcome, self.latent
        if outcome.likelihood != "normal" or self.design.noise:
            return None
        start = np.array([one.coordinate(one.start) for one in self.hypers], dtype=float)
        variance = 1 / self.row_precision(start[None])[0]
        slope, exposure, _ = outcome.derivatives(self.tally, self.eta(np.zeros(latent.size)), self.arguments(start))
        assert isinstance(exposure, np.ndarray)
        pull, total = latent.transposed @ (slope * variance), self.tally.sum(axis=0, keepdims=True)
        return Gram(latent.gram(exposure * variance), pull, total, float(total[0, 0]))

    @cached_property
    def spectrum(self) -> Spectrum | None:
        """Of Normal rows with one block of independent effects of a learned scale their Gram matrix's, else None."""
        latent = self.latent
        is_one = len(latent.spans) == len(self.learned) == 1 and latent.pattern.nnz == latent.size
        return spectrum_of(self.gram, latent) if is_one and self.gram is not None else None

    def arguments_of(self, theta: Array) -> Auxiliaries:
        """What the likelihood needs beside eta at thetas of shape (thetas, coordinates), each value (thetas, 1)."""
        own = {one.name: one.value(theta[:, i])[:, None] for i, one in enumerate(self.hypers)}
        return self.design.likelihood_arguments(own, self.design.cell_rows)

    def row_precision(self, theta: Array) -> Array:
        """Of Normal rows that of a full exposure, at thetas of shape (thetas, coordinates); shape (thetas,)."""
        full = self.design.outcome.tallies(np.zeros(1), np.ones(1))
        curvature = self.design.outcome.derivatives(full, np.zeros((len(theta), 1)), self.arguments_of(theta))[1]
        assert isinstance(curvature, np.ndarray)
        return curvature[:, 0]

    def log_level(self, theta: Array) -> Array:
        """Of Normal rows the log likelihood where no effect differs from zero, shape (thetas,)."""
        assert self.gram is not None
        eta = np.full((len(theta), 1), self.design.centre)
        return self.design.outcome.log_density(self.gram.tally, eta, self.arguments_of(theta))[:, 0]

    def log_likelihood(self, theta: Array, effects: Array) -> Array:
        """Log likelihood of the chosen games at thetas and effects of shapes (draws, ...)."""
        if self.gram is None:
            arguments = self.arguments_of(theta)
            return self.design.outcome.log_density(self.tally, self.eta(effects), arguments).sum(axis=1)
        inner = effects @ self.gram.pull - 0.5 * np.sum(effects * products(self.gram.matrix, effects), axis=1)
        return self.log_level(theta) + self.row_precision(theta) * inner

    def precision(self, prior: csr_array, curvature: Curvature | float) -> Array:
        """H, its lower triangle in Fortran order: Q + X'WX, or of Normal rows Q + p G."""
        if not isinstance(curvature, float | int):
            return self.latent.precision(prior, curvature)
        assert self.gram is not None
        return self.latent.with_prior(curvature * self.gram.matrix, prior)

    @property
    def auxiliary(self) -> range:
        """Where the likelihood's own parameters stand in theta."""
        return range(len(self.learned), len(self.hypers))

    def moved(self, theta: Array, which: int, by: float) -> tuple[Auxiliaries, Auxiliaries]:
        """The likelihood's arguments a little above and below theta in one coordinate."""
        step = np.eye(len(theta))[which] * by
        return self.arguments(theta + step), self.arguments(theta - step)


@dataclass(frozen=True)
class Approximation(Evaluated):
    """Gaussian approximation of the effects at one theta, with the evidence of theta."""

    curvature: Curvature | float
    """What the data add to the precision: W of H = Q + X'WX, or of Normal rows p of H = Q + p G."""
    steps: int
    """Times a precision was factorised."""
    damped: int
    """Steps that had to be shortened, and precisions of which only the part that is positive was used."""
    touched: NDArray[np.intp]
    """Cells that they were due to."""
    residual: float
    """What was left when it stopped: of Newton's method nats, of moment matching posterior sds."""

    def factor(self, model: Model) -> Array:
        """Lower Cholesky factor of its precision."""
        return factorise(model.precision(model.latent.prior(model.scales(self.theta)), self.curvature))


def model_of(design: Design, chosen: NDArray[np.bool_], scales: Mapping[str, float] | None = None) -> Model:
    """The model of some of the games, shape (games,).

    With `scales`, it has the blocks that have one, and those scales are given; else it has all, and learns what the
    Design does not give.
    """
    kept = [block for block in design.blocks if scales is None or block.name in scales]
    given = [block.fixed_scale if scales is None else scales[block.name] for block in kept]
    learned = [
        Hyper(f"scale_{b.name}", b.prior_scale, "root", START * b.prior_scale)
        for b, scale in zip(kept, given, strict=True)
        if scale is None
    ]
    own = [Hyper(one.name, one.scale, "signed" if one.is_signed else "root", one.start) for one in design.auxiliaries]
    latent = latent_of(design, tuple(block.name for block in kept))
    return Model(design, latent, design.collapsed(chosen), np.array(given, dtype=float), (*learned, *own))


def theta_of(model: Model, values: Mapping[str, float]) -> Array:
    """Theta at given values, the usual start for those that are not."""
    return np.array([one.coordinate(values.get(one.name, one.start)) for one in model.hypers], dtype=float)


def reformed(model: Model, at: Approximation) -> Model:
    """The model with the scales of few levels, where the results know those well, by their logarithms.

    Of n levels the results determine n - tr(S Q_b), which the information of a scale is made of.
    """
    counts, learned = model.latent.counts[model.learned], len(model.learned)
    known = np.sqrt(at.information[:learned] / (2 * counts) / model.by_scale(at.theta, np.ones_like(model.given), 2))
    is_few = (counts < FEW) & (known > WELL_KNOWN)
    scales = [replace(one, form="log") if few else one for one, few in zip(model.hypers, is_few, strict=False)]
    return replace(model, hypers=(*scales, *model.hypers[learned:]))
