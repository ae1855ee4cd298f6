"""Banded ridge: what two sets of features explain of responses held out, alone and together.

The variance that held-out predictions explain is their squared correlation with the responses,
with its sign; `variance_partition.Partition` divides it. Each set has a kernel, scaled alike; the
weights of the kernels, zeros among them, and alpha are chosen inside the training part
(Nunez-Elizalde et al. 2019, NeuroImage 197:482). A set of noise is left out there, so that it
explains 0 on average.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cortiscope import ridge
from cortiscope.cross_validation import TRAINING
from cortiscope.nested import KEPT_BYTES, Solver, blocks, layout

WEIGHTS = (0.0, 0.1, 1.0)  # of a set's kernel, relative to the others


class Regression:
    """`ridge.Regression` from a weighted sum of kernels, whose weights are chosen with alpha.

    For each (fold, neuroid), the weights and alpha of least leave-one-out error in the training
    part, the first of ties. The alpha returned is that of the sum. What does not depend on
    responses is made once. kernels: each (stimulus, stimulus), of `ridge.kernel`; folds
    (stimulus,) numbers; alphas above 0.
    """

    def __init__(self, kernels: Sequence[NDArray], folds: NDArray, alphas: NDArray) -> None:
        self.strengths = np.atleast_1d(np.asarray(alphas, dtype=float))
        self.places, self.folds = layout(folds), folds
        sums = list(_sums(kernels))
        self.solvers = [Solver(total, self.places, KEPT_BYTES // len(sums)) for total in sums]

    def predict(self, responses: NDArray, dtype: type = np.float64) -> ridge.Predictions:
        """Predict the responses (stimulus, neuroid) of every stimulus from the other folds.

        NaN where a neuroid has missing responses, and throughout where no features vary.
        """
        places = self.places
        targets, mean, scale = ridge.standardised(responses[places.order], dtype)
        best = np.full((len(places.real), targets.shape[1]), np.inf)
        values = np.full(targets.shape, np.nan)
        alpha, spread = np.full((2, *best.shape), np.nan)
        for solver in self.solvers:
            chosen, residuals, error = solver.choose(self.strengths, targets)
            better, strength = error < best, self.strengths[chosen]
            for block in blocks(targets):
                predicted, varied = solver.predict(
                    targets[:, block], residuals[:, :, block], strength[:, block]
                )
                now = better[:, block]
                spread[:, block] = np.where(now, varied, spread[:, block])
                values[places.order, block] = np.where(
                    now[places.fold], predicted, values[places.order, block]
                )
            best, alpha = np.where(better, error, best), np.where(better, strength, alpha)
        held = np.unique(self.folds) != TRAINING
        values[self.folds == TRAINING] = np.nan
        return ridge.Predictions(values * scale + mean, alpha[held], (spread * scale)[held])


def signed_square(r: NDArray) -> NDArray:
    """The share of variance that a held-out correlation stands for, with its sign: 0 for noise."""
    return r * np.abs(r)


def _sums(kernels: Sequence[NDArray]) -> Iterator[NDArray]:
    """Kernels weighted 0, 1 or a tenth, relative to each other, and scaled to a sum of 1."""
    given = {tuple(np.divide(w, sum(w))) for w in product(WEIGHTS, repeat=len(kernels)) if any(w)}
    for weights in sorted(given):
        total = np.tensordot(weights, np.stack(kernels), axes=1)  # (set,) x (set, stimulus, ..)
        if np.trace(total) > 0:  # features that do not vary predict nothing
            yield total
