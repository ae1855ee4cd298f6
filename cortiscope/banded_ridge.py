"""Banded ridge: what two sets of features explain of responses held out, alone and together.

Each set has a kernel, scaled alike; the weights of the two kernels, zeros among them, and alpha
are chosen inside the training part (Nunez-Elizalde et al. 2019, NeuroImage 197:482). A set of
noise is left out there, so that it explains 0 on average.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cortiscope import ridge
from cortiscope.nested import Solver, blocks, layout
from cortiscope.variance_partition import Partition

WEIGHTS = (0.0, 0.1, 1.0)  # of a set's kernel, relative to the others


def partition_features(
    layer: NDArray, low_level: NDArray, responses: NDArray, folds: NDArray, alphas: NDArray
) -> Partition:
    """Partition the held-out variance of neuroids (stimulus, neuroid): arrays are (neuroid,).

    R² is the squared correlation of held-out predictions with responses, with its sign. layer,
    low_level (stimulus, stimulus), of `ridge.kernel`; folds (stimulus,); alphas as in `ridge`. NaN
    for a neuroid that does not vary or has missing responses.
    """

    def explained(*kernels: NDArray) -> NDArray:
        predicted = banded_predict(kernels, responses, folds, alphas)
        r = ridge.fold_centred_correlation(predicted, responses, folds)
        return r * np.abs(r)

    return Partition(explained(layer), explained(low_level), explained(layer, low_level))


def banded_predict(
    kernels: Sequence[NDArray], responses: NDArray, folds: NDArray, alphas: NDArray
) -> ridge.Predictions:
    """`ridge.predict` on a weighted sum of kernels, the weights chosen with alpha.

    For each (fold, neuroid), the weights and alpha of least leave-one-out error in the training
    part, the first of ties. The alpha returned is that of the sum.
    """
    targets = np.asarray(responses, dtype=np.float64)
    mean, deviation = targets.mean(axis=0), targets.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    places = layout(folds)
    ordered = ((targets - mean) / scale)[places.order]
    best = np.full((len(places.real), targets.shape[1]), np.inf)
    values = np.full(targets.shape, np.nan)
    alpha, spread = np.full((2, *best.shape), np.nan)
    for kernel in _sums(kernels):
        solver = Solver(kernel, places)
        chosen, residuals, error = solver.choose(np.asarray(alphas, dtype=float), ordered)
        better = error < best
        strength = np.asarray(alphas, dtype=float)[chosen]
        for block in blocks(ordered):
            predicted, varied = solver.predict(
                ordered[:, block], residuals[:, :, block], strength[:, block]
            )
            now = better[:, block]
            spread[:, block] = np.where(now, varied, spread[:, block])
            values[places.order, block] = np.where(
                now[places.fold], predicted, values[places.order, block]
            )
        best, alpha = np.where(better, error, best), np.where(better, strength, alpha)
    return ridge.Predictions(values * scale + mean, alpha, spread * scale)


def _sums(kernels: Sequence[NDArray]) -> Iterator[NDArray]:
    """Kernels weighted 0, 1 or a tenth, relative to each other, and scaled to a sum of 1."""
    given = {tuple(np.divide(w, sum(w))) for w in product(WEIGHTS, repeat=len(kernels)) if any(w)}
    for weights in sorted(given):
        total = np.tensordot(weights, np.stack(kernels), axes=1)  # (set,) x (set, stimulus, ..)
        if np.trace(total) > 0:  # features that do not vary predict nothing
            yield total
