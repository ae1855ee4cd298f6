"""Ridge regression in folds at given strengths, for many responses.

With the smoother S = Q diag(values / (values + alpha)) Q' and the residuals R = I - S - 11'/n of
`nested`, the model without fold F is the one that all stimuli would give if its responses were the
predicted ones, y - e on F, with e = M y, M = inv(R[F, F]) R[F] (Cook and Weisberg 1982, Residuals
and Influence in Regression, section 3.2). So it predicts

    P y on F,   P = S[F] - S[F, F] M + 1 (1'/n) (I - M on F),

and over all stimuli its predictions have the squared norm y'SSy - 2 e'(SSy)_F + e'(SS)[F, F] e.
Two matrix products serve all folds and neuroids of an alpha.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.kept import Kept
from cortiscope.regression.nested import KEPT_BYTES, Solver

LEAST = 1e-12  # alpha relative to the largest eigenvalue: below, R[F, F] is nothing but rounding


@dataclass(frozen=True)
class Slopes:
    """At one alpha: products (2 * stimulus, stimulus), P and SS; own: SS on each fold.

    Stimuli in the order of their folds.
    """

    products: NDArray
    own: list[NDArray]


class GivenAlpha:
    """Held-out predictions from one kernel, whose decomposition a `nested.Solver` has."""

    def __init__(self, solver: Solver) -> None:
        self.spectrum, self.vectors = solver.values, solver.vectors[solver.layout.real.ravel()]
        ends = np.cumsum(solver.layout.real.sum(axis=1))
        self.folds = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        # For the areas to come.
        self.kept: Kept[Slopes] = Kept(KEPT_BYTES, lambda made: made.products.nbytes)

    def predict(self, targets: NDArray, alpha: NDArray) -> tuple[NDArray, NDArray]:
        """Targets (stimulus, neuroid), in the order of folds and of mean 0; alpha (neuroid,).

        Returns predictions (stimulus, neuroid) and their spread (fold, neuroid), see
        `nested.Solver.predict`, in the precision of the targets.
        """
        values = np.empty_like(targets)
        spread = np.empty((len(self.folds), targets.shape[1]), targets.dtype)
        for strength in np.unique(alpha):
            columns = np.flatnonzero(alpha == strength)
            slopes = self.kept.get(
                (strength, targets.dtype), partial(self._made, float(strength), targets.dtype)
            )
            values[:, columns], spread[:, columns] = self._at(slopes, targets[:, columns])
        return values, spread

    def _at(self, slopes: Slopes, targets: NDArray) -> tuple[NDArray, NDArray]:
        n_stimuli, n_neuroids = targets.shape
        # (2 * stimulus, stimulus) x (stimulus, neuroid)
        values, twice = (slopes.products @ targets).reshape(2, n_stimuli, n_neuroids)
        missed = targets - values
        squares = np.einsum("sn,sn->n", targets, twice)
        squared = np.empty((len(self.folds), n_neuroids), targets.dtype)
        twice *= 2.0
        for fold, (held, own) in enumerate(zip(self.folds, slopes.own, strict=True)):
            # (held out, held out) x (held out, neuroid)
            changed = own @ missed[held] - twice[held]
            squared[fold] = squares + np.einsum("hn,hn->n", missed[held], changed)
        return values, np.sqrt(np.maximum(squared, 0.0) / n_stimuli)

    def _made(self, alpha: float, dtype: np.dtype) -> Slopes:
        n_stimuli, vectors = len(self.vectors), self.vectors
        raised = max(alpha, LEAST * self.spectrum.max())
        shrunk = self.spectrum / (self.spectrum + raised)
        smoother = (vectors * shrunk) @ vectors.T
        twice = (vectors * shrunk**2) @ vectors.T
        residual = (vectors * (raised / (self.spectrum + raised))) @ vectors.T
        predicted = smoother + 1.0 / n_stimuli
        for held in self.folds:
            # (held out, held out) x (held out, stimulus)
            missed = np.linalg.solve(residual[held, held], residual[held])
            predicted[held] -= (smoother[held, held] + 1.0 / n_stimuli) @ missed
        own = [twice[held, held].astype(dtype) for held in self.folds]
        return Slopes(np.concatenate([predicted, twice]).astype(dtype), own)
