"""Ridge regression in folds at given strengths, for many responses.

With the smoother S = Q diag(values / (values + alpha)) Q' and the residuals R = I - S - 11'/n of
`nested`, the model without fold F is the one that all stimuli would give if its responses were the
predicted ones, y - e on F, with e = inv(R[F, F]) (R y)_F (Cook and Weisberg 1982, Residuals and
Influence in Regression, section 3.2). So, of y of mean 0, it predicts

    (S y)_F - S[F, F] e - 1 (1'e) / n on F,

and over all stimuli its predictions have the squared norm y'SSy - 2 e'(SSy)_F + e'(SS)[F, F] e.
S y, R y and SSy follow from Q'y, by a product over components each for all strengths together;
what a strength needs beside is small matrices of each fold.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.kept import Kept
from cortiscope.regression.nested import KEPT_BYTES, NEUROID_BLOCK, Solver

LEAST = 1e-12  # alpha relative to the largest eigenvalue: below, R[F, F] is nothing but rounding


@dataclass(frozen=True)
class Within:
    """Of each fold at one alpha, (fold, place, place): what gives e, of R y; S + 11'/n; and SS."""

    missed: NDArray
    smoother: NDArray
    twice: NDArray


class GivenAlpha:
    """Held-out predictions from one kernel, whose decomposition a `nested.Solver` has."""

    def __init__(self, solver: Solver) -> None:
        self.spectrum, self.whole, self.real = solver.values, solver.whole, solver.layout.real
        self.vectors = solver.vectors  # (fold * place, component), 0 in places that are padded
        # For the areas to come.
        self.kept: Kept[Within] = Kept(KEPT_BYTES, lambda made: 3 * made.missed.nbytes)

    def predict(self, targets: NDArray, alpha: NDArray) -> tuple[NDArray, NDArray]:
        """Targets (stimulus, neuroid), in the order of folds and of mean 0; alpha (neuroid,).

        Returns predictions (stimulus, neuroid) and their spread (fold, neuroid), see
        `nested.Solver.predict`, in the precision of the targets.
        """
        values = np.empty_like(targets)
        spread = np.empty((len(self.real), targets.shape[1]), targets.dtype)
        # (component, fold * place) for the responses in their places
        vectors = self.vectors.astype(targets.dtype, copy=False)
        for strength in np.unique(alpha):
            columns = np.flatnonzero(alpha == strength)
            raised = max(float(strength), LEAST * self.spectrum.max())
            within = self.kept.get(
                (raised, targets.dtype), partial(self._made, raised, targets.dtype)
            )
            for start in range(0, len(columns), NEUROID_BLOCK):
                block = columns[start : start + NEUROID_BLOCK]
                found = self._at(raised, within, vectors, targets[:, block])
                values[:, block], spread[:, block] = found
        return values, spread

    def _at(
        self, alpha: float, within: Within, vectors: NDArray, targets: NDArray
    ) -> tuple[NDArray, NDArray]:
        n_stimuli, n_neuroids = targets.shape
        places, real = (*self.real.shape, n_neuroids), self.real.ravel()
        # (component, stimulus) x (stimulus, neuroid)
        loadings = vectors[real].T @ targets
        kept = (self.spectrum / (self.spectrum + alpha)).astype(targets.dtype)[:, None]
        shrunk = loadings * kept
        squares = np.einsum("cn,cn->n", shrunk, shrunk)
        values = vectors @ shrunk  # (fold * place, component) x (component, neuroid)
        if self.whole:
            # Of the little that a small strength leaves, the difference would lose the digits.
            loadings *= (alpha / (self.spectrum + alpha)).astype(targets.dtype)[:, None]
            residual = vectors @ loadings
        else:
            residual = -values
            residual[real] += targets
        shrunk *= kept
        twice = (vectors @ shrunk).reshape(places)
        # (fold, place, place) x (fold, place, neuroid)
        missed = within.missed @ residual.reshape(places)
        values -= (within.smoother @ missed).reshape(values.shape)
        twice *= -2.0
        twice += within.twice @ missed
        squared = squares + np.einsum("fhn,fhn->fn", missed, twice)
        return values[real], np.sqrt(np.maximum(squared, 0.0) / n_stimuli)

    def _made(self, alpha: float, dtype: np.dtype) -> Within:
        """Of a kernel's own vectors the residuals are theirs, of a factor's what these leave."""
        n_folds, n_places = self.real.shape
        both = self.real[:, :, None] & self.real[:, None]
        kept, left = self.spectrum / (self.spectrum + alpha), alpha / (self.spectrum + alpha)
        smoother, twice = both / self.real.sum(), np.zeros(both.shape)
        residual = np.where(both, 0.0, np.eye(n_places))
        for fold, own in enumerate(self.vectors.reshape(n_folds, n_places, -1)):
            smoother[fold] += _products(own, kept)
            twice[fold] = _products(own, kept**2)
            residual[fold] += _products(own, left) if self.whole else 0.0
        if not self.whole:
            residual = np.eye(n_places) - smoother
        matrices = np.linalg.inv(residual), smoother, twice
        return Within(*(each.astype(dtype) for each in matrices))


def _products(vectors: NDArray, weights: NDArray) -> NDArray:
    """Between rows of vectors (held out, component), each component weighted."""
    scaled = vectors * np.sqrt(weights)
    return np.asarray(scaled @ scaled.T)  # of a matrix with itself it costs half
