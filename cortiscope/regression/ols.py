"""Ordinary least squares, of minimum norm where there are as many components as stimuli or more.

b = X⁺ (y - mean y) with X the training features, centred, and X⁺ = V S⁻¹ U' their pseudo-inverse
(Penrose 1955, A generalized inverse for matrices): the least |b| of all b of least squared error.
On lossless features of n stimuli a training part of m stimuli is fitted without error, so this is
the limit of ridge regression as its strength goes to 0.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.principal_axes import Axes, Parts, Predict, Solve, Solved


def predict(
    features: NDArray, responses: NDArray, folds: NDArray, dtype: type = np.float64
) -> Predictions:
    """Predict every stimulus by least squares on the stimuli of the other folds.

    features (stimulus, component), responses (stimulus, neuroid), folds (stimulus,) numbers;
    `alpha` of what is returned is the number of dimensions fitted. Directions whose variance is
    rounding relative to the whole features are left out. `spread` is that of predictions of the
    training part's stimuli when each is left out in turn: those of a model that fits them without
    error are the responses themselves and tell nothing, and noise scored 0.02. NaN as in
    `principal_axes.Parts.predict`.
    """
    return prepare(features, folds)(responses, dtype)


def prepare(features: NDArray, folds: NDArray) -> Predict:
    """`predict` with what depends on the features alone done once, for many responses."""

    def solver(axes: Axes, dtype: type) -> Solve:
        scores = axes.scores[~axes.training] / np.square(axes.values)
        # (held out, axis) x (axis, training)
        slopes = (scores @ (axes.vectors * axes.values).T).astype(dtype)
        share, usable = _left_out(axes)
        share = share.astype(dtype)

        def solve(known: NDArray) -> Solved:
            rank = np.full(known.shape[1], float(len(axes.values)))
            # (training, training) x (training, neuroid)
            spread: NDArray = (known[usable] - share @ known).std(axis=0)
            held = slopes @ known  # (held out, training) x (training, neuroid)
            return Solved(held, rank, spread)

        return solve

    parts = Parts(features, folds, n_inner=0)
    return lambda responses, dtype: parts.predict(responses, solver, dtype)


def _left_out(axes: Axes) -> tuple[NDArray, NDArray]:
    """What takes responses to leave-one-out residuals (R y) / diag R: (stimulus, training), of
    those training stimuli (training,) bool for which others are left to predict them from.

    R is what is left of the responses, or where nothing is, the limit of ridge's R / alpha.
    """
    count = len(axes.vectors)
    if len(axes.values) < count - 1:
        residual = np.eye(count) - 1 / count - axes.vectors @ axes.vectors.T
    else:
        residual = (axes.vectors / np.square(axes.values)) @ axes.vectors.T
    left = np.diagonal(residual)
    usable = left > 1e-12 * left.max()
    return residual[usable] / left[usable, None], usable
