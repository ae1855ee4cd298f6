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

import numpy as np
from numpy.typing import NDArray

from cortiscope.nested import Solver

LEAST = 1e-12  # alpha relative to the largest eigenvalue: below, R[F, F] is nothing but rounding


@dataclass(frozen=True)
class Slopes:
    """At one alpha: products (2 * stimulus, stimulus), P and SS; own (fold, place, place), SS on F.

    Stimuli in the order of their folds.
    """

    products: NDArray
    own: NDArray


class GivenAlpha:
    """Held-out predictions from one kernel, whose decomposition a `nested.Solver` has."""

    def __init__(self, solver: Solver) -> None:
        self.solver, self.layout = solver, solver.layout
        self.kept: dict[tuple[float, np.dtype], Slopes] = {}

    def predict(self, targets: NDArray, alpha: NDArray) -> tuple[NDArray, NDArray]:
        """Targets (stimulus, neuroid), in the order of folds and of mean 0; alpha (neuroid,).

        Returns predictions (stimulus, neuroid) and their spread (fold, neuroid), see
        `nested.Solver.predict`, in the precision of the targets.
        """
        values = np.empty_like(targets)
        spread = np.empty((len(self.layout.real), targets.shape[1]), targets.dtype)
        for strength in np.unique(alpha):
            columns = np.flatnonzero(alpha == strength)
            slopes = self._slopes(float(strength), targets.dtype)
            values[:, columns], spread[:, columns] = self._at(slopes, targets[:, columns])
        return values, spread

    def _at(self, slopes: Slopes, targets: NDArray) -> tuple[NDArray, NDArray]:
        n_stimuli, n_neuroids = targets.shape
        # (2 * stimulus, stimulus) x (stimulus, neuroid)
        values, twice = (slopes.products @ targets).reshape(2, n_stimuli, n_neuroids)
        missed = targets - values
        squares = np.einsum("sn,sn->n", targets, twice)
        squared = np.empty((len(slopes.own), n_neuroids), targets.dtype)
        twice *= 2.0
        start = 0
        for fold, own in enumerate(slopes.own):
            held = slice(start, start + int(self.layout.real[fold].sum()))
            start, size = held.stop, held.stop - held.start
            # (place, place) x (place, neuroid)
            changed = own[:size, :size] @ missed[held] - twice[held]
            squared[fold] = squares + np.einsum("pn,pn->n", missed[held], changed)
        return values, np.sqrt(np.maximum(squared, 0.0) / n_stimuli)

    def _slopes(self, alpha: float, dtype: np.dtype) -> Slopes:
        if (alpha, dtype) not in self.kept:
            self.kept[alpha, dtype] = self._made(alpha, dtype)
        return self.kept[alpha, dtype]

    def _made(self, alpha: float, dtype: np.dtype) -> Slopes:
        real, vectors = self.layout.real, self.solver.vectors[self.layout.real.ravel()]
        n_stimuli, places = len(vectors), real.shape[1]
        spectrum = self.solver.values
        raised = max(alpha, LEAST * spectrum.max())
        shrunk = spectrum / (spectrum + raised)
        smoother = (vectors * shrunk) @ vectors.T
        twice = (vectors * shrunk**2) @ vectors.T
        residual = (vectors * (raised / (spectrum + raised))) @ vectors.T
        predicted = smoother + 1.0 / n_stimuli
        own = np.zeros((len(real), places, places))
        start = 0
        for fold, size in enumerate(real.sum(axis=1)):
            held = slice(start, start + int(size))
            start = held.stop
            own[fold, :size, :size] = twice[held, held]
            # (place, place) x (place, stimulus)
            missed = np.linalg.solve(residual[held, held], residual[held])
            predicted[held] -= (smoother[held, held] + 1.0 / n_stimuli) @ missed
        return Slopes(np.concatenate([predicted, twice]).astype(dtype), own.astype(dtype))
