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
from cortiscope.regression.nested import KEPT_BYTES, Solver, blocks

LEAST = 1e-12  # alpha relative to the largest eigenvalue: below, R[F, F] is nothing but rounding


@dataclass(frozen=True)
class Within:
    """Of a fold at one alpha, (held out, held out): what gives e, of R y; S + 11'/n, and SS."""

    missed: NDArray
    smoother: NDArray
    twice: NDArray


class GivenAlpha:
    """Held-out predictions from one kernel, whose decomposition a `nested.Solver` has."""

    def __init__(self, solver: Solver) -> None:
        self.spectrum, self.whole = solver.values, solver.whole
        self.vectors = solver.vectors[solver.layout.real.ravel()]
        ends = np.cumsum(solver.layout.real.sum(axis=1))
        self.folds = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        # For the areas to come.
        self.kept: Kept[list[Within]] = Kept(
            KEPT_BYTES, lambda made: sum(3 * own.missed.nbytes for own in made)
        )

    def predict(self, targets: NDArray, alpha: NDArray) -> tuple[NDArray, NDArray]:
        """Targets (stimulus, neuroid), in the order of folds and of mean 0; alpha (neuroid,).

        Returns predictions (stimulus, neuroid) and their spread (fold, neuroid), see
        `nested.Solver.predict`, in the precision of the targets.
        """
        values = np.empty_like(targets)
        spread = np.empty((len(self.folds), targets.shape[1]), targets.dtype)
        # Neuroids of a strength side by side.
        order = np.argsort(alpha, kind="stable")
        vectors = self.vectors.astype(targets.dtype, copy=False)
        for block in blocks(targets):
            columns = order[block]
            found = self._block(vectors, targets[:, columns], self._raised(alpha[columns]))
            values[:, columns], spread[:, columns] = found
        return values, spread

    def _raised(self, alpha: NDArray) -> NDArray:
        return np.maximum(alpha, LEAST * self.spectrum.max())

    def _block(self, vectors: NDArray, targets: NDArray, alpha: NDArray) -> tuple[NDArray, NDArray]:
        """The same of neuroids in the order of their alphas."""
        loadings = vectors.T @ targets  # (component, stimulus) x (stimulus, neuroid)
        kept = (self.spectrum[:, None] / (self.spectrum[:, None] + alpha)).astype(targets.dtype)
        shrunk = loadings * kept
        squares = np.einsum("cn,cn->n", shrunk, shrunk)
        values = vectors @ shrunk  # (stimulus, component) x (component, neuroid)
        if self.whole:
            # Of the little that a small strength leaves, the difference would lose the digits.
            loadings *= (alpha / (self.spectrum[:, None] + alpha)).astype(targets.dtype)
            residual = vectors @ loadings
        else:
            residual = targets - values
        shrunk *= kept
        twice = vectors @ shrunk
        squared = np.empty((len(self.folds), targets.shape[1]), targets.dtype)
        strengths, starts = np.unique(alpha, return_index=True)
        for strength, start, end in zip(strengths, starts, [*starts[1:], len(alpha)], strict=True):
            key = strength, targets.dtype
            within = self.kept.get(key, partial(self._made, strength, targets.dtype))
            for fold, (held, own) in enumerate(zip(self.folds, within, strict=True)):
                part = held, slice(start, end)
                missed = own.missed @ residual[part]  # (held out, held out) x (held out, neuroid)
                values[part] -= own.smoother @ missed
                changed = own.twice @ missed
                changed -= 2.0 * twice[part]
                squared[fold, start:end] = np.einsum("hn,hn->n", missed, changed)
        squared += squares
        return values, np.sqrt(np.maximum(squared, 0.0) / len(targets))

    def _made(self, alpha: float, dtype: np.dtype) -> list[Within]:
        share, kept = 1.0 / len(self.vectors), self.spectrum / (self.spectrum + alpha)
        made = []
        for held in self.folds:
            own = self.vectors[held]
            smoother = _products(own, kept) + share
            if self.whole:
                residual = _products(own, alpha / (self.spectrum + alpha))
            else:
                residual = np.eye(len(own)) - smoother
            matrices = np.linalg.inv(residual), smoother, _products(own, kept**2)
            made.append(Within(*(each.astype(dtype) for each in matrices)))
        return made


def _products(vectors: NDArray, weights: NDArray) -> NDArray:
    """Between rows of vectors (held out, component), each component weighted."""
    scaled = vectors * np.sqrt(weights)
    return np.asarray(scaled @ scaled.T)  # of a matrix with itself it costs half
