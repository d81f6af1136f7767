"""Normal rows of one variance put together: their Gram matrix, and its spectrum where one basis serves every scale."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import eigh

from modeling.engines.joint.algebra import Latent
from modeling.outcomes.outcome import Array


@dataclass(frozen=True)
class Gram:
    """All that the log likelihood of Normal rows as a function of the effects needs."""

    matrix: Array
    """X'EX, E the rows' exposure; its lower triangle in Fortran order."""
    pull: Array
    """X'(y - E centre), shape (latent,)."""
    tally: Array
    """Sum of all rows' tallies, shape (1, k)."""
    rows: float
    """Number of rows."""


@dataclass(frozen=True)
class Spectrum:
    """The Gram matrix in the basis in which one block's part of it is diagonal; `flat` are the other effects."""

    values: Array
    """Shape (levels,)."""
    vectors: Array
    """Shape (levels, levels), a column each."""
    cross: Array
    """Of the block's basis with the flat ones, shape (levels, flat)."""
    corner: Array
    """Of the flat ones, shape (flat, flat)."""
    pull: Array
    """b in the basis, shape (levels,); so is `flat_pull`, shape (flat,)."""
    flat_pull: Array
    flat_prior: Array
    """Prior precision of the flat ones, shape (flat,)."""

    @cached_property
    def squares(self) -> Array:
        """Squares of the vectors' entries."""
        return self.vectors**2


def spectrum_of(gram: Gram, latent: Latent) -> Spectrum:
    """The one eigendecomposition, of the block's part of the Gram matrix."""
    flat = latent.size - int(latent.counts.sum())
    corner = gram.matrix[:flat, :flat]
    values, vectors = eigh(gram.matrix[flat:, flat:], lower=True, driver="evd")
    return Spectrum(
        np.maximum(values, 0.0), vectors, vectors.T @ gram.matrix[flat:, :flat], corner + np.tril(corner, -1).T,
        vectors.T @ gram.pull[flat:], gram.pull[:flat], latent.pattern.diagonal()[:flat],
    )  # fmt: skip
